/**
 * `npm run soak`: a whole local mode under load, faults and kills; the stores are read afterwards.
 *
 * The last line is the report, as JSON with `--json`. Exit code 1: something was violated; the state is kept then, and
 * its place and the seed are named.
 */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { renderBar } from "../packages/cli/src/Progress.ts";
import { soak } from "../test/soak/soak.ts";
import type { SoakReport } from "../test/soak/SoakReport.ts";
import { readOptions } from "./readOptions.ts";

const usage = `usage: npm run soak -- [--uploads 200] [--seed N] [--workers 4] [--replay] [--storm EVENTS] [--json]

  --uploads N      Files put into the bucket: of a hundred 2 broken, 3 that no pipeline wants, 2 images, 93 CSV
  --seed N         Draws the files, the faults and the kills; printed at the end
  --workers N      Processes at work for one pipeline at the same time; each waits for answers half of its time
  --replay         Afterwards the whole archive again: join (starts nothing), then what failed
  --storm EVENTS   Afterwards so many old events while new files come
  --json           The report as one line of JSON

  npm run soak -- --uploads 2000 --json
  npm run soak -- --uploads 20000 --replay --storm 100000 --seed 7

Exit codes: 0 nothing was violated; 1 something was; 2 wrong usage
`;

const options = {
  uploads: { type: "string", default: "200" },
  seed: { type: "string" },
  workers: { type: "string", default: "4" },
  replay: { type: "boolean", default: false },
  storm: { type: "string", default: "0" },
  json: { type: "boolean", default: false },
  help: { type: "boolean", default: false },
} as const;

const values = readOptions(options, usage);

const isCount = (text: string | undefined, least: number): boolean =>
  text === undefined || (Number.isInteger(Number(text)) && Number(text) >= least);

/** Violations that are printed; the count tells the rest. */
const shownMax = 20;

let drawn = "";
const draw = (line: string): void => {
  if (!process.stderr.isTTY || line === drawn) return;
  process.stderr.write(`\r${line.padEnd(drawn.length)}`);
  drawn = line;
};

const describe = (report: SoakReport): string =>
  Object.entries(report)
    .map(([name, value]) => `${name} ${value}`)
    .join(", ");

const run = async (): Promise<boolean> => {
  const directory = mkdtempSync(join(tmpdir(), "millrace-soak-"));
  const seed = Number(values.seed ?? Date.now() % 1_000_000);
  const kept = `seed ${seed}, kept: ${directory}\n`;
  const soaked = await soak({
    uploads: Number(values.uploads),
    seed,
    directory,
    concurrencyMax: Number(values.workers),
    replay: values.replay,
    stormEvents: Number(values.storm),
    onProgress: (phase, done, total) => draw(renderBar(phase, done, total)),
  }).catch((error: unknown) => {
    process.stderr.write(`the soak broke down: ${String(error)}\n`);
    return undefined;
  });
  if (drawn !== "") process.stderr.write(`\r${" ".repeat(drawn.length)}\r`);
  if (!soaked) {
    process.stderr.write(kept);
    return false;
  }
  const { report, violations } = soaked;
  for (const violation of violations.slice(0, shownMax)) process.stderr.write(`${violation}\n`);
  if (report.ok) rmSync(directory, { recursive: true });
  else process.stderr.write(`${violations.length} violations, ${kept}`);
  process.stdout.write(`${values.json ? JSON.stringify(report) : describe(report)}\n`);
  return report.ok;
};

const isUsable =
  isCount(values.uploads, 1) &&
  isCount(values.seed, 0) &&
  isCount(values.workers, 1) &&
  isCount(values.storm, 0);
if (values.help) process.stdout.write(usage);
else if (!isUsable) {
  process.stderr.write(usage);
  process.exitCode = 2;
} else if (!(await run())) process.exitCode = 1;
