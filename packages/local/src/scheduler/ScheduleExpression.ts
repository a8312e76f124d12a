/**
 * When a schedule fires: `at(...)` once, `rate(...)` again and again, `cron(...)` by the clocks of a time zone.
 *
 * Source: EventBridge Scheduler user guide, "Schedule types on EventBridge Scheduler"
 */
import { Effect } from "effect";
import type { AwsError } from "../AwsError.ts";
import { type CronFields, nextCron, readCron } from "./CronFields.ts";
import { invalid, notImplemented } from "./SchedulerErrors.ts";
import { epochMsOf, isTimeZone } from "./TimeZone.ts";

export type ScheduleExpression =
  | { readonly _tag: "At"; readonly atMs: number }
  | { readonly _tag: "Rate"; readonly everyMs: number }
  | { readonly _tag: "Cron"; readonly fields: CronFields; readonly zone: string };

const unitMs: Readonly<Record<string, number>> = {
  minute: 60_000,
  hour: 3_600_000,
  day: 86_400_000,
};

/** Reads an expression in its time zone. Fails: ValidationException, and NotImplemented for what is not here. */
export const readExpression = Effect.fnUntraced(function* (
  text: string,
  zone: string,
): Effect.fn.Return<ScheduleExpression, AwsError> {
  if (!isTimeZone(zone)) return yield* invalid(`Invalid Schedule Expression Timezone ${zone}.`);
  const [, kind, content = ""] = /^(at|rate|cron)\((.*)\)$/u.exec(text) ?? [];
  const read =
    kind === "at" ? readAt(content, zone) : kind === "rate" ? readRate(content) : undefined;
  if (read) return read;
  const fields = kind === "cron" ? readCron(content) : undefined;
  if (fields && !("_tag" in fields)) return { _tag: "Cron", fields, zone };
  return yield* fields?._tag === "Wildcard"
    ? notImplemented(`wildcard ${fields.text} of ${text}`)
    : invalid(`Invalid Schedule Expression ${text}.`);
});

const readAt = (content: string, zone: string): ScheduleExpression | undefined => {
  const localMs = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d$/u.test(content)
    ? Date.parse(`${content}Z`)
    : Number.NaN;
  // A date that does not exist is read as another one.
  const exists = localMs >= 0 && new Date(localMs).toISOString().startsWith(content);
  const atMs = exists ? epochMsOf(localMs, zone) : undefined;
  return atMs === undefined ? undefined : { _tag: "At", atMs };
};

const readRate = (content: string): ScheduleExpression | undefined => {
  const [, value = "", unit = ""] = /^([1-9][0-9]*) (minute|hour|day)s?$/u.exec(content) ?? [];
  const everyMs = Number(value) * (unitMs[unit] ?? 0);
  return everyMs > 0 ? { _tag: "Rate", everyMs } : undefined;
};

/** The span in which a recurring schedule fires. */
export interface ScheduleSpan {
  /** The first firing of a rate, and the earliest of a cron expression. */
  readonly fromMs: number;
  readonly endMs: number | undefined;
}

/** The first firing after an instant; none when the schedule is complete. */
export const nextFiring = (
  expression: ScheduleExpression,
  { endMs, fromMs }: ScheduleSpan,
  afterMs: number,
): number | undefined => {
  // Source: CreateSchedule, StartDate and EndDate: ignored for one-time schedules.
  if (expression._tag === "At") return expression.atMs > afterMs ? expression.atMs : undefined;
  const next =
    expression._tag === "Rate"
      ? nextOfRate(expression.everyMs, fromMs, afterMs)
      : nextCron(expression.fields, expression.zone, Math.max(afterMs, fromMs - 1));
  return next === undefined || (endMs !== undefined && next > endMs) ? undefined : next;
};

const nextOfRate = (everyMs: number, fromMs: number, afterMs: number): number =>
  fromMs + Math.max(0, Math.floor((afterMs - fromMs) / everyMs) + 1) * everyMs;
