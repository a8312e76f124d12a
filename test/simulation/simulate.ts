/**
 * One seed, one world, one verdict: a safety phase with faults, a liveness phase without, and then the invariants.
 */
import {
  Engine,
  type Executions,
  type Journal,
  type MessageQueue,
  type ObjectStore,
  type Pipeline,
  QueueWakes,
  type Schedules,
  Sweeper,
  Worker,
} from "@millrace/core";
import {
  type Caller,
  type FaultName,
  type FaultPlan,
  Faults,
  type FunctionHost,
  leaseMs,
  SimulatedExecutions,
  SimulatedFunction,
  SimulatedJournal,
  SimulatedObjectStore,
  SimulatedProcess,
  SimulatedQueues,
  SimulatedSchedules,
  World,
} from "@millrace/core/testing/simulation";
import {
  Buckets,
  CsvToParquet,
  layerCsvToParquet,
  layerHyparquet,
  type ParquetEncoder,
} from "@millrace/workflows";
import { pipelines } from "@millrace/workflows/topology";
import { Effect, Exit, FileSystem, Layer, Scope } from "effect";
import type { WorkflowEngine } from "effect/workflow";
import { checkInvariants, type Violation } from "./invariants.ts";
import { Ledger, type Outside } from "./Ledger.ts";
import { layerOrder, layerPart, Order, orderQueues } from "./orders.ts";
import { Scenario } from "./Scenario.ts";

export interface SimulationOptions {
  readonly seed: number;
  readonly plan: FaultPlan;
  /** How many of the last events to keep for the report of a violation. @default 0 */
  readonly historyMax?: number | undefined;
}

export interface SimulationResult {
  readonly seed: number;
  readonly violations: ReadonlyArray<Violation>;
  readonly executions: number;
  readonly traceHash: string;
  readonly requests: number;
  readonly invocations: number;
  readonly schedules: number;
  readonly steps: number;
  readonly simulatedMs: number;
  readonly faults: ReadonlyArray<readonly [string, number]>;
  readonly history: ReadonlyArray<string>;
}

/** Length of the phase with faults, in milliseconds. */
const safetyMs = 60 * 60_000;
/** Rounds of redrive and waiting in which all must have ended, once faults have stopped. */
const calmRounds = 6;
const calmRoundMs = 45 * 60_000;
/** The sweeper comes this often, in milliseconds. */
const sweepEveryMs = 300_000;
/** Every so many seeds run the real CSV pipeline too, which costs more than the rest together. */
const csvEverySeeds = 8;

const bucketNames = { raw: "raw", clean: "clean", errors: "errors" };

const ordersPipeline: Pipeline = {
  name: "orders",
  trigger: { bucket: "raw", prefix: "incoming/", suffixes: [".json"] },
  bucketName: "raw",
  ...orderQueues,
  workflow: Order,
  payloadOf: (object) => ({ object }),
};

const csvPipeline: Pipeline = {
  name: pipelines.csvToParquet.name,
  trigger: pipelines.csvToParquet.trigger,
  bucketName: "raw",
  queue: pipelines.csvToParquet.name,
  deadLetterQueue: `${pipelines.csvToParquet.name}-dead-letters`,
  workflow: CsvToParquet,
  payloadOf: (object) => ({ object }),
};

/** Faults under which no process dies or stands still, no clock is wrong and no message is lost. */
const harmless: ReadonlySet<string> = new Set<FaultName>([
  "duplicate",
  "answer-lost",
  "throttle",
  "batch",
  "poison",
  "overwrite",
  "delete",
  "slow-down",
  "replay-storm",
  "signal-twice",
  "schedule-twice",
  "schedule-early",
]);

const noFiles = Layer.succeed(FileSystem.FileSystem, FileSystem.makeNoop({}));

/** Runs one seed. */
export const simulate = async (options: SimulationOptions): Promise<SimulationResult> => {
  const scope = Scope.makeUnsafe();
  const journal = Effect.runSync(Scope.provide(SimulatedJournal.make, scope));
  const result = await simulateOver(options, journal);
  Effect.runSync(Scope.close(scope, Exit.void));
  return result;
};

