/**
 * Firing what is due: into the outbox, and on to the next firing or to the schedule's end, in one transaction, so that
 * a firing is neither lost nor repeated when the process dies.
 *
 * What came due while the process was down fires once when it starts again.
 */
import { Clock, Effect, Random } from "effect";
import { Arrivals } from "../Arrivals.ts";
import { transaction } from "../sqlite.ts";
import { nextFiring, readExpression, type ScheduleExpression } from "./ScheduleExpression.ts";
import { scheduleArn, scheduleKey } from "./SchedulerNames.ts";
import type { Schedule, SchedulerState } from "./SchedulerState.ts";
import { inputOf } from "./TargetInput.ts";

/** Source: RetryPolicy in the Scheduler API reference; the defaults are the maxima. */
export const attemptsMax = 185;
export const ageSecondsMax = 86_400;

/** A timer of the platform has 31 bits, 24 days; the worker looks again before that. */
const waitMsMax = 20 * 86_400_000;
const minuteMs = 60_000;

/** A worker over the schedules: `run` never ends, `changed` tells it that one was added or changed. */
export const makeFiring = (state: SchedulerState, fired: Effect.Effect<void>) => {
  const arrivals = new Arrivals();
  const schedules = "schedules";
  const run = Effect.gen(function* () {
    while (true) {
      const version = arrivals.version(schedules);
      const nowMs = yield* Clock.currentTimeMillis;
      const waiting = [...state.schedules.unordered()].filter(isWaiting);
      const due = waiting.filter(({ next }) => next.dueMs <= nowMs);
      for (const schedule of due) yield* fire(state, schedule, nowMs);
      if (due.length > 0) {
        yield* fired;
        continue;
      }
      const nextMs = waiting.reduce(
        (earliest, { next }) => Math.min(earliest, next.dueMs),
        nowMs + waitMsMax,
      );
      yield* Effect.timeoutOrElse(arrivals.wait(schedules, version), {
        duration: nextMs - nowMs,
        orElse: () => Effect.void,
      });
    }
  });
  return { run, changed: Effect.sync(() => arrivals.notify(schedules)) };
};

type Waiting = Schedule & { readonly next: NonNullable<Schedule["next"]> };

const isWaiting = (schedule: Schedule): schedule is Waiting =>
  schedule.next !== undefined && schedule.state === "ENABLED";

const fire = Effect.fnUntraced(function* (state: SchedulerState, schedule: Waiting, nowMs: number) {
  const { scheduledMs } = schedule.next;
  const expression = yield* Effect.orDie(readExpression(schedule.expression, schedule.timeZone));
  const after = yield* withNext(schedule, expression, Math.max(scheduledMs, nowMs));
  // Changed or deleted meanwhile: the worker looks again.
  if (state.schedules.get(scheduleKey(schedule.group, schedule.name)) !== schedule) return;
  transaction(state.database, () => {
    promise(state, schedule, scheduledMs);
    if (after.next === undefined && schedule.action === "DELETE") state.remove(schedule);
    else state.put(after);
  });
});

const promise = (state: SchedulerState, schedule: Schedule, scheduledMs: number): void => {
  const { Arn, DeadLetterConfig, RetryPolicy } = schedule.target;
  const { MaximumEventAgeInSeconds = ageSecondsMax, MaximumRetryAttempts = attemptsMax } =
    RetryPolicy ?? {};
  state.outbox.add({
    sourceArn: scheduleArn(schedule.group, schedule.name),
    targetArn: Arn,
    body: inputOf(schedule, scheduledMs),
    takenMs: scheduledMs,
    attemptsMax: MaximumRetryAttempts,
    ageMsMax: MaximumEventAgeInSeconds * 1_000,
    deadLetterArn: DeadLetterConfig?.Arn,
  });
};

/** The schedule with its first firing after an instant, at a random moment of its flexible window. */
export const withNext = Effect.fnUntraced(function* (
  schedule: Schedule,
  expression: ScheduleExpression,
  afterMs: number,
): Effect.fn.Return<Schedule> {
  const { next: _, ...rest } = schedule;
  const { endMs, modifiedMs, startMs = modifiedMs } = schedule;
  const scheduledMs = nextFiring(expression, { fromMs: startMs, endMs }, afterMs);
  if (scheduledMs === undefined) return rest;
  const { MaximumWindowInMinutes = 0, Mode } = schedule.window;
  const windowMs = Mode === "FLEXIBLE" ? MaximumWindowInMinutes * minuteMs : 0;
  const dueMs = scheduledMs + Math.floor(windowMs * (yield* Random.next));
  return { ...rest, next: { scheduledMs, dueMs } };
});
