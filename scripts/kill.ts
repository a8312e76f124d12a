/**
 * `npm run kill`: real processes, killed with SIGKILL at random moments; the stores are read afterwards.
 *
 *   npm run kill -- [--rounds 200] [--store sqlite|dynamo] [--seed N] [--json]
 *
 * Without `--store` both. The last line (one per store) is the report, as JSON with `--json`. Exit code 1: something was
 * violated; the files are kept then, and their place is named.
 */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { KillOptions, KillResult } from "../test/kill/KillReport.ts";
import { killShipments } from "../test/kill/killShipments.ts";
import { killUploads } from "../test/kill/killUploads.ts";
import { readOptions } from "./readOptions.ts";

const usage = "usage: npm run kill -- [--rounds 200] [--store sqlite|dynamo] [--seed N] [--json]\n";
const values = readOptions(
  {
    rounds: { type: "string", default: "200" },
    store: { type: "string" },
    seed: { type: "string" },
    json: { type: "boolean", default: false },
    help: { type: "boolean", default: false },
  },
  usage,
);

const stores: Readonly<Record<string, (options: KillOptions) => Promise<KillResult>>> = {
  sqlite: killShipments,
  dynamo: killUploads,
};
/** Violations that are printed; the count tells the rest. */
const shownMax = 20;

const run = async (name: string, seed: number): Promise<boolean> => {
  const directory = mkdtempSync(join(tmpdir(), `millrace-kill-${name}-`));
  const kill = stores[name];
  if (!kill) return false;
  const { report, violations } = await kill({
    rounds: Number(values.rounds),
    seed,
    directory,
    onRound: (round, kills) => {
      if (round % 10 === 0) process.stderr.write(`${name}: round ${round}, ${kills} kills\n`);
    },
  });
  for (const violation of violations.slice(0, shownMax)) process.stdout.write(`${violation}\n`);
  if (violations.length === 0) rmSync(directory, { recursive: true });
  else process.stdout.write(`kept: ${directory}\n`);
  const { executions, kills, ms, rounds } = report;
  process.stdout.write(
    values.json
      ? `${JSON.stringify(report)}\n`
      : `${name}: ${rounds} rounds, ${kills} kills, ${executions} executions, ${violations.length} violations, seed ${seed}, ${ms} ms\n`,
  );
  return violations.length === 0;
};

const isCount = (text: string | undefined): boolean =>
  text === undefined || (Number.isInteger(Number(text)) && Number(text) > 0);
const isStore = values.store === undefined || values.store in stores;

if (values.help) {
  process.stdout.write(usage);
} else if (!isStore || !isCount(values.rounds) || !isCount(values.seed)) {
  process.stderr.write(usage);
  process.exitCode = 2;
} else {
  const seed = Number(values.seed ?? Date.now() % 1_000_000);
  for (const name of values.store === undefined ? Object.keys(stores) : [values.store]) {
    if (!(await run(name, seed))) process.exitCode = 1;
  }
}
