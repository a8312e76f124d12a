/**
 * One seed, one world, one verdict: a safety phase with faults, a liveness phase without, and then the invariants.
 */
import { Engine, type Pipeline, QueueWakes, Tasks, Worker } from "@millrace/core";
import {
  type Caller,
  type FaultName,
  type FaultPlan,
  Faults,
  leaseMs,
  SimulatedBus,
  SimulatedExecutions,
  SimulatedFunction,
  SimulatedHeads,
  SimulatedJournal,
  SimulatedLargeValues,
  SimulatedObjectStore,
  SimulatedQueues,
  SimulatedSchedules,
  SimulatedTasks,
  World,
} from "@millrace/core/testing/simulation";
import { Buckets, layerCsvToParquet, layerHyparquet } from "@millrace/workflows";
import { layerDailySales } from "@millrace/workflows/DailySales";
import { Effect, Exit, FileSystem, Layer, Scope } from "effect";
import type { WorkflowEngine } from "effect/workflow";
import { checkReplays } from "./checkReplays.ts";
import { checkInvariants, type Violation } from "./invariants.ts";
import { Ledger } from "./Ledger.ts";
import { layerInvoice } from "./invoices.ts";
import { layerNewest } from "./layerNewest.ts";
import { isParked, Operator } from "./Operator.ts";
import { type Edition, editions, layerOrder, layerPart } from "./orders.ts";
import { salesPipeline, salesTask } from "./sales.ts";
import { Scenario } from "./Scenario.ts";
import {
  bucketNames,
  csvPipeline,
  invoicesPipeline,
  ordersPipeline,
  type Outsides,
} from "./simulatedPipelines.ts";

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
/** How often is looked whether all have, in milliseconds: from then on there is only the sweeper to simulate. */
const calmLookMs = 5 * 60_000;
/** Deployments of other code, and within which time, in milliseconds. */
const deployments = 4;
const deploymentsWithinMs = 1_200_000;
/**
 * Orders that arrive in the hour, one of these by chance. What goes wrong between several faults goes wrong with one order or two
 * as well: small worlds leave time for more seeds. A fault by itself strikes rarely, and gets the largest world.
 */
const orderCounts = [1, 1, 2, 3];
const ordersMax = 3;
/** Every so many seeds all histories are replayed at the end. */
const replayEverySeeds = 32;
/** Every so many seeds run the real CSV pipeline too, which costs more than the rest together. */
const csvEverySeeds = 16;
/** Every so many seeds run the real pipeline of a day's sales, with its containers: a prime, to meet every kind of plan. */
const salesEverySeeds = 11;

/** Every so many seeds the orders are wanted in their newest version only, and every so many they are invoiced. */
const newestEverySeeds = 3;
const invoicesEverySeeds = 6;

