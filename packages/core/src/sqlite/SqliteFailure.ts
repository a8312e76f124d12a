/**
 * What `node:sqlite` throws, as an error; and patience while another process holds the lock that a statement needs.
 */
import { Effect, Schedule, Schema } from "effect";

export class SqliteFailure extends Schema.TaggedError<SqliteFailure>()("SqliteFailure", {
  cause: Schema.Defect(),
}) {
  /** Another process holds the lock: the statement did nothing, and may be tried again. */
  get isBusy(): boolean {
    return codeOf(this.cause) === sqliteBusy;
  }
}

/** Source: https://www.sqlite.org/rescode.html#busy */
const sqliteBusy = 5;

const codeOf = (error: unknown): number | undefined =>
  typeof error === "object" &&
  error !== null &&
  "errcode" in error &&
  typeof error.errcode === "number"
    ? // The low byte is the primary code; the rest says more about it.
      error.errcode & 0xff
    : undefined;

/** About two seconds: a writer holds the lock for the length of one flush. */
const whileBusy = Schedule.spaced("20 millis").pipe(
  Schedule.jittered,
  Schedule.upTo({ times: 100 }),
);

/** Runs statements, again and again for a while when they meet the lock of another process. */
export const attempt = <A>(run: () => A): Effect.Effect<A, SqliteFailure> => {
  const once = Effect.try({ try: run, catch: (cause) => new SqliteFailure({ cause }) });
  // Nearly all find it free, and pay nothing for the others' patience.
  return Effect.catchIf(once, isBusy, () =>
    Effect.retry(once, { schedule: whileBusy, while: isBusy }),
  );
};

const isBusy = (error: SqliteFailure): boolean => error.isBusy;
