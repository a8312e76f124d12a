/**
 * Wall-clock times of a time zone as instants.
 *
 * A time that a change of the clocks leaves out is no instant; one that occurs twice is its first.
 */

/** Minutes from UTC to the local time of a zone at an instant, in milliseconds. */
export const offsetMsAt = (epochMs: number, zone: string): number => {
  if (zone === "UTC") return 0;
  const parts = new Map(
    formatOf(zone)
      .formatToParts(epochMs)
      .map(({ type, value }) => [type, Number(value)]),
  );
  const part = (type: Intl.DateTimeFormatPartTypes) => parts.get(type) ?? 0;
  const local = Date.UTC(
    part("year"),
    part("month") - 1,
    part("day"),
    part("hour"),
    part("minute"),
    part("second"),
  );
  return local - Math.floor(epochMs / 1_000) * 1_000;
};

const formats = new Map<string, Intl.DateTimeFormat>();

const formatOf = (zone: string): Intl.DateTimeFormat => {
  const known = formats.get(zone);
  if (known) return known;
  const made = new Intl.DateTimeFormat("en-US", {
    timeZone: zone,
    calendar: "gregory",
    hourCycle: "h23",
    year: "numeric",
    month: "numeric",
    day: "numeric",
    hour: "numeric",
    minute: "numeric",
    second: "numeric",
  });
  formats.set(zone, made);
  return made;
};

const dayMs = 86_400_000;

/** The instant at which the clocks of the zone show what UTC's show at `localMs`. */
export const epochMsOf = (localMs: number, zone: string): number | undefined => {
  const instants = [localMs - dayMs, localMs + dayMs]
    .map((nearMs) => offsetMsAt(nearMs, zone))
    .filter((offsetMs) => offsetMsAt(localMs - offsetMs, zone) === offsetMs)
    .map((offsetMs) => localMs - offsetMs);
  return instants.length === 0 ? undefined : Math.min(...instants);
};

/** Whether there is a zone of that name; IANA names only, as for Scheduler. */
export const isTimeZone = (zone: string): boolean => {
  if (!/^[A-Za-z][A-Za-z0-9_+\-/]*$/u.test(zone)) return false;
  try {
    formatOf(zone);
    return true;
  } catch {
    return false;
  }
};
