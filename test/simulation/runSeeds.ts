/**
 * Spreads seeds over threads and gathers what they found.
 */
import type { FaultPlan } from "@millrace/core/testing/simulation";
import { setFlagsFromString } from "node:v8";
import { Worker } from "node:worker_threads";
import type { Mutant } from "./mutants.ts";
import type { SimulationResult } from "./simulate.ts";

/** Megabytes for what is young in a thread. A world is short-lived: with room for a few, hardly anything of one is copied. */
const youngMb = 64;
setFlagsFromString(`--max-semi-space-size=${youngMb}`);

export interface Task {
  readonly from: number;
  readonly to: number;
  readonly stride: number;
  /** @default what the seed says */
  readonly plan?: FaultPlan | undefined;
  readonly mutant?: Mutant | undefined;
  readonly historyMax: number;
  readonly stopAtViolation: boolean;
}

export type Answer = SimulationResult;

/** Runs one task in a thread; `heard` gets every seed's result. A thread that fails rejects. */
export const runInThread = (task: Task, heard: (answer: Answer) => void): Promise<void> =>
  new Promise((resolve, reject) => {
    const worker = new Worker(new URL("worker.ts", import.meta.url), { workerData: task });
    worker.on("message", heard);
    worker.on("error", reject);
    worker.on("exit", () => resolve());
  });

/** Runs seeds `from` (included) to `to` (excluded) on so many threads. */
export const runSeeds = async (
  options: Omit<Task, "stride"> & { readonly threads: number },
  heard: (answer: Answer) => void,
): Promise<void> => {
  const { from, threads } = options;
  await Promise.all(
    Array.from({ length: threads }, (_, index) =>
      runInThread({ ...options, from: from + index, stride: threads }, heard),
    ),
  );
};
