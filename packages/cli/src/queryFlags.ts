/**
 * The filters of `ls` and of whatever else works on many executions, and what they mean.
 */
import { type ExecutionQuery, ExecutionStatus } from "@millrace/core";
import { Clock, DateTime, Duration, Effect, Option } from "effect";
import { Flag } from "effect/cli";

const units = { s: "seconds", m: "minutes", h: "hours", d: "days" } as const;
const isUnit = (text: string | undefined): text is keyof typeof units =>
  text !== undefined && Object.hasOwn(units, text);

const readAge = (text: string): Option.Option<Duration.Duration> => {
  const [, amount, unit] = /^(\d{1,6})([smhd])$/.exec(text) ?? [];
  return isUnit(unit)
    ? Option.some(Duration.fromInputUnsafe(`${Number(amount)} ${units[unit]}`))
    : Option.none();
};

/** An instant, given now: one written out, or how long ago it was. */
const readTime = (text: string): Option.Option<(nowEpochMs: number) => number> => {
  const age = readAge(text);
  if (Option.isSome(age)) return Option.some((now) => now - Duration.toMillis(age.value));
  return Option.map(DateTime.make(text), (time) => () => DateTime.toEpochMillis(time));
};

/** A time: it is given now, and answers with the instant. */
export const requiredTimeFlag = (name: string, description: string) =>
  Flag.String(name).pipe(
    Flag.withDescription(description),
    Flag.filterMap(
      readTime,
      () => "a time like 2026-11-20T08:00:00Z, or how long ago it was, like 30m, 2h or 7d",
    ),
  );

/** The same where it may be left out. */
export const timeFlag = (name: string, description: string) =>
  Flag.optional(requiredTimeFlag(name, description));

/** How long: gives milliseconds. */
export const ageFlag = (name: string, description: string, byDefault: string) =>
  Flag.String(name).pipe(
    Flag.withDescription(`${description}; by default ${byDefault}`),
    Flag.withDefault(byDefault),
    Flag.filterMap(
      (text) => Option.map(readAge(text), Duration.toMillis),
      () => "a length of time like 30s, 5m, 2h or 7d",
    ),
  );

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
  since: timeFlag(
    "since",
    "Only executions started at this time or later: 2026-11-20T08:00:00Z, or 30m, 2h, 7d ago",
  ),
  until: timeFlag("until", "Only executions started before this time, written likewise"),
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
  readonly since: Option.Option<(nowEpochMs: number) => number>;
  readonly until: Option.Option<(nowEpochMs: number) => number>;
  readonly error: Option.Option<string>;
}

/** Whether any filter was given. */
export const isFiltering = (flags: QueryFlags): boolean =>
  flags.status.length > 0 ||
  Option.isSome(flags.since) ||
  Option.isSome(flags.until) ||
  [flags.workflow, flags.object, flags.error].some(Option.isSome);

/** The query of the flags, without its page. */
export const readQuery = Effect.fnUntraced(function* (flags: QueryFlags) {
  const now = yield* Clock.currentTimeMillis;
  const query: Omit<ExecutionQuery, "rowsMax" | "cursor"> = {
    workflow: Option.getOrUndefined(flags.workflow),
    status: flags.status.length > 0 ? flags.status : undefined,
    object: Option.getOrUndefined(Option.map(flags.object, readObject)),
    sinceEpochMs: Option.getOrUndefined(Option.map(flags.since, (at) => at(now))),
    untilEpochMs: Option.getOrUndefined(Option.map(flags.until, (at) => at(now))),
    errorFingerprint: Option.getOrUndefined(flags.error),
  };
  return query;
});

const readObject = (text: string): ExecutionQuery["object"] =>
  text.endsWith("*") ? { prefix: text.slice(0, -1) } : { exact: text };