/** Faults under which no process dies or stands still, no clock is wrong, and no message or row of the index is lost. */
const harmless: ReadonlySet<string> = new Set<FaultName>([
  "duplicate",
  "answer-lost",
  "batch",
  "poison",
  "overwrite",
  "delete",
  "slow-down",
  "replay-storm",
  "signal-twice",
  "schedule-twice",
  "schedule-early",
  "bus-fails",
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
  const values = new SimulatedLargeValues();
  const bus = new SimulatedBus();
  const heads = new SimulatedHeads();
  const executions = new SimulatedExecutions();
  const ledger = new Ledger();
  const defects: Array<string> = [];
  const sold = seed % salesEverySeeds === 2;
  const newest = seed % newestEverySeeds === 0;
  const invoiced = seed % invoicesEverySeeds === 0;
  let deployed: Edition = "today";
  let failedMessages = 0;
  let requests = 0;
  const counted = () => void requests++;
  const outsideOf = (caller: Caller) =>
    Layer.mergeAll(
      journal.layerFor(caller),
      executions.layerFor(caller),
      objects.layerFor(caller),
      values.layerFor(caller),
      bus.layerFor(caller),
      heads.layerFor(caller),
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
      failedMessages++;
      // A message may come back because something was away or is damaged, and for no other reason.
      const expected = journal.damaged.size > 0 ? /Unavailable|JournalCorrupt/ : /Unavailable/;
      if (faults.rates.size === 0 || !expected.test(text)) defects.push(text);
    },
  };
  const tasks = new SimulatedTasks(host, {
    queue: salesPipeline.queue,
    work: salesTask(outsideOf),
  });
  const makeFunction = (
    pipeline: Pipeline,
    workflows: (
      caller: Caller,
    ) => Layer.Layer<never, never, Outsides | WorkflowEngine.WorkflowEngine>,
  ): SimulatedFunction => {
    const made = new SimulatedFunction(host, {
      name: pipeline.name,
      pipeline,
      services: (caller) =>
        (newest ? layerNewest : Worker.layer).pipe(
          Layer.provide(workflows(caller)),
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
    makeFunction(ordersPipeline, () => Layer.merge(layerOrder(deployed), layerPart)),
    makeFunction(csvPipeline, () => Layer.provide(layerCsvToParquet, Tasks.layerNone)),
    ...(sold
      ? [
          makeFunction(salesPipeline, (caller) =>
            Layer.provide(Layer.orDie(layerDailySales), tasks.layerFor(caller)),
          ),
        ]
      : []),
    ...(invoiced ? [makeFunction(invoicesPipeline, () => layerInvoice)] : []),
  ];
  if (invoiced) bus.follow((envelope) => queues.put(invoicesPipeline.queue, envelope));
  const scenario = new Scenario({
    world,
    faults,
    queues,
    schedules,
    objects,
    values,
    journal,
    counted,
  });
  const orders =
    plan._tag === "Single" ? ordersMax : orderCounts[world.prng.below(orderCounts.length)];
  scenario.begin(orders ?? ordersMax, seed % csvEverySeeds === 0 ? 1 : 0, sold ? 1 : 0);
  const operator = new Operator(host, outsideOf);
  operator.sweepRegularly();
  operator.pauseNowAndThen(queues, [ordersPipeline.queue, csvPipeline.queue], safetyMs);
  operator.redriveNowAndThen(journal, safetyMs);
  const deploy = (edition: Edition): void => {
    deployed = edition;
    for (const made of functions) made.retireAll();
  };
  const codeChanges = faults.isOn("changed-code");
  const deploymentsNow = codeChanges ? deployments : 0;
  for (let deployment = 0; deployment < deploymentsNow; deployment++) {
    world.after(world.prng.between(0, deploymentsWithinMs), () => {
      deploy(editions[world.prng.below(editions.length)] ?? "today");
    });
  }

  const isOver = (): boolean =>
    queues.open === 0 &&
    (queues.givenUp.length === 0 || journal.damaged.size > 0) &&
    allEnded(journal);
  let stop = await world.run(safetyMs);
  faults.calm = true;
  const rounds = codeChanges ? calmRounds + 2 * editions.length : calmRounds;
  for (let round = 0; round < rounds && stop !== "stepsMax"; round++) {
    // Code that made a history is back some day, and what was parked then goes on.
    deploy(codeChanges ? (editions[round % editions.length] ?? "today") : "today");
    queues.redrive();
    if (codeChanges) operator.redriveAll(journal, isParked);
    const untilMs = world.nowMs + calmRoundMs;
    do {
      stop = await world.run(world.nowMs + calmLookMs);
    } while (world.nowMs < untilMs && stop !== "stepsMax" && !isOver());
    if (isOver()) break;
  }
  const violations = checkInvariants({
    uploads: scenario.uploads,
    journal,
    objects,
    queues,
    ledger,
    announced: bus.told,
    launchedTwice: tasks.repeated,
    superseded: heads.superseded,
    newest,
    invoiced,
    defects,
    stop,
    faultFree: faults.rates.size === 0,
    values,
    nudged: operator.nudged,
    failedMessages,
    nothingLost: [...faults.rates.keys()].every((name) => harmless.has(name)),
  });
  const replayed =
    seed % replayEverySeeds === 0 && !codeChanges ? await checkReplays(journal, values) : [];
  return {
    seed,
    violations: [...violations, ...replayed],
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

/** A damaged history is not run on, and has no end that anybody could read. */
const allEnded = (journal: SimulatedJournal): boolean =>
  [...journal.executionIds].every((id) => journal.damaged.has(id) || journal.ended.has(id));
