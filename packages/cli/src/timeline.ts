/**
 * A history as people read it: one line per fact, with the time since the start and how long each step took.
 */
import { type Commit, describeCause, type HistoryEvent } from "@millrace/core";
import { Predicate } from "effect";

/** Lines of the timeline of an execution's commits, under a header; events are numbered from 1. */
export const renderTimeline = (commits: ReadonlyArray<Commit>): ReadonlyArray<string> => {
  const startedEpochMs = commits[0]?.events[0].atEpochMs ?? 0;
  const lines = ["event commit      time"];
  let number = 0;
  for (const { commit, events } of commits) {
    for (const event of events) {
      const place = `${String(++number).padStart(5)} ${String(commit).padStart(6)}`;
      const at = `+${formatMs(event.atEpochMs - startedEpochMs)}`.padStart(9);
      const [first, ...details] = describe(event);
      lines.push(`${place} ${at}  ${first}`, ...details.map(indented));
    }
  }
  return lines;
};

const indented = (detail: string): string => `${" ".repeat(26)}${detail}`;

/** A duration in the unit that suits it. */
export const formatMs = (ms: number): string =>
  ms < 1_000
    ? `${Math.round(ms)} ms`
    : ms < 120_000
      ? `${(ms / 1_000).toFixed(1)} s`
      : `${(ms / 60_000).toFixed(1)} min`;

const describe = (event: HistoryEvent): readonly [string, ...ReadonlyArray<string>] => {
  switch (event._tag) {
    case "ExecutionStarted": {
      const { forkedFrom, idempotencyKey, workflow } = event;
      const fork =
        forkedFrom && `a fork of ${forkedFrom.executionId} after its event ${forkedFrom.event}`;
      return [`started ${workflow}`, idempotencyKey, ...(fork === undefined ? [] : [fork])];
    }
    case "RunStarted":
      return [`run by ${event.owner.slice(0, 8)} (code ${event.codeVersion})`];
    case "ActivityCompleted": {
      const attempt = event.attempt > 1 ? ` (attempt ${event.attempt})` : "";
      const took = formatMs(event.atEpochMs - event.startedAtEpochMs);
      const { details, ended } = describeResult(event.result);
      return [`${event.name}${attempt} ${ended} in ${took}`, ...details];
    }
    case "ClockScheduled":
      return [`sleeps: ${event.name} until ${new Date(event.wakeAtEpochMs).toISOString()}`];
    case "DeferredDone":
      return [`completed: ${event.name}`, ...taskEndLines(event.exit)];
    case "InterruptRequested":
      return [event.unsafe ? "interrupt requested (unsafe)" : "interrupt requested"];
    case "Paused":
      return [`paused: ${event.reason}`];
    case "Resumed":
      return ["resumed"];
    case "Suspended":
      return [event.failed ? "parked after a failure" : "suspended"];
    case "RunYielded":
      return [
        event.toldToStop
          ? "told to stop: left to the next process"
          : "yielded to the next invocation",
        ...event.unfinished.map(({ name }) => `${name} begins anew`),
      ];
    case "Redriven":
      return [
        `redriven: ${event.reason}`,
        ...event.forget.activities.map(({ name }) => `${name} runs again`),
      ];
    case "Completed": {
      const { details, ended } = describeResult(event.result);
      return [`execution ${ended}`, ...(ended === "failed" ? details : [])];
    }
  }
};

/** How a task ended, where the fact is about one. */
const taskEndLines = (exit: unknown): ReadonlyArray<string> => {
  const value = member(exit, "value");
  if (member(value, "toldBy") === undefined) return [];
  const told = ["toldBy", "exitCode", "stopCode", "reason"].flatMap((name) => {
    const part = member(value, name);
    return typeof part === "string" || typeof part === "number" ? [`${name} ${part}`] : [];
  });
  return [told.join(", ")];
};

interface Described {
  readonly ended: "completed" | "failed";
  readonly details: ReadonlyArray<string>;
}

const describeResult = (result: unknown): Described => {
  const exit = member(result, "exit");
  if (member(exit, "_tag") === "Success") {
    return { ended: "completed", details: stageLines(member(exit, "value")) };
  }
  return { ended: "failed", details: failureLines(member(exit, "cause")) };
};

/** The stages of a result that has some (a CSV pass), one line each: the pass is one activity, its stages are facts too. */
const stageLines = (value: unknown): ReadonlyArray<string> => {
  const stages = member(member(value, "report"), "stages");
  if (!Predicate.isObject(stages)) return [];
  return Object.entries(stages).flatMap(([stage, figures]) =>
    [`${stage}: ${figureText(figures)}`].concat(stepLines(stage, member(figures, "steps"))),
  );
};

/** The steps that a pipeline has been given, each on a line of its own. */
const stepLines = (stage: string, steps: unknown): ReadonlyArray<string> =>
  Array.isArray(steps)
    ? steps.map((step: unknown) => {
        const { name, stage: _stage, ...figures } = Predicate.isObject(step) ? { ...step } : {};
        return `${stage} ${String(name)}: ${figureText(figures)}`;
      })
    : [];

const figureText = (figures: unknown): string =>
  Predicate.isObject(figures)
    ? Object.entries(figures)
        .map(([name, figure]) =>
          Array.isArray(figure) ? `${name} ${figure.length}` : `${name} ${String(figure)}`,
        )
        .join(", ")
    : String(figures);

/** Tag and message of the failures in an encoded cause. */
const failureLines = (cause: unknown): ReadonlyArray<string> =>
  describeCause(cause).map(({ message, tag }) => (message === "" ? tag : `${tag}: ${message}`));

const member = (value: unknown, name: string): unknown =>
  Predicate.hasProperty(value, name) ? value[name] : undefined;
