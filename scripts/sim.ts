/**
 * `npm run sim`: the engine in a seeded world, for as many seeds as one has time for.
 *
 *   npm run sim -- --seeds 10000 [--seed K] [--fault NAME|none|swarm] [--low] [--json]
 *   npm run sim -- --mutants [--json]
 *
 * `--seed` is the first seed; with `--seeds 1` it reproduces one run. The last line is one JSON object with `--json`.
 */
import { availableParallelism } from "node:os";
import {
  type FaultPlan,
  faultNames,
  isFaultName,
  swarmRateMax,
} from "@millrace/core/testing/simulation";
import { type Mutant, mutants } from "../test/simulation/mutants.ts";
import { lowRates } from "../test/simulation/planOf.ts";
import { type Answer, runInThread, runSeeds } from "../test/simulation/runSeeds.ts";
import { readOptions, refuseWith } from "./readOptions.ts";

/** Names one after the other, in lines of at most a hundred characters that begin with the margin. */
const inLines = (names: ReadonlyArray<string>, margin: string): string => {
  const lines = [""];
  for (const name of names) {
    const line = lines.at(-1) ?? "";
    if (line.length + name.length < 84)
      lines[lines.length - 1] = line === "" ? name : `${line}, ${name}`;
    else lines.push(name);
  }
  return lines.join(`,\n${margin}`);
};

const usage = `usage: npm run sim -- [options]
  --seeds N     How many seeds, each a world with faults of its own (default 1000)
  --seed K      The first of them (default 1); with --seeds 1 it repeats that run
  --fault NAME  The same faults in every world: none, swarm (many kinds), or one of
                ${inLines(faultNames, "                ")}
  --low         All faults, at rates that an ordinary day has
  --mutants     Breaks the engine's code in known ways instead, one by one: each has to be noticed
  --only TEXT   With --mutants: only those whose name has the text
  --json        The last line as JSON

For example: npm run sim -- --seeds 10000 --seed 4711
Exit codes: 0 nothing was violated (every mutant was caught); 1 something was; 2 wrong usage.
`;

const refuse = refuseWith(usage);

const values = readOptions(
  {
    seeds: { type: "string", default: "1000" },
    seed: { type: "string", default: "1" },
    fault: { type: "string" },
    low: { type: "boolean", default: false },
    json: { type: "boolean", default: false },
    mutants: { type: "boolean", default: false },
    only: { type: "string" },
    help: { type: "boolean", default: false },
  },
  usage,
);

const isCount = (text: string): boolean => Number.isSafeInteger(Number(text)) && Number(text) > 0;

/** Seeds that a mutant has to be caught within. */
const mutantSeeds = 2_000;
/** Events of a violating run that are printed. */
const historyShown = 40;

const say = (text: string): void => void process.stdout.write(`${text}\n`);

const planAsked = (): FaultPlan | undefined => {
  if (values.low) return lowRates;
  if (values.fault === undefined) return undefined;
  if (values.fault === "none") return { _tag: "None" };
  if (values.fault === "swarm") return { _tag: "Swarm", rateMax: swarmRateMax };
  if (isFaultName(values.fault)) return { _tag: "Single", fault: values.fault };
  return refuse(`--fault ${values.fault}: there is no such fault`);
};

const bar = (done: number, all: number, note: string): void => {
  if (!process.stdout.isTTY || values.json) return;
  const filled = Math.round((done / all) * 30);
  process.stdout.write(
    `\r${"█".repeat(filled)}${"░".repeat(30 - filled)} ${done}/${all} ${note.padEnd(24)}`,
  );
  if (done === all) process.stdout.write("\n");
};

const report = (answer: Answer): void => {
  say(`\nseed ${answer.seed}: ${answer.violations.length} violations`);
  say(`  faults: ${answer.faults.map(([name, times]) => `${name} x${times}`).join(", ")}`);
  for (const { about, invariant, what } of answer.violations)
    say(`  ${invariant} ${about}: ${what}`);
  for (const line of answer.history.slice(-historyShown)) say(line);
  say(`  again: npm run sim -- --seeds 1 --seed ${answer.seed}`);
};

