/**
 * What one execution cost to compute, and what size would have been enough, read from its history (requirements D2.7, D2.8); pure.
 *
 *   function   from the start of each run to its stop, times the memory of its pipeline's function; one request for each
 *   task       from a launch to its end, by vCPU-hours and GB-hours, a minute at least; spare capacity at its discount
 *
 * Journal, queues and storage are not in it: `millrace cost` has them.
 *
 * Source: AWS Fargate pricing: from the start of the image's download to the end of the task, by the second, one minute
 * at least
 */
import { type Commit, FargateTask, type HistoryEvent } from "@millrace/core";
import { smallestFargateSize } from "@millrace/workflows/fargateSizes";
import type { PipelineBase } from "@millrace/workflows/topology";
import { Schema } from "effect";
import { cost, fargateSpotDiscountMax, prices } from "./prices.ts";

export interface TaskRun {
  readonly launch: string;
  readonly seconds: number;
  readonly cpuUnits: number;
  readonly memoryMb: number;
  readonly spot: boolean;
  readonly usd: number;
  /** What it used, where it came to tell. */
  readonly usage?: FargateTask.TaskUsage;
}

export interface RunCost {
  readonly functions: {
    readonly runs: number;
    readonly gbSeconds: number;
    readonly usd: number;
  };
  readonly tasks: ReadonlyArray<TaskRun>;
  readonly usd: number;
  /** The smallest task that would have been enough, with a quarter to spare. */
  readonly suggestion?: { readonly cpuUnits: number; readonly memoryMb: number };
}

const gb = 1_024;
const unitsPerCpu = 1_024;
const taskSecondsMin = 60;
const spare = 1.25;

/** Of an execution of this pipeline; one that ran in a container is paid for by whoever launched it. */
export const costOfRun = (commits: ReadonlyArray<Commit>, pipeline: PipelineBase): RunCost => {
  const events = commits.flatMap((commit) => commit.events);
  const isTasks = events.some(
    (event) => event._tag === "ExecutionStarted" && event.workflow === pipeline.task?.workflow,
  );
  const spans = isTasks ? [] : runSeconds(events);
  const gbSeconds = spans.reduce((sum, one) => sum + one, 0) * (pipeline.compute.memoryMb / gb);
  const gbSecond =
    pipeline.compute.architecture === "x86_64" ? prices.lambdaGbSecond : prices.lambdaArmGbSecond;
  const functionsUsd = cost(gbSecond, gbSeconds) + cost(prices.lambdaRequest, spans.length);
  const tasks = taskRuns(events, pipeline);
  const suggestion = suggestionOf(tasks);
  return {
    functions: { runs: spans.length, gbSeconds, usd: functionsUsd },
    tasks,
    usd: functionsUsd + tasks.reduce((sum, { usd }) => sum + usd, 0),
    ...(suggestion && { suggestion }),
  };
};

const stops: ReadonlySet<string> = new Set(["Suspended", "Completed", "RunYielded"]);

/** From each start of a run to its stop, or to the last that is known of it. */
const runSeconds = (events: ReadonlyArray<HistoryEvent>): ReadonlyArray<number> => {
  const seconds: Array<number> = [];
  let began: number | undefined;
  let last = 0;
  const stop = (epochMs: number) => {
    if (began !== undefined) seconds.push(Math.max(0, epochMs - began) / 1_000);
    began = undefined;
  };
  for (const event of events) {
    if (event._tag === "RunStarted") {
      stop(last);
      began = event.atEpochMs;
    }
    last = event.atEpochMs;
    if (stops.has(event._tag)) stop(event.atEpochMs);
  }
  stop(last);
  return seconds;
};

const isLaunched = Schema.is(
  Schema.Struct({
    exit: Schema.Struct({
      value: Schema.Struct({ redrives: Schema.Int, spot: Schema.Boolean, task: Schema.String }),
    }),
  }),
);
const isEnded = Schema.is(Schema.Struct({ value: FargateTask.TaskEnd }));

