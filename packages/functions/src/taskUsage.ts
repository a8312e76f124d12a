/**
 * What this container has used, against what it was allotted (requirement D2.7).
 *
 * The peak of the whole container is the cgroup's; outside of one, the process's own. What was allotted, the container is
 * told by its environment.
 */
import type { FargateTask } from "@millrace/core";
import { Config, Effect, FileSystem, Option, Schema } from "effect";
import { variables } from "./Environment.ts";

/** The greatest memory of the container so far, where the kernel counts it (cgroup 2). */
const cgroupPeakFile = "/sys/fs/cgroup/memory.peak";

const allotted = Config.all({
  cpuUnits: Config.option(Config.Finite(variables.taskCpuUnits)),
  memoryMb: Config.option(Config.Finite(variables.taskMemoryMb)),
});

const microsecondsPerSecond = 1_000_000;

/** So far; on spare capacity or not. */
export const taskUsage = Effect.fnUntraced(function* (spot: boolean) {
  const { cpuUnits, memoryMb } = yield* allotted;
  const { maxRSS, systemCPUTime, userCPUTime } = process.resourceUsage();
  const inContainer = Option.isSome(cpuUnits);
  const usage: FargateTask.TaskUsage = {
    seconds: round(process.uptime()),
    cpuSeconds: round((userCPUTime + systemCPUTime) / microsecondsPerSecond),
    memoryBytesMax: Math.max(maxRSS * 1_024, inContainer ? yield* cgroupPeak : 0),
    ...(Option.isSome(cpuUnits) && { cpuUnits: cpuUnits.value }),
    ...(Option.isSome(memoryMb) && { memoryMb: memoryMb.value }),
    spot,
  };
  return usage;
});

const round = (seconds: number): number => Math.round(seconds * 1_000) / 1_000;

const decodeBytes = Schema.decodeUnknownOption(Schema.FiniteFromString);

const cgroupPeak = Effect.gen(function* () {
  const files = yield* FileSystem.FileSystem;
  const text = yield* files.readFileString(cgroupPeakFile);
  return Option.getOrElse(decodeBytes(text.trim()), () => 0);
}).pipe(Effect.orElseSucceed(() => 0));
