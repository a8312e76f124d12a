/** The three ways in which S3 writes a time. */
const basic = /^(\d{4})(\d\d)(\d\d)T(\d\d)(\d\d)(\d\d)Z$/u;

/** `20261120T131500Z` as milliseconds since the epoch; `undefined` when it is not such a time. */
export const parseBasicTime = (text: string): number | undefined => {
  const match = basic.exec(text);
  if (match === null) return undefined;
  const [, year, month, day, hour, minute, second] = match;
  const atEpochMs = Date.parse(`${year}-${month}-${day}T${hour}:${minute}:${second}Z`);
  return Number.isNaN(atEpochMs) ? undefined : atEpochMs;
};

/** An HTTP date as milliseconds, `undefined` when unreadable (such a condition is then ignored, RFC 9110). */
export const parseHttpDate = (text: string): number | undefined => {
  const atEpochMs = Date.parse(text);
  return Number.isNaN(atEpochMs) ? undefined : atEpochMs;
};

/** `Fri, 20 Nov 2026 13:15:00 GMT` */
export const httpDate = (atEpochMs: number): string => new Date(atEpochMs).toUTCString();

/** `2026-11-20T13:15:00.000Z` */
export const isoTime = (atEpochMs: number): string => new Date(atEpochMs).toISOString();
