/**
 * Effect's `WorkflowEngine` on the journal: users keep the standard workflow API, and every execution is durable.
 *
 * The engine owns no state that matters. What it holds in memory (live executions, their wakes) is rebuilt from the
 * journal by whichever process is asked next; a process may be killed at any point.
 *
 * Source: the contract is `WorkflowEngine.Encoded` of effect 4.1.0; see docs/adr/0002-effect-workflow-engine.md
 */
import { Clock, Context, Effect, Layer, Random, References, type Scope } from "effect";
import { WorkflowEngine } from "effect/workflow";
import { askForActivity, makeEncodedEngine } from "./EncodedEngine.ts";
import { ExecutionRunner } from "./ExecutionRunner.ts";
import { makeExecutionScopes, type Residency } from "./ExecutionScopes.ts";
import { Journal } from "./Journal.ts";
import { makeValueSpills } from "./LargeValues.ts";
import { defaultLeaseMs } from "./Limits.ts";
import { LiveExecutions } from "./LiveExecutions.ts";
import { makeAdoption } from "./makeAdoption.ts";
import { makeDecodingEngine } from "./makeDecodingEngine.ts";
import { makeExecutionRunner } from "./makeExecutionRunner.ts";
import { makeProjection } from "./makeProjection.ts";
import type { RunContext } from "./RunContext.ts";
import { StateCache } from "./StateCache.ts";
import { Wakes } from "./Wakes.ts";

export interface EngineOptions {
  /** Recorded with every run, so that a history tells which code made it. */
  readonly codeVersion?: string;
  /**
   * Lease of a run in a process without a deadline, in milliseconds: how long the runs of a process that died are left
   * alone. @default 60,000
   */
  readonly leaseMs?: number;
  /** Runs nothing that is not recorded: called with the step instead. For checking histories against code. */
  readonly replayOnly?: (executionId: string, step: string) => void;
}

/**
 * An engine whose wakes and timers are messages: for processes that may stop after each run (Lambda, a container
 * that is replaced). Use `ExecutionRunner` to hand it the messages. With `Executions` in the context, every stop of
 * a run is projected to it.
 */
export const layer = (options: EngineOptions = {}) =>
  Layer.effectContext(
    Effect.gen(function* () {
      const wakes = yield* Wakes;
      return yield* makeEngine(options, "frozen", () => wakes);
    }),
  );

/**
 * An engine that is alone with its journal: wakes are calls, and timers are sleeping fibers of this layer's scope.
 * For tests, benchmarks and single-process use; `redrive` and `fork` take its `Wakes`.
 */
export const layerInProcess = (options: EngineOptions = {}) =>
  Layer.effectContext(
    Effect.gen(function* () {
      const scope = yield* Effect.scope;
      return yield* makeEngine(options, "resident", (lives, complete) =>
        wakesHere(lives, complete, scope),
      );
    }),
  );

export interface TaskEngineOptions extends EngineOptions {
  /** The workflows that this process runs to their ends; all others' wakes are messages. */
  readonly owns: (workflow: string) => boolean;
  /** An own run has yielded because the process was told to stop (see ProcessStop): nobody here runs it on. */
  readonly onYielded: Effect.Effect<void>;
}

/**
 * An engine of a container that was started for one execution: what that one waits for happens here, what it tells others
 * goes to their queues. A run that yields is left to the next container, and to no queue.
 */
export const layerTask = ({ onYielded, owns, ...options }: TaskEngineOptions) =>
  Layer.effectContext(
    Effect.gen(function* () {
      const scope = yield* Effect.scope;
      const messages = yield* Wakes;
      return yield* makeEngine(options, "resident", (lives, complete) => {
        const here = wakesHere(lives, complete, scope);
        return Wakes.of({
          wake: (target, mode, notBeforeEpochMs) =>
            Effect.gen(function* () {
              if (!owns(target.workflow)) {
                return yield* messages.wake(target, mode, notBeforeEpochMs);
              }
              const current = lives.find(target.executionId);
              if (current?.yielding) return yield* onYielded;
              yield* here.wake(target, mode, notBeforeEpochMs);
            }),
          timer: (target) => (owns(target.workflow) ? here.timer(target) : messages.timer(target)),
        });
      });
    }),
  );

/** Wakes as calls, and timers as sleeping fibers of the scope. */
const wakesHere = (
  lives: LiveExecutions,
  complete: CompleteClock,
  scope: Scope.Scope,
): Wakes["Service"] => ({
  wake: (target, mode, notBeforeEpochMs = 0) =>
    Effect.gen(function* () {
      const now = yield* Clock.currentTimeMillis;
      if (notBeforeEpochMs <= now) return yield* lives.wakeHere(target, mode);
      yield* Effect.sleep(notBeforeEpochMs - now).pipe(
        Effect.andThen(lives.wakeHere(target, mode)),
        Effect.forkIn(scope),
      );
    }),
  timer: (target) =>
    Effect.gen(function* () {
      const now = yield* Clock.currentTimeMillis;
      yield* Effect.sleep(Math.max(0, target.wakeAtEpochMs - now));
      yield* complete(target);
    }).pipe(Effect.forkIn(scope), Effect.asVoid),
});

type CompleteClock = (target: {
  readonly workflow: string;
  readonly executionId: string;
  readonly clock: string;
}) => Effect.Effect<void>;

const makeEngine = Effect.fnUntraced(function* (
  options: EngineOptions,
  residency: Residency,
  makeWakes: (lives: LiveExecutions, completeClock: CompleteClock) => Wakes["Service"],
) {
  const journal = yield* Journal;
  const clock = yield* Clock.Clock;
  const adopt = yield* makeAdoption;
  const owner = yield* makeOwner;
  const { restore, spill } = yield* makeValueSpills;
  const outside = Context.make(Clock.Clock, clock).pipe(
    Context.add(Random.Random, yield* Effect.service(Random.Random)),
    Context.add(References.TracerEnabled, yield* References.TracerEnabled),
  );
  let writers = 0;
  const context: RunContext = {
    journal,
    clock,
    owner,
    codeVersion: options.codeVersion ?? "unversioned",
    leaseMs: options.leaseMs ?? defaultLeaseMs,
    replayOnly: options.replayOnly,
    outside,
    spill,
    restore,
    states: new StateCache(),
    nextWriter: () => `${owner}/${++writers}`,
    ...(yield* makeProjection),
    deferreds: WorkflowEngine.makeDeferredState(),
    scopes: makeExecutionScopes(residency),
    adopt: (workflow) => adopt(context, workflow),
    // The two below need what is made from this record; they are only called once it is whole.
    get wakes() {
      return wakes;
    },
    get engine() {
      return engine;
    },
  };
  const lives = new LiveExecutions(context);
  const encoded = makeEncodedEngine(context, lives);
  const engine = makeDecodingEngine(encoded, (activity, attempt) =>
    askForActivity(context, lives, activity, attempt),
  );
  const runner = makeExecutionRunner(context, lives);
  const wakes = makeWakes(lives, (target) => Effect.orDie(Effect.asVoid(runner.timerDue(target))));
  return Context.make(WorkflowEngine.WorkflowEngine, engine).pipe(
    Context.add(ExecutionRunner, runner),
    Context.add(Wakes, wakes),
  );
});

/** A name that no other process has: 128 random bits, from the service that a simulation seeds. */
const makeOwner = Effect.map(
  Effect.replicateEffect(Random.nextIntBetween(0, 2 ** 32), 4),
  (words) => words.map((word) => word.toString(16).padStart(8, "0")).join(""),
);