const simulateOver = async (
  { historyMax = 0, plan, seed }: SimulationOptions,
  journal: SimulatedJournal,
): Promise<SimulationResult> => {
  const world = new World(seed);
  world.recentMax = historyMax;
  const faults = new Faults(world, plan);
  const queues = new SimulatedQueues(world, faults);
  const schedules = new SimulatedSchedules(world, faults, queues);
  const objects = new SimulatedObjectStore();
  const executions = new SimulatedExecutions();
  const ledger = new Ledger();
  const defects: Array<string> = [];
  const tally = { nudged: 0, failedMessages: 0 };
  let requests = 0;
  const counted = () => void requests++;
  const outsideOf = (caller: Caller) =>
    Layer.mergeAll(
      journal.layerFor(caller),
      executions.layerFor(caller),
      objects.layerFor(caller),
      queues.layerFor(caller),
      schedules.layerFor(caller),
      ledger.layerFor(caller),
      Layer.succeed(Buckets, bucketNames),
      noFiles,
      layerHyparquet,
    );
  const host = {
    world,
    faults,
    queues,
    counted,
    reportFailure: (text: string) => {
      tally.failedMessages++;
      // A message may come back because something was away, and for no other reason.
      if (faults.rates.size === 0 || !/Unavailable/.test(text)) defects.push(text);
    },
  };
  const makeFunction = (
    pipeline: Pipeline,
    workflows: Layer.Layer<never, never, Outsides | WorkflowEngine.WorkflowEngine>,
  ): SimulatedFunction => {
    const made = new SimulatedFunction(host, {
      name: pipeline.name,
      pipeline,
      services: (caller) =>
        Worker.layer.pipe(
          Layer.provide(workflows),
          Layer.provide(
            Layer.provide(
              Engine.layer(),
              QueueWakes.layerQueue(() => pipeline.queue),
            ),
          ),
          Layer.provide(outsideOf(caller)),
        ),
    });
    queues.add({
      name: pipeline.queue,
      visibilityMs: 6 * leaseMs,
      receivesMax: 3,
      batchMax: 10,
      consume: (batch) => made.invoke(batch),
    });
    return made;
  };
  const functions = [
    makeFunction(ordersPipeline, Layer.merge(layerOrder, layerPart)),
    makeFunction(csvPipeline, layerCsvToParquet),
  ];
  const scenario = new Scenario({ world, faults, queues, schedules, objects, journal, counted });
  scenario.begin(3, seed % csvEverySeeds === 0 ? 1 : 0);
  const sweepLater = (): void => {
    world.after(sweepEveryMs, () => {
      sweepOnce(host, outsideOf, (nudged) => {
        tally.nudged += nudged;
      });
      sweepLater();
    });
  };
  sweepLater();

  let stop = await world.run(safetyMs);
  faults.calm = true;
  for (let round = 0; round < calmRounds && stop !== "stepsMax"; round++) {
    queues.redrive();
    stop = await world.run(world.nowMs + calmRoundMs);
    if (queues.open === 0 && queues.givenUp.length === 0 && allEnded(journal)) break;
  }
  const violations = checkInvariants({
    uploads: scenario.uploads,
    journal,
    objects,
    queues,
    ledger,
    defects,
    stop,
    faultFree: faults.rates.size === 0,
    nudged: tally.nudged,
    failedMessages: tally.failedMessages,
    nothingLost: [...faults.rates.keys()].every((name) => harmless.has(name)),
  });
  return {
    seed,
    violations,
    executions: journal.executionIds.size,
    traceHash: world.traceHash,
    requests,
    invocations: functions.reduce((sum, made) => sum + made.invocations, 0),
    schedules: schedules.made,
    steps: world.steps,
    simulatedMs: world.nowMs,
    faults: [...faults.counts],
    history: world.recent,
  };
};

/** One run of the sweeper in a process of its own, which a fault or the deadline may end. */
const sweepOnce = (
  host: FunctionHost,
  outsideOf: (caller: Caller) => Layer.Layer<Outsides>,
  nudged: (executions: number) => void,
): void => {
  const { faults, world } = host;
  const process = new SimulatedProcess(world, "sweeper");
  const outside = outsideOf({ process, faults, counted: () => undefined });
  const wakes = QueueWakes.layerQueue((workflow) =>
    workflow === CsvToParquet._tag ? csvPipeline.queue : ordersPipeline.queue,
  );
  const swept = Sweeper.sweep().pipe(
    Effect.map((swept) => nudged(swept.nudged)),
    Effect.provide(Layer.provideMerge(wakes, outside)),
    Effect.ignore,
  );
  world.after(leaseMs, () => process.kill());
  process.fork(swept, () => process.kill());
};

const allEnded = (journal: SimulatedJournal): boolean =>
  [...journal.executionIds].every((id) =>
    journal.history(id).some(({ events }) => events.some(({ _tag }) => _tag === "Completed")),
  );

type Outsides =
  | Buckets
  | Executions
  | FileSystem.FileSystem
  | Journal
  | MessageQueue
  | ObjectStore
  | Outside
  | ParquetEncoder
  | Schedules;
