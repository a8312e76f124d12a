/**
 * The sizes of tasks that Fargate has: to each processor a range of memory, and storage of 20 to 200 GB.
 *
 * Source: Amazon ECS developer guide, "Task CPU and memory" for Fargate (requirement D2.2)
 */

interface TaskSize {
  readonly cpuUnits: number;
  readonly memoryMb: number;
  readonly storageGb: number;
}

interface Memories {
  readonly minMb: number;
  readonly maxMb: number;
  readonly stepMb: number;
}

/** Memory by CPU units. The smallest processor has 512 MB, 1 GB or 2 GB; the others go in steps from least to most. */
const memories: Readonly<Record<number, Memories>> = {
  256: { minMb: 512, maxMb: 2_048, stepMb: 512 },
  512: { minMb: 1_024, maxMb: 4_096, stepMb: 1_024 },
  1_024: { minMb: 2_048, maxMb: 8_192, stepMb: 1_024 },
  2_048: { minMb: 4_096, maxMb: 16_384, stepMb: 1_024 },
  4_096: { minMb: 8_192, maxMb: 30_720, stepMb: 1_024 },
  8_192: { minMb: 16_384, maxMb: 61_440, stepMb: 4_096 },
  16_384: { minMb: 32_768, maxMb: 122_880, stepMb: 8_192 },
};

/** 1,536 MB is the one step that the smallest processor leaves out. */
const isLeftOut = (cpuUnits: number, memoryMb: number): boolean =>
  cpuUnits === 256 && memoryMb === 1_536;

const storageGbRange = [20, 200] as const;

/** Whether there is such a task. */
export const isFargateSize = ({ cpuUnits, memoryMb, storageGb }: TaskSize): boolean => {
  const range = memories[cpuUnits];
  if (!range || !Number.isInteger(storageGb)) return false;
  const [storageGbMin, storageGbMax] = storageGbRange;
  return (
    storageGbMin <= storageGb &&
    storageGb <= storageGbMax &&
    range.minMb <= memoryMb &&
    memoryMb <= range.maxMb &&
    (memoryMb - range.minMb) % range.stepMb === 0 &&
    !isLeftOut(cpuUnits, memoryMb)
  );
};

/** The memory that a processor may have, in words; nothing for a processor that there is not. */
export const memoriesOf = (cpuUnits: number): string | undefined => {
  const range = memories[cpuUnits];
  return range && `${range.minMb} to ${range.maxMb} MB in steps of ${range.stepMb}`;
};

/** The smallest task with at least so much of both; nothing when there is none. */
export const smallestFargateSize = (
  cpuUnitsMin: number,
  memoryMbMin: number,
): { readonly cpuUnits: number; readonly memoryMb: number } | undefined => {
  for (const [units, range] of Object.entries(memories)) {
    const cpuUnits = Number(units);
    if (cpuUnits < cpuUnitsMin || range.maxMb < memoryMbMin) continue;
    const steps = Math.max(0, Math.ceil((memoryMbMin - range.minMb) / range.stepMb));
    const memoryMb = range.minMb + steps * range.stepMb;
    return { cpuUnits, memoryMb: isLeftOut(cpuUnits, memoryMb) ? range.maxMb : memoryMb };
  }
  return undefined;
};
