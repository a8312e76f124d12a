/**
 * A world for what people do to executions: a journal with processes, an index that can be asked, wakes that wait to be
 * delivered, and workflows whose steps can be made to fail and be repaired.
 */
import {
  type ExecutionRow,
  ExecutionRunner,
  Executions,
  isLater,
  type HistoryEvent,
  Journal,
  pageOf,
  Wakes,
} from "@millrace/core";
import { Effect, Layer, Schema } from "effect";
import { Activity } from "effect/workflow";
import { makeWorld, type Process } from "./engineWorld.ts";

/** The failure of a step that was told to fail. */
export class StepFailed extends Schema.TaggedError<StepFailed>()("StepFailed", {
  step: Schema.String,
}) {
  readonly failureClass = "transient";
  override get message(): string {
    return `${this.step} failed`;
  }
}

export const makeOpsWorld = Effect.gen(function* () {
  const world = yield* makeWorld;
  const rows = new Map<string, ExecutionRow>();
  const asked: Array<{
    readonly target: { readonly workflow: string; readonly executionId: string };
    readonly mode: "automatic" | "explicit";
  }> = [];
  const services = Layer.mergeAll(
    Layer.succeed(Journal, world.journal),
    Layer.succeed(Executions, {
      record: (row, instead) =>
        Effect.sync(() => {
          const before = rows.get(row.executionId);
          if (
            !before ||
            (instead && before.redrives === instead.redrives) ||
            !isLater(before, row)
          ) {
            rows.set(row.executionId, row);
          }
        }),
      list: (query) => pageOf([...rows.values()], query),
      find: (id) => Effect.sync(() => rows.get(id)),
    }),
    Layer.succeed(Wakes, {
      wake: ({ executionId, workflow }, mode) =>
        Effect.sync(() => void asked.push({ target: { executionId, workflow }, mode })),
      timer: () => Effect.void,
    }),
  );
  return {
    ...world,
    indexed: rows,
    asked,
    /** Runs an operation on the journal, the index and the wakes. */
    operate: <A, E>(effect: Effect.Effect<A, E, Journal | Executions | Wakes>) =>
      Effect.provide(effect, services),
    /** Delivers the wakes that were asked for, and gives the outcome of the last one. */
    deliver: (process: Process) =>
      Effect.suspend(() =>
        Effect.map(
          Effect.forEach(asked.splice(0), ({ mode, target }) =>
            Effect.orDie(process.run(ExecutionRunner.use((runner) => runner.wake(target, mode)))),
          ),
          (advanced) => advanced.at(-1),
        ),
      ),
    events: (executionId: string) =>
      Effect.map(Effect.orDie(world.journal.load(executionId, 0)), (commits) =>
        commits.flatMap(({ events }): ReadonlyArray<HistoryEvent> => events),
      ),
  };
});

/** Steps that note each time they run, and fail while they are told to. */
export const makeSteps = () => {
  const ran: Array<string> = [];
  const broken = new Set<string>();
  return {
    ran,
    broken,
    /** What has run since this was last asked. */
    takeRan: () => ran.splice(0),
    step: (name: string, before: Effect.Effect<void> = Effect.void) =>
      Activity.make({
        name,
        error: StepFailed,
        execute: Effect.gen(function* () {
          ran.push(name);
          yield* before;
          if (broken.has(name)) return yield* new StepFailed({ step: name });
        }),
      }),
  };
};

/** The history's story: tags, and the names of activities. */
export const storyOf = (events: ReadonlyArray<HistoryEvent>): ReadonlyArray<string> =>
  events.map((event) => (event._tag === "ActivityCompleted" ? event.name : event._tag));
