/**
 * Where work is done: in the pipeline's function, or in a task (requirements D1.17, D2.9). Pure; the rule that decided is
 * part of the answer, and so of the history.
 *
 * Units:  `bytesMin` bytes; seconds and megabytes where the name says so
 * Source: AWS Lambda developer guide, "Lambda quotas": 900 seconds, 10,240 MB, no GPU
 */
import { Schema } from "effect";

/** What is known of the work; what is not known decides nothing. */
export interface Work {
  readonly bytes: number;
  /** How long it is expected to take in a function. */
  readonly seconds?: number | undefined;
  readonly memoryMb?: number | undefined;
  readonly gpu?: boolean | undefined;
}

/** A pipeline's rules, as plain data of the topology. */
export interface ComputeRules {
  /** Objects of this size and larger go to the task. @default 100 MB */
  readonly bytesMin?: number;
  /** Work that is expected to take longer does. @default 600: two thirds of the longest invocation */
  readonly secondsMax?: number;
  /** Work that needs more memory does. @default 10,240: the largest function */
  readonly memoryMbMax?: number;
}

const defaults = { bytesMin: 100_000_000, secondsMax: 600, memoryMbMax: 10_240 };

/** The answer: where, by which rule, and the sentence for people. */
export const ComputeChoice = Schema.Struct({
  compute: Schema.Literals(["lambda", "fargate"]),
  rule: Schema.Literals(["gpu", "memory", "time", "size", "fits", "no-task"]),
  because: Schema.String,
});
export type ComputeChoice = typeof ComputeChoice.Type;

const fargate = (rule: ComputeChoice["rule"], because: string): ComputeChoice => ({
  compute: "fargate",
  rule,
  because,
});

/** The first rule that the work breaks decides, the hardest one first. */
export const chooseCompute = (
  { bytes, gpu = false, memoryMb = 0, seconds = 0 }: Work,
  rules: ComputeRules = {},
): ComputeChoice => {
  const { bytesMin, memoryMbMax, secondsMax } = { ...defaults, ...rules };
  if (gpu) {
    return fargate(
      "gpu",
      "functions have no GPU (nor has Fargate: its cluster needs GPU instances)",
    );
  }
  if (memoryMb > memoryMbMax) {
    return fargate("memory", `${memoryMb} MB of memory are more than ${memoryMbMax}`);
  }
  if (seconds > secondsMax) {
    return fargate("time", `${seconds} seconds are more than ${secondsMax}`);
  }
  if (bytes >= bytesMin) return fargate("size", `${bytes} bytes are ${bytesMin} or more`);
  return { compute: "lambda", rule: "fits", because: `${bytes} bytes are less than ${bytesMin}` };
};

/** The choice where there is no task to choose. */
export const withoutTask = (choice: ComputeChoice): ComputeChoice =>
  choice.compute === "lambda"
    ? choice
    : { compute: "lambda", rule: "no-task", because: `${choice.because}, but there is no task` };
