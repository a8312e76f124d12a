/**
 * The load, and what is measured under it. Medians over `runs`; one line of figures per engine.
 *
 * Wall time is on whatever machine this is: compare engines that ran in the same run, and their processor time first.
 */
import { readFileSync } from "node:fs";
import {
  type Job,
  type Kind,
  type Subject,
  stepsPerSuspension,
  takeTrack,
  waitMs,
} from "./Subject.ts";

/** The load's sizes. */
const workflows = 200;
const workflowsAtOnce = 20;
const stepsPerWorkflow = 10;
const fan = 100;
const steps = 1_000;
const stepsMany = 10_000;

const round = (value: number, digits = 2): number => Number(value.toFixed(digits));

const median = (values: ReadonlyArray<number>): number | null =>
  values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)] ?? null;

const medianOf = (values: ReadonlyArray<number>, digits?: number): number | null => {
  const middle = median(values.filter((value) => !Number.isNaN(value)));
  return middle === null ? null : round(middle, digits);
};

let jobs = 0;
const newJob = (kind: Kind, count: number): Job => ({
  id: `${kind}-${process.pid}-${Date.now().toString(36)}-${++jobs}`,
  kind,
  steps: count,
});

/** Processor time of this process and of the subject's own, in milliseconds. */
const processorMs = (subject: Subject): number => {
  const { system, user } = process.cpuUsage();
  const others = (subject.processIds?.() ?? []).map((pid) => {
    // Fields 14 and 15 of proc(5), in ticks of 10 ms; the name in field 2 may hold blanks.
    const text = readFileSync(`/proc/${pid}/stat`, "utf8");
    const fields = text.slice(text.lastIndexOf(")") + 2).split(" ");
    return (Number(fields[11]) + Number(fields[12])) * 10;
  });
  return (user + system) / 1_000 + others.reduce((sum, ms) => sum + ms, 0);
};

/** Many short workflows, some at a time. */
const runMany = async (subject: Subject, count: number) => {
  let left = count;
  const worker = async (): Promise<void> => {
    while (left-- > 0) {
      const job = newJob("sequence", stepsPerWorkflow);
      await subject.run(job);
      const ran = takeTrack(job.id).stepsAtMs.length;
      if (ran !== stepsPerWorkflow) {
        throw new Error(`${subject.engine}: ${ran} bodies ran for ${stepsPerWorkflow} steps`);
      }
    }
  };
  const before = { ms: performance.now(), processorMs: processorMs(subject) };
  await Promise.all(Array.from({ length: workflowsAtOnce }, worker));
  const stepsRun = count * stepsPerWorkflow;
  return {
    stepsPerSecond: (stepsRun * 1_000) / (performance.now() - before.ms),
    cpuMsPerStep: (processorMs(subject) - before.processorMs) / stepsRun,
  };
};

/** One workflow. */
const runOne = async (subject: Subject, kind: Kind, count: number) => {
  const job = newJob(kind, count);
  const beforeMs = performance.now();
  await subject.run(job);
  const ms = performance.now() - beforeMs;
  const { entries, stepsAtMs } = takeTrack(job.id);
  /** Time between the bodies of two steps. */
  const spanMs = (from: number, to: number) =>
    (stepsAtMs[to] ?? Number.NaN) - (stepsAtMs[from] ?? Number.NaN);
  return { ms, entries, bodies: stepsAtMs.length, spanMs };
};

type One = Awaited<ReturnType<typeof runOne>>;

/** Time of the last tenth of the steps over that of the first, durable waits subtracted. */
const lastOverFirstTenth = ({ spanMs }: One, count: number, waitsPerTenth = 0): number => {
  const tenth = count / 10;
  const waits = waitsPerTenth * waitMs;
  return (spanMs(count - 1 - tenth, count - 1) - waits) / (spanMs(0, tenth) - waits);
};

