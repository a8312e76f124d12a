/**
 * What is wrong with a topology is said before anything is deployed: all of it at once, each with what to do.
 *
 * AWS would refuse most of it, too, but halfway through a deployment and one thing at a time; and what it does not
 * refuse (a loop, a batch that never ends in time) it runs, and bills.
 */
import { EventPattern } from "@millrace/core";
import { Effect, Schema } from "effect";
import { isTableName } from "./dataset/Dataset.ts";
import { isFargateSize, memoriesOf } from "./fargateSizes.ts";
import { findLoops, findRings } from "./refuseLoops.ts";
import {
  type ChainTopology,
  type PipelineBase,
  type PipelineTopology,
  recordsAtOnce,
  recordSecondsMin,
  type Topology,
  visibilityTimeouts,
} from "./topology.ts";

/** One thing that is wrong. */
export const Finding = Schema.Struct({
  kind: Schema.Literals([
    "loop",
    "duplicate-name",
    "invalid-name",
    "invalid-pattern",
    "invalid-timeout",
    "invalid-memory",
    "invalid-batch",
    "invalid-queue",
    "invalid-task-size",
    "invalid-dataset",
  ]),
  /** Name of the pipeline. */
  pipeline: Schema.String,
  /** What is wrong, and what would be right. */
  message: Schema.String,
});
export type Finding = typeof Finding.Type;

/** The topology cannot be deployed. */
export class TopologyRefused extends Schema.TaggedError<TopologyRefused>()("TopologyRefused", {
  findings: Schema.NonEmptyArray(Finding),
}) {
  readonly failureClass = "permanent";
  override get message(): string {
    const lines = this.findings.map(
      ({ kind, message, pipeline }) => `\n  ${pipeline}: ${message} (${kind})`,
    );
    return `the topology cannot be deployed; nothing was changed. Put right in packages/workflows/src/topology.ts:${lines.join("")}`;
  }
}

/** Fails with all that is wrong; `patternOf` gives the pattern of a pipeline's rule. */
export const checkTopology = Effect.fnUntraced(function* (
  topology: Topology,
  patternOf: (pipeline: PipelineTopology | ChainTopology) => string,
): Effect.fn.Return<void, TopologyRefused> {
  const all = [...topology.pipelines, ...topology.chains];
  const scheduled = [topology.sweeper, topology.reconciler];
  const findings: ReadonlyArray<Finding> = [
    ...loops(topology),
    ...names([...all, ...scheduled]),
    ...all.flatMap((pipeline) => [...compute(pipeline), ...queue(pipeline), ...task(pipeline)]),
    ...datasets(all),
    ...scheduled.flatMap(({ compute, name }) => time(name, compute.timeoutSeconds)),
    ...scheduled.flatMap(({ compute, name }) => memory(name, compute.memoryMb)),
    ...(yield* patterns(all, patternOf)),
  ];
  const [first, ...rest] = findings;
  if (first) return yield* new TopologyRefused({ findings: [first, ...rest] });
});

const loops = ({ chains, pipelines }: Topology): ReadonlyArray<Finding> =>
  [...findLoops(pipelines, chains), ...findRings(pipelines, chains)].map(
    ({ starts, why, writer }) => ({
      kind: "loop",
      pipeline: writer,
      message: `what it writes would start ${starts}: ${why}; give its outputs a bucket or a prefix that no trigger has`,
    }),
  );

/** Longest name: the longest name of a resource of it, with stage and suffix, fits the 64 characters of IAM. */
const nameCharactersMax = 24;
const kebabCase = /^[a-z][a-z0-9]*(-[a-z0-9]+)*$/;

const names = (all: ReadonlyArray<{ readonly name: string }>): ReadonlyArray<Finding> =>
  all.flatMap(({ name }, index) => {
    const found: Array<Finding> = [];
    if (all.findIndex((other) => other.name === name) !== index) {
      found.push({
        kind: "duplicate-name",
        pipeline: name,
        message: "two have this name, and would share a queue; rename one of them",
      });
    }
    if (!kebabCase.test(name) || name.length > nameCharactersMax) {
      found.push({
        kind: "invalid-name",
        pipeline: name,
        message: `a name is kebab case with at most ${nameCharactersMax} characters`,
      });
    }
    return found;
  });

const compute = (pipeline: PipelineBase): ReadonlyArray<Finding> => [
  ...time(pipeline.name, pipeline.compute.timeoutSeconds),
  ...memory(pipeline.name, pipeline.compute.memoryMb),
  ...storage(pipeline),
  ...concurrency(pipeline),
  ...batch(pipeline),
];

/** Longest run of a function, in seconds. Source: AWS Lambda developer guide, "Lambda quotas". */
const timeoutSecondsMax = 900;

const time = (pipeline: string, timeoutSeconds: number): ReadonlyArray<Finding> =>
  isWhole(timeoutSeconds, 1, timeoutSecondsMax)
    ? []
    : [
        {
          kind: "invalid-timeout",
          pipeline,
          message: `a function may run for 1 to ${timeoutSecondsMax} seconds, not ${timeoutSeconds}; what takes longer is work for a task on Fargate`,
        },
      ];

/** Smallest and largest function, in megabytes. Source: as above. */
const memoryMbRange = [128, 10_240] as const;

const memory = (pipeline: string, memoryMb: number): ReadonlyArray<Finding> =>
  isWhole(memoryMb, ...memoryMbRange)
    ? []
    : [
        {
          kind: "invalid-memory",
          pipeline,
          message: `a function may have ${memoryMbRange.join(" to ")} MB of memory, not ${memoryMb}`,
        },
      ];

