/**
 * What an object of a given size costs to transform in a function and in a task, before one is chosen (requirement D2.8); pure.
 *
 * Source: the speed is that of docs/benchmarks.md, one processor; a function of 1,769 MB has one (AWS Lambda developer
 * guide, "Configure Lambda function memory"). A task takes about 40 seconds until it works (its image's download and start).
 */
import { chooseCompute, type ComputeChoice } from "@millrace/workflows/chooseCompute";
import type { PipelineBase } from "@millrace/workflows/topology";
import { costOfTask } from "./costOfRun.ts";
import { cost, prices } from "./prices.ts";

/**
 * Bytes of CSV per processor second, to be on the safe side: the slowest way, with a declared schema and exact duplicates
 * dropped, on a busy machine. Without a schema it is nearly twice as much.
 */
export const bytesPerCpuSecond = 9_000_000;
const mbPerCpu = 1_769;
const taskStartSeconds = 40;

export interface Estimate {
  readonly where: "lambda" | "fargate spot" | "fargate";
  readonly seconds: number;
  readonly usd: number;
  /** Why it cannot be done there. */
  readonly impossible?: string;
}

export interface Comparison {
  readonly choice: ComputeChoice;
  readonly estimates: ReadonlyArray<Estimate>;
}

export const compareCompute = (bytes: number, pipeline: PipelineBase): Comparison => {
  const { compute, computeRules, task } = pipeline;
  const cpus = Math.min(1, compute.memoryMb / mbPerCpu);
  const work = bytes / bytesPerCpuSecond;
  const seconds = work / cpus;
  const gbSecond =
    compute.architecture === "x86_64" ? prices.lambdaGbSecond : prices.lambdaArmGbSecond;
  const lambda: Estimate = {
    where: "lambda",
    seconds,
    usd: cost(gbSecond, seconds * (compute.memoryMb / 1_024)) + cost(prices.lambdaRequest, 1),
    ...(seconds > compute.timeoutSeconds && {
      impossible: `its function has ${compute.timeoutSeconds} seconds`,
    }),
  };
  const inTask = (spot: boolean): ReadonlyArray<Estimate> => {
    if (!task) return [];
    const taskSeconds = taskStartSeconds + work / Math.min(1, task.cpuUnits / 1_024);
    const usd = costOfTask({ ...task, seconds: taskSeconds, spot });
    return [{ where: spot ? "fargate spot" : "fargate", seconds: taskSeconds, usd }];
  };
  return {
    choice: chooseCompute({ bytes }, computeRules),
    estimates: [lambda, ...inTask(true), ...inTask(false)],
  };
};
