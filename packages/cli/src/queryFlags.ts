/**
 * The filters of `ls` and of whatever else works on many executions, and what they mean.
 */
import { type ExecutionQuery, ExecutionStatus } from "@millrace/core";
import { Clock, DateTime, Duration, Effect, Option, Schema } from "effect";
import { Flag } from "effect/cli";

/** The flags. */
export const queryFlags = {
  workflow: Flag.String("workflow").pipe(
    Flag.withDescription("Only executions of this workflow"),
    Flag.optional,
  ),
  status: Flag.Literals("status", ExecutionStatus.literals).pipe(
    Flag.withDescription("Only executions with this status; may be given several times"),
    Flag.atLeast(0),
  ),
  object: Flag.String("object").pipe(
    Flag.withDescription(
      "Only executions about this object, as bucket/key; with * at the end: all that begin so",
    ),
    Flag.optional,
  ),
  since: Flag.String("since").pipe(
    Flag.withDescription(
      "Only executions started at this time or later: 2026-11-20T08:00:00Z, or 30m, 2h, 7d ago",
    ),
    Flag.optional,
  ),
  until: Flag.String("until").pipe(
    Flag.withDescription("Only executions started before this time, written likewise"),
    Flag.optional,
  ),
  error: Flag.String("error").pipe(
    Flag.withDescription(
      "Only executions that failed like this: an error fingerprint, which `ls` shows",
    ),
    Flag.optional,
  ),
};

/** What the flags gave. */
export interface QueryFlags {
  readonly workflow: Option.Option<string>;
  readonly status: ReadonlyArray<ExecutionStatus>;
  readonly object: Option.Option<string>;
  readonly since: Option.Option<string>;
  readonly until: Option.Option<string>;
  readonly error: Option.Option<string>;
}

/** A time that is none. */
export class TimeUnreadable extends Schema.TaggedError<TimeUnreadable>()("TimeUnreadable", {
  flag: Schema.String,
  text: Schema.String,
}) {
  override get message(): string {
    return `--${this.flag} ${this.text} is no time: write it like 2026-11-20T08:00:00Z, or how long ago it was, like 30m, 2h or 7d`;
  }
}

/** Whether any filter was given. */
export const isFiltering = ({ status, ...flags }: QueryFlags): boolean =>
  status.length > 0 ||
  [flags.workflow, flags.object, flags.since, flags.until, flags.error].some(Option.isSome);

/** The query of the flags, without its page. */
export const readQuery = Effect.fnUntraced(function* (flags: QueryFlags) {
  const query: Omit<ExecutionQuery, "rowsMax" | "cursor"> = {
    workflow: Option.getOrUndefined(flags.workflow),
    status: flags.status.length > 0 ? flags.status : undefined,
    object: Option.getOrUndefined(Option.map(flags.object, readObject)),
    sinceEpochMs: yield* readTime("since", flags.since),
    untilEpochMs: yield* readTime("until", flags.until),
    errorFingerprint: Option.getOrUndefined(flags.error),
  };
  return query;
});

const readObject = (text: string): ExecutionQuery["object"] =>
  text.endsWith("*") ? { prefix: text.slice(0, -1) } : { exact: text };

const units = { s: "seconds", m: "minutes", h: "hours", d: "days" } as const;
const isUnit = (text: string | undefined): text is keyof typeof units =>
  text !== undefined && Object.hasOwn(units, text);

const readTime = Effect.fnUntraced(function* (flag: string, given: Option.Option<string>) {
  if (Option.isNone(given)) return undefined;
  const text = given.value;
  const [, amount, unit] = /^(\d{1,9})([smhd])$/.exec(text) ?? [];
  if (isUnit(unit)) {
    const now = yield* Clock.currentTimeMillis;
    return now - Duration.toMillis(Duration.fromInputUnsafe(`${Number(amount)} ${units[unit]}`));
  }
  const time = DateTime.make(text);
  if (Option.isNone(time)) return yield* new TimeUnreadable({ flag, text });
  return DateTime.toEpochMillis(time.value);
});