/** Smallest and largest /tmp, in megabytes. Source: as above. */
const storageMbRange = [512, 10_240] as const;

const storage = ({ compute: { storageMb = 512 }, name }: PipelineBase): ReadonlyArray<Finding> =>
  isWhole(storageMb, ...storageMbRange)
    ? []
    : [
        {
          kind: "invalid-memory",
          pipeline: name,
          message: `/tmp may have ${storageMbRange.join(" to ")} MB, not ${storageMb}`,
        },
      ];

/** Least concurrency that a queue's mapping can be held to. Source: Lambda API reference, ScalingConfig. */
const concurrencyMin = 2;

const concurrency = ({
  compute: { concurrencyMax, provisionedCount = 0 },
  name,
}: PipelineBase): ReadonlyArray<Finding> =>
  isWhole(concurrencyMax, concurrencyMin, 1_000) && isWhole(provisionedCount, 0, concurrencyMax)
    ? []
    : [
        {
          kind: "invalid-batch",
          pipeline: name,
          message: `concurrency is ${concurrencyMin} to 1000, and no more functions are kept warm than may work; it says ${concurrencyMax} and ${provisionedCount}`,
        },
      ];

/** Largest batch that needs no waiting for. Source: AWS Lambda developer guide, "Using Lambda with Amazon SQS". */
const batchSizeMax = 10;

const batch = ({ compute, name }: PipelineBase): ReadonlyArray<Finding> => {
  const { batchSize, messageSeconds = recordSecondsMin, timeoutSeconds } = compute;
  if (!isWhole(batchSize, 1, batchSizeMax)) {
    const message = `a batch has 1 to ${batchSizeMax} messages, not ${batchSize}`;
    return [{ kind: "invalid-batch", pipeline: name, message }];
  }
  const neededSeconds = Math.ceil(batchSize / recordsAtOnce) * messageSeconds;
  if (neededSeconds <= timeoutSeconds) return [];
  const message =
    `${batchSize} messages of ${messageSeconds} s, ${recordsAtOnce} side by side, take ${neededSeconds} s, ` +
    `and the function has ${timeoutSeconds} s: make the batch smaller or the timeout longer`;
  return [{ kind: "invalid-batch", pipeline: name, message }];
};

/** Longest retention of a queue, in seconds. Source: SQS API reference, MessageRetentionPeriod. */
const retentionSecondsMax = 1_209_600;

const queue = ({ compute, name, queue }: PipelineBase): ReadonlyArray<Finding> => {
  const hiddenSeconds = visibilityTimeouts * compute.timeoutSeconds * queue.receiveCountMax;
  if (!isWhole(queue.receiveCountMax, 1, 1_000)) {
    const message = `a message is received 1 to 1000 times, not ${queue.receiveCountMax}`;
    return [{ kind: "invalid-queue", pipeline: name, message }];
  }
  if (isWhole(queue.retentionSeconds, hiddenSeconds, retentionSecondsMax)) return [];
  const message =
    `the queue keeps messages for ${queue.retentionSeconds} s; it must be ${hiddenSeconds} s at least ` +
    `(${queue.receiveCountMax} receives, each hidden for ${visibilityTimeouts} timeouts), or messages are lost before ` +
    `they reach the dead-letter queue, and ${retentionSecondsMax} s at most`;
  return [{ kind: "invalid-queue", pipeline: name, message }];
};

const task = ({ name, task }: PipelineBase): ReadonlyArray<Finding> => {
  if (!task || isFargateSize(task)) return [];
  const memories = memoriesOf(task.cpuUnits);
  const right = memories ? `with that processor: ${memories}` : "processors: 256 to 16384";
  const message = `Fargate has no task of ${task.cpuUnits} CPU units, ${task.memoryMb} MB and ${task.storageGb} GB (${right}; storage 20 to 200 GB)`;
  return [{ kind: "invalid-task-size", pipeline: name, message }];
};

const datasets = (all: ReadonlyArray<PipelineBase>): ReadonlyArray<Finding> => {
  const writers = all.flatMap(({ dataset, name }) =>
    dataset === undefined ? [] : [{ name, table: dataset.table }],
  );
  return writers.flatMap(({ name, table }, index): ReadonlyArray<Finding> => {
    const refuse = (message: string): ReadonlyArray<Finding> => [
      { kind: "invalid-dataset", pipeline: name, message },
    ];
    if (!isTableName(table))
      return refuse(
        `${JSON.stringify(table)} is no name of a table: take lower-case letters, digits and _, a letter first, at most 100`,
      );
    const first = writers.findIndex((other) => other.table === table);
    return first === index
      ? []
      : refuse(`its table ${table} is that of ${writers[first]?.name} already; name another`);
  });
};

const patterns = (
  all: ReadonlyArray<PipelineTopology | ChainTopology>,
  patternOf: (pipeline: PipelineTopology | ChainTopology) => string,
) =>
  Effect.forEach(all, (pipeline) =>
    EventPattern.compile(patternOf(pipeline)).pipe(
      Effect.as<ReadonlyArray<Finding>>([]),
      Effect.catchTag("InvalidEventPattern", ({ message }) =>
        Effect.succeed<ReadonlyArray<Finding>>([
          { kind: "invalid-pattern", pipeline: pipeline.name, message },
        ]),
      ),
    ),
  ).pipe(Effect.map((found) => found.flat()));

const isWhole = (value: number, min: number, max: number): boolean =>
  Number.isInteger(value) && min <= value && value <= max;