const taskRuns = (
  events: ReadonlyArray<HistoryEvent>,
  { task }: PipelineBase,
): ReadonlyArray<TaskRun> =>
  events.flatMap((event) => {
    if (!(event._tag === "ActivityCompleted" && isLaunched(event.result))) return [];
    const { redrives, spot } = event.result.exit.value;
    const deferred = FargateTask.deferredOfLaunch(event.name, redrives);
    const end = events.find((one) => one._tag === "DeferredDone" && one.name === deferred);
    if (end?._tag !== "DeferredDone") return [];
    const { usage } = isEnded(end.exit) ? end.exit.value : {};
    const cpuUnits = usage?.cpuUnits ?? task?.cpuUnits ?? 0;
    const memoryMb = usage?.memoryMb ?? task?.memoryMb ?? 0;
    const seconds = Math.max(taskSecondsMin, (end.atEpochMs - event.atEpochMs) / 1_000);
    const usd = costOfTask({ cpuUnits, memoryMb, seconds, spot });
    return [
      { launch: event.name, seconds, cpuUnits, memoryMb, spot, usd, ...(usage && { usage }) },
    ];
  });

/** What a container costs that runs for so long. */
export const costOfTask = ({
  cpuUnits,
  memoryMb,
  seconds,
  spot,
}: Pick<TaskRun, "cpuUnits" | "memoryMb" | "seconds" | "spot">): number => {
  const hours = Math.max(taskSecondsMin, seconds) / 3_600;
  const list =
    cost(prices.fargateCpuHour, (hours * cpuUnits) / unitsPerCpu) +
    cost(prices.fargateGbHour, (hours * memoryMb) / gb);
  return spot ? list * (1 - fargateSpotDiscountMax) : list;
};

const suggestionOf = (tasks: ReadonlyArray<TaskRun>): RunCost["suggestion"] => {
  const used = tasks.flatMap(({ usage }) => usage ?? []);
  if (used.length === 0) return undefined;
  const memoryMb = Math.max(...used.map(({ memoryBytesMax }) => memoryBytesMax / gb / gb));
  const cpus = Math.max(...used.map(({ cpuSeconds, seconds }) => cpuSeconds / seconds));
  return smallestFargateSize(cpus * unitsPerCpu * spare, memoryMb * spare);
};

const usdText = (usd: number): string => `${usd.toFixed(usd < 0.01 ? 6 : 4)} USD`;

/** As `show` prints it. */
export const renderRunCost = ({ functions, suggestion, tasks, usd }: RunCost): Array<string> => [
  `cost: ${usdText(usd)} (list prices; journal, queues and storage not counted)`,
  ...(functions.runs === 0
    ? []
    : [
        `  function: ${functions.runs} runs, ${functions.gbSeconds.toFixed(2)} GB-s, ${usdText(functions.usd)}`,
      ]),
  ...tasks.map(
    ({ cpuUnits, launch, memoryMb, seconds, spot, usd: own }) =>
      `  ${launch}: ${cpuUnits / unitsPerCpu} vCPU, ${memoryMb} MB, ${seconds.toFixed(0)} s${spot ? " on Spot" : ""}, ${usdText(own)}`,
  ),
  ...tasks.flatMap(({ usage }) => (usage ? [usageText(usage)] : [])),
  ...(suggestion
    ? [`  enough would be: ${suggestion.cpuUnits / unitsPerCpu} vCPU, ${suggestion.memoryMb} MB`]
    : []),
];

const usageText = (usage: FargateTask.TaskUsage): string => {
  const memory = `${(usage.memoryBytesMax / gb / gb).toFixed(0)} MB${usage.memoryMb === undefined ? "" : ` of ${usage.memoryMb}`}`;
  const cpus = usage.cpuSeconds / usage.seconds;
  const allotted = usage.cpuUnits === undefined ? "" : ` of ${usage.cpuUnits / unitsPerCpu}`;
  return `  used: ${cpus.toFixed(2)} vCPU${allotted}, ${memory}, in ${usage.seconds.toFixed(0)} s`;
};