const msPerStepByTenth = ({ spanMs }: One, count: number): ReadonlyArray<number> =>
  Array.from({ length: 10 }, (_, tenth) => {
    const from = (count / 10) * tenth;
    const to = Math.min(count - 1, from + count / 10);
    return round(spanMs(from, to) / (to - from), 3);
  });

const measureOnce = async (subject: Subject) => {
  const leavesOut = (load: Subject["leavesOut"][number]) => subject.leavesOut.includes(load);
  return {
    many: await runMany(subject, workflows),
    fanned: await runOne(subject, "fan", fan),
    sequence: await runOne(subject, "sequence", steps),
    resumed: leavesOut("resume") ? undefined : await runOne(subject, "resume", steps),
    suspending: leavesOut("suspending") ? undefined : await runOne(subject, "suspending", steps),
    sequenceMany: leavesOut("steps10000")
      ? undefined
      : await runOne(subject, "sequence", stepsMany),
  };
};

/** An engine that kept the run in memory over its waits has shown nothing about resuming. */
const letGo = ({ entries }: One): boolean => entries > 1;

/** From the last step before the wait to the first one after it, without the wait. */
const resumeMs = ({ spanMs }: One): number => spanMs(steps - 1, steps) - waitMs;

/** Measures an engine and closes it. */
export const measure = async (subject: Subject, runs: number) => {
  // Compiled and warm before anything counts: each load once, or its first run is measured with the compiler's time.
  await measureOnce(subject);
  const all: Array<Awaited<ReturnType<typeof measureOnce>>> = [];
  for (let run = 1; run <= runs; run++) {
    all.push(await measureOnce(subject));
    process.stderr.write(
      `${subject.engine}: run ${run} of ${runs}, ${round(all.at(-1)?.many.stepsPerSecond ?? 0, 0)} steps/s\n`,
    );
  }
  const kept = <A>(pick: (one: (typeof all)[number]) => A | undefined): ReadonlyArray<A> =>
    all.flatMap((one) => pick(one) ?? []);
  const resumed = kept((one) => one.resumed).filter(letGo);
  const suspending = kept((one) => one.suspending).filter(letGo);
  const sequenceMany = kept((one) => one.sequenceMany);
  const last = all.at(-1);
  const figures = {
    engine: subject.engine,
    version: subject.version,
    durability: subject.durability,
    runs,
    stepsPerSecond: medianOf(
      all.map(({ many }) => many.stepsPerSecond),
      0,
    ),
    cpuMsPerStep: medianOf(
      all.map(({ many }) => many.cpuMsPerStep),
      3,
    ),
    fan100Ms: medianOf(
      all.map(({ fanned }) => fanned.ms),
      1,
    ),
    steps1000Ms: medianOf(
      all.map(({ sequence }) => sequence.ms),
      0,
    ),
    lastOverFirstTenth: medianOf(all.map(({ sequence }) => lastOverFirstTenth(sequence, steps))),
    lastOverFirstTenthSuspending: medianOf(
      suspending.map((one) => lastOverFirstTenth(one, steps, steps / 10 / stepsPerSuspension)),
    ),
    resumeMs: medianOf(resumed.map(resumeMs), 1),
    steps10000Ms: medianOf(
      sequenceMany.map(({ ms }) => ms),
      0,
    ),
    lastOverFirstTenth10000: medianOf(
      sequenceMany.map((one) => lastOverFirstTenth(one, stepsMany)),
    ),
    msPerStepByTenth10000: sequenceMany.slice(-1).map((one) => msPerStepByTenth(one, stepsMany))[0],
    writesPerExecution: (await subject.writesPerExecution?.()) ?? null,
    bodiesRun: {
      fan100: last?.fanned.bodies,
      steps1000: last?.sequence.bodies,
      resume: last?.resumed?.bodies,
      suspending: last?.suspending?.bodies,
      steps10000: last?.sequenceMany?.bodies,
    },
    runsOfBody: { resume: last?.resumed?.entries, suspending: last?.suspending?.entries },
  };
  await subject.close();
  return figures;
};
