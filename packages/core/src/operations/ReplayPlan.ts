/**
 * What the replay of a range of the archive would do, counted before anything is done, and then done step by step.
 *
 * The plan is made of reads alone: each event names its executions, each execution is looked up once, and what needs
 * nothing is not kept. So 100,000 events of finished executions cost 100,000 reads and no message.
 */
import { Effect } from "effect";
import { readMessage } from "../Intake.ts";
import { MessageQueue } from "../MessageQueue.ts";
import type { ObjectCreated } from "../ObjectEvent.ts";
import { planRedrive, redrive } from "../redrive.ts";
import { retry } from "../Retry.ts";
import { decideReplay, type ReplayMode } from "./decideReplay.ts";
import { checkRerun, rerun } from "./rerun.ts";
import { standingOf } from "./standingOf.ts";

/** An execution that an object starts. */
export interface TriggeredExecution {
  readonly pipeline: string;
  readonly executionId: string;
}

export interface ReplayRequest {
  readonly mode: ReplayMode;
  /** Names the occasion of reruns. */
  readonly label: string;
  /** The executions that an object starts, in the pipelines asked for. */
  readonly executionsOf: (
    object: ObjectCreated,
  ) => Effect.Effect<ReadonlyArray<TriggeredExecution>>;
}

/** Something to be done. */
export type ReplayStep =
  | { readonly _tag: "Start"; readonly pipeline: string; readonly body: string }
  | { readonly _tag: "Redrive"; readonly executionId: string }
  | { readonly _tag: "Rerun"; readonly executionId: string };

/** What was found, and what is done about it: `left` + all that follow it = `executions`. */
export interface ReplayCounts {
  readonly events: number;
  /** Events that start none of the pipelines asked for. */
  readonly ignored: number;
  readonly unreadable: number;
  /** Events of executions that an earlier event had named. */
  readonly duplicates: number;
  readonly executions: number;
  readonly missing: number;
  readonly underWay: number;
  readonly finished: number;
  readonly failed: number;
  /** Executions that stay as they are. */
  readonly left: number;
  /** Events handed to their pipeline's queue. */
  readonly started: number;
  readonly redriven: number;
  readonly rerun: number;
  /** Executions that had been rerun on the same occasion. */
  readonly rerunBefore: number;
  /** Executions that may not be redriven or rerun. */
  readonly refused: number;
}

export interface ReplayPlan {
  /** With all steps counted as done. */
  readonly counts: ReplayCounts;
  readonly steps: ReadonlyArray<ReplayStep>;
}

const nothing: ReplayCounts = {
  events: 0,
  ignored: 0,
  unreadable: 0,
  duplicates: 0,
  executions: 0,
  missing: 0,
  underWay: 0,
  finished: 0,
  failed: 0,
  left: 0,
  started: 0,
  redriven: 0,
  rerun: 0,
  rerunBefore: 0,
  refused: 0,
};

/** What a step came to. */
export type ReplayOutcome = "left" | "started" | "redriven" | "rerun" | "rerunBefore" | "refused";

const outcomeOfStep = { Start: "started", Redrive: "redriven", Rerun: "rerun" } as const;

/** The counts of a plan before any of its steps is done. */
export const beforeSteps = ({ counts, steps }: ReplayPlan): ReplayCounts => {
  const left: Record<keyof ReplayCounts, number> = { ...counts };
  for (const step of steps) left[outcomeOfStep[step._tag]]--;
  return left;
};

/** Takes events one by one, and holds the plan of all that it took. */
export const makeReplayPlan = (request: ReplayRequest) => {
  const counts: Record<keyof ReplayCounts, number> = { ...nothing };
  const steps: Array<ReplayStep> = [];
  const seen = new Set<string>();
  const takeExecution = Effect.fnUntraced(function* (
    { executionId, pipeline }: TriggeredExecution,
    body: string,
  ) {
    // Before the first wait: two events of one execution may be on their way side by side.
    if (seen.has(executionId)) return void counts.duplicates++;
    seen.add(executionId);
    counts.executions++;
    const standing = yield* standingOf(executionId);
    counts[standing]++;
    const action = decideReplay(request.mode, standing);
    const step: ReplayStep | undefined =
      action === "none"
        ? undefined
        : action === "start"
          ? { _tag: "Start", pipeline, body }
          : { _tag: action === "redrive" ? "Redrive" : "Rerun", executionId };
    const outcome = step ? yield* checkStep(step, request.label) : "left";
    counts[outcome]++;
    if (step && outcome === outcomeOfStep[step._tag]) steps.push(step);
  });
  const take = Effect.fnUntraced(
    function* (body: string) {
      counts.events++;
      const intake = yield* readMessage(body);
      if (intake._tag !== "Objects") return void counts.ignored++;
      const executions = yield* Effect.forEach(intake.announcements, ({ object }) =>
        request.executionsOf(object),
      );
      const all = executions.flat();
      if (all.length === 0) counts.ignored++;
      yield* Effect.forEach(all, (execution) => takeExecution(execution, body), { discard: true });
    },
    Effect.catchTag("MessageUnreadable", () => Effect.sync(() => void counts.unreadable++)),
  );
  return {
    take,
    /** The plan so far. */
    plan: Effect.sync((): ReplayPlan => ({ counts: { ...counts }, steps: [...steps] })),
  };
};

/** What the step would come to. */
const checkStep = Effect.fnUntraced(function* (step: ReplayStep, label: string) {
  switch (step._tag) {
    case "Start":
      return "started" satisfies ReplayOutcome;
    case "Redrive":
      return yield* refusalsCounted(
        planRedrive(step.executionId, label).pipe(Effect.as<ReplayOutcome>("redriven")),
      );
    case "Rerun":
      return yield* refusalsCounted(
        Effect.map(checkRerun(step.executionId, label), outcomeOfRerun),
      );
  }
});

/** Does one step; `queueOf` names the queue of a pipeline. */
export const carryOutReplay = Effect.fnUntraced(function* (
  step: ReplayStep,
  options: { readonly label: string; readonly queueOf: (pipeline: string) => string },
) {
  switch (step._tag) {
    case "Start":
      return yield* MessageQueue.use((queue) =>
        queue.send(options.queueOf(step.pipeline), step.body),
      ).pipe(retry({ baseMs: 50 }), Effect.as<ReplayOutcome>("started"));
    case "Redrive":
      return yield* refusalsCounted(
        redrive(step.executionId, { reason: options.label }).pipe(
          Effect.as<ReplayOutcome>("redriven"),
        ),
      );
    case "Rerun":
      return yield* refusalsCounted(
        Effect.map(rerun(step.executionId, options.label), outcomeOfRerun),
      );
  }
});

const outcomeOfRerun = ({ created }: { readonly created: boolean }): ReplayOutcome =>
  created ? "rerun" : "rerunBefore";

/** Refusals are outcomes; what is left to fail are the stores. */
const refusalsCounted = <E extends { readonly _tag: string }, R>(
  effect: Effect.Effect<ReplayOutcome, E, R>,
): Effect.Effect<ReplayOutcome, E, R> =>
  Effect.catchIf(
    effect,
    ({ _tag }) => _tag === "NotFailed" || refusals.has(_tag),
    ({ _tag }) => Effect.succeed<ReplayOutcome>(_tag === "NotFailed" ? "left" : "refused"),
  );

const refusals: ReadonlySet<string> = new Set([
  "ExecutionCompensated",
  "ExecutionUnknown",
  "ForkPointUnknown",
  "HistoryConflict",
]);