const fnv = (texts: ReadonlyArray<string>): string => {
  let hash = 2_166_136_261;
  for (const text of texts) {
    for (let index = 0; index < text.length; index++) {
      hash = Math.imul(hash ^ text.charCodeAt(index), 16_777_619);
    }
  }
  return (hash >>> 0).toString(16).padStart(8, "0");
};

const simulateSeeds = async (): Promise<boolean> => {
  const seeds = Number(values.seeds);
  const from = Number(values.seed);
  const startedMs = performance.now();
  const hashes: Array<string> = [];
  let [done, violations, executions, requests, invocations] = [0, 0, 0, 0, 0];
  const threads = Math.min(seeds, availableParallelism());
  const task = {
    from,
    to: from + seeds,
    plan: planAsked(),
    historyMax: 2_000,
    stopAtViolation: false,
  };
  await runSeeds({ ...task, threads }, (answer) => {
    hashes[answer.seed - from] = answer.traceHash;
    executions += answer.executions;
    requests += answer.requests;
    invocations += answer.invocations;
    violations += answer.violations.length;
    if (answer.violations.length > 0) report(answer);
    bar(++done, seeds, `${violations} violations`);
  });
  const ms = Math.round(performance.now() - startedMs);
  const summary = { seeds: done, violations, executions, traceHash: fnv(hashes), ms };
  const perExecution = {
    requestsPerExecution: Number((requests / executions).toFixed(2)),
    invocationsPerExecution: Number((invocations / executions).toFixed(2)),
  };
  say(
    values.json
      ? JSON.stringify({ ...summary, ...perExecution })
      : `${done} seeds, ${executions} executions, ${violations} violations, trace ${summary.traceHash}, ${ms} ms; ${perExecution.requestsPerExecution} requests and ${perExecution.invocationsPerExecution} invocations per execution`,
  );
  return violations === 0 && done === seeds;
};

/** Runs a mutant until a seed catches it; answers with that seed, or with nothing. */
const hunt = async (mutant: Mutant): Promise<Answer | undefined> => {
  let caught: Answer | undefined;
  const task = {
    from: 1,
    to: mutantSeeds + 1,
    stride: 1,
    mutant,
    historyMax: 0,
    stopAtViolation: true,
  };
  await runInThread(task, (answer) => {
    if (answer.violations.length > 0) caught = answer;
  });
  return caught;
};

const simulateMutants = async (): Promise<boolean> => {
  const wanted = mutants.filter(({ name }) => name.includes(values.only ?? ""));
  if (wanted.length === 0) refuse(`--only ${values.only}: no mutant has that in its name`);
  const queue = [...wanted];
  let [done, caught] = [0, 0];
  const next = async (): Promise<void> => {
    for (let mutant = queue.shift(); mutant; mutant = queue.shift()) {
      const by = await hunt(mutant);
      if (by) caught++;
      const invariants = [...new Set(by?.violations.map(({ invariant }) => invariant))].join(" ");
      say(
        `${by ? `seed ${by.seed}`.padStart(9) : "NOT CAUGHT"}  ${invariants.padEnd(12)} ${mutant.name}`,
      );
      bar(++done, wanted.length, `${caught} caught`);
    }
  };
  await Promise.all(Array.from({ length: availableParallelism() }, next));
  const summary = { mutants: wanted.length, caught };
  say(values.json ? JSON.stringify(summary) : `${caught} of ${wanted.length} mutants caught`);
  return caught === wanted.length;
};

if (values.help) {
  process.stdout.write(usage);
} else if (!isCount(values.seeds) || !isCount(values.seed)) {
  refuse("--seeds and --seed are whole numbers from 1 on");
} else {
  process.exitCode = (await (values.mutants ? simulateMutants() : simulateSeeds())) ? 0 : 1;
}
