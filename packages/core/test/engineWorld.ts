/**
 * A world for engine tests: one journal, and any number of processes over it that can be killed.
 *
 * A process is an engine layer in a scope of its own. `kill` closes its journal first (nothing that it does afterwards
 * is stored, as after a SIGKILL) and then its fibers.
 */
import {
  Engine,
  type ExecutionRow,
  Executions,
  type ExecutionRunner,
  Journal,
  LargeValueLost,
  LargeValues,
  Wakes,
} from "@millrace/core";
import { SqliteJournal } from "@millrace/core/sqlite";
import { Context, Effect, Exit, Layer, Scope } from "effect";
import type { WorkflowEngine } from "effect/workflow";

export interface Process {
  /** Runs an effect with this process's engine. */
  readonly run: <A, E>(
    effect: Effect.Effect<A, E, WorkflowEngine.WorkflowEngine | ExecutionRunner>,
  ) => Effect.Effect<A, E>;
  readonly kill: Effect.Effect<void>;
}

export interface World {
  readonly journal: Journal["Service"];
  /** Appends so far, refused ones included. */
  readonly appends: () => number;
  readonly loads: () => number;
  /** The commit after which each of them asked for the history. */
  readonly loadedAfter: Array<number>;
  /** What was kept beside the journal, by hash. */
  readonly values: Map<string, string>;
  /** How long the store of large values takes to answer, in milliseconds; may be set. */
  readonly delays: { valueMs: number };
  /** Rows in the order in which processes brought them to the index. */
  readonly rows: Array<ExecutionRow>;
  /** Wakes and timers that processes asked for. */
  readonly wakes: Array<{ readonly kind: "wake" | "timer"; readonly executionId: string }>;
  /** Starts a process that has the code of the given workflows; `frozen` ones send their wakes into `wakes`. */
  readonly start: <E>(
    workflows: Layer.Layer<never, E, WorkflowEngine.WorkflowEngine>,
    kind?: "resident" | "frozen",
  ) => Effect.Effect<Process, E, Scope.Scope>;
}

/** Real time for digests and stores, so that an execution stands where it waits before the test clock moves. */
export const settle = Effect.promise(async () => {
  // Turns of the event loop, not a span of time: on a busy machine all of it may pass while the process does not run.
  for (let turn = 0; turn < 15; turn++) await new Promise((resolve) => setTimeout(resolve, 2));
});

export const makeWorld = Effect.gen(function* () {
  const context = yield* Layer.build(Layer.fresh(SqliteJournal.layerSqlite(":memory:")));
  const journal = Context.get(context, Journal);
  let appends = 0;
  const loadedAfter: World["loadedAfter"] = [];
  const wakes: World["wakes"] = [];
  const rows: World["rows"] = [];
  const values: World["values"] = new Map();
  const delays: World["delays"] = { valueMs: 0 };
  const largeValues = Layer.succeed(LargeValues, {
    put: (sha256, text) => Effect.sync(() => void values.set(sha256, text)),
    get: (sha256) =>
      Effect.suspend(() => {
        const text = values.get(sha256);
        return text === undefined
          ? Effect.fail(new LargeValueLost({ sha256, reason: "it is not there" }))
          : Effect.delay(Effect.succeed(text), delays.valueMs);
      }),
  });
  const executions = Layer.succeed(Executions, {
    record: (row) => Effect.sync(() => void rows.push(row)),
    list: () => Effect.succeed({ rows, cursor: undefined }),
    find: (id) => Effect.succeed(rows.findLast(({ executionId }) => executionId === id)),
  });
  const world: World = {
    journal,
    appends: () => appends,
    loads: () => loadedAfter.length,
    loadedAfter,
    rows,
    values,
    delays,
    wakes,
    start: Effect.fnUntraced(function* (workflows, kind = "resident") {
      let dead = false;
      const whileAlive = <A, E>(effect: Effect.Effect<A, E>): Effect.Effect<A, E> =>
        Effect.suspend(() => (dead ? Effect.never : effect));
      const ownJournal = Layer.succeed(Journal, {
        load: (id, after) =>
          whileAlive(
            Effect.suspend(() => {
              loadedAfter.push(after);
              return journal.load(id, after);
            }),
          ),
        append: (commit) =>
          whileAlive(
            Effect.suspend(() => {
              appends++;
              return journal.append(commit);
            }),
          ),
      });
      const queue = Layer.succeed(Wakes, {
        wake: ({ executionId }) =>
          Effect.sync(() => void wakes.push({ kind: "wake", executionId })),
        timer: ({ executionId }) =>
          Effect.sync(() => void wakes.push({ kind: "timer", executionId })),
      });
      const engine =
        kind === "resident" ? Engine.layerInProcess() : Layer.provide(Engine.layer(), queue);
      const scope = yield* Scope.make();
      yield* Effect.addFinalizer(() => Scope.close(scope, Exit.void));
      const services = yield* Layer.buildWithScope(
        Layer.fresh(
          workflows.pipe(
            Layer.provideMerge(engine),
            Layer.provide(ownJournal),
            Layer.provide(executions),
            Layer.provide(largeValues),
          ),
        ),
        scope,
      );
      return {
        run: (effect) => Effect.provideContext(effect, services),
        kill: Effect.suspend(() => {
          dead = true;
          // A killed process waits for nobody; its fibers are left to end when they can.
          return Effect.asVoid(Effect.forkDetach(Scope.close(scope, Exit.void)));
        }),
      };
    }),
  };
  return world;
});
