/**
 * Questions to the index of executions: which rows, in which order, and where the next page begins.
 *
 * Pure, and the same for every store, so that a filter means the same wherever it is applied.
 */
import { Effect, Schema } from "effect";
import type { ExecutionRow, ExecutionStatus } from "./Executions.ts";

/** Which rows are wanted; all filters must hold. */
export interface ExecutionQuery {
  readonly workflow?: string | undefined;
  /** One, or any of several. */
  readonly status?: ExecutionStatus | ReadonlyArray<ExecutionStatus> | undefined;
  /** `bucket/key`, or the beginning of it. */
  readonly object?: { readonly exact: string } | { readonly prefix: string } | undefined;
  /** Started at or after this instant. */
  readonly sinceEpochMs?: number | undefined;
  /** Started before this instant. */
  readonly untilEpochMs?: number | undefined;
  readonly errorFingerprint?: string | undefined;
  readonly rowsMax: number;
  /** Of an earlier page. */
  readonly cursor?: string | undefined;
}

/** One page of rows. */
export interface ExecutionPage {
  readonly rows: ReadonlyArray<ExecutionRow>;
  /** Give it back to get the next page; absent on the last. */
  readonly cursor: string | undefined;
}

/** A cursor that no page gave. */
export class InvalidCursor extends Schema.TaggedError<InvalidCursor>()("InvalidCursor", {
  cursor: Schema.String,
}) {
  readonly failureClass = "permanent";
  override get message(): string {
    return `"${this.cursor}" is no cursor of a listing: use the one that the page before ended with`;
  }
}

/** The wanted statuses; `undefined` when all are. */
export const statusesOf = ({ status }: ExecutionQuery): ReadonlySet<ExecutionStatus> | undefined =>
  status === undefined ? undefined : new Set(typeof status === "string" ? [status] : status);

/** Whether the row is one of those asked for, its place in the listing left aside. */
export const isAskedFor = (query: ExecutionQuery): ((row: ExecutionRow) => boolean) => {
  const { errorFingerprint, object, sinceEpochMs, untilEpochMs, workflow } = query;
  const statuses = statusesOf(query);
  const isAbout = (name: string | undefined): boolean =>
    object === undefined ||
    (name !== undefined &&
      ("exact" in object ? name === object.exact : name.startsWith(object.prefix)));
  return (row) =>
    (workflow === undefined || row.workflow === workflow) &&
    (statuses === undefined || statuses.has(row.status)) &&
    (errorFingerprint === undefined || row.errorFingerprint === errorFingerprint) &&
    (sinceEpochMs === undefined || row.startedEpochMs >= sinceEpochMs) &&
    (untilEpochMs === undefined || row.startedEpochMs < untilEpochMs) &&
    isAbout(row.object);
};

/** Text that orders rows by their start, and apart where two began in the same millisecond. */
export const orderOf = (row: Pick<ExecutionRow, "executionId" | "startedEpochMs">): string =>
  `${orderOfInstant(row.startedEpochMs)}/${row.executionId}`;

/** Sorts before every row of that instant and after every earlier one. */
export const orderOfInstant = (epochMs: number): string =>
  String(Math.max(0, Math.ceil(epochMs))).padStart(15, "0");

/** Sorts after every order of a row. */
const afterAll = "~";

/** The cursor of the page that ends with a row of this order. */
export const toCursor = (order: string): string => Buffer.from(order, "utf8").toString("base64url");

/** The rows of the page come before this order. */
export const upperBound = Effect.fnUntraced(function* ({ cursor, untilEpochMs }: ExecutionQuery) {
  const until = untilEpochMs === undefined ? afterAll : orderOfInstant(untilEpochMs);
  if (cursor === undefined) return until;
  const order = Buffer.from(cursor, "base64url").toString("utf8");
  if (!/^\d{15}\/./.test(order)) return yield* new InvalidCursor({ cursor });
  return order < until ? order : until;
});

/** The page of a listing whose rows are all at hand. */
export const pageOf = (
  rows: ReadonlyArray<ExecutionRow>,
  query: ExecutionQuery,
): Effect.Effect<ExecutionPage, InvalidCursor> =>
  Effect.map(upperBound(query), (before) => {
    const left = rows
      .filter((row) => orderOf(row) < before)
      .filter(isAskedFor(query))
      .toSorted((a, b) => (orderOf(a) < orderOf(b) ? 1 : -1));
    const page = left.slice(0, query.rowsMax);
    const last = page.at(-1);
    return {
      rows: page,
      cursor: last && left.length > page.length ? toCursor(orderOf(last)) : undefined,
    };
  });
