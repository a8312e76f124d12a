/**
 * The engine beside Effect's own memory engine, and beside Restate and DBOS where they are installed: one load, one run.
 *
 *   npm run bench -- engine [--json] [--runs 3] [--only NAME,...] [--peers | --no-peers]
 *
 * With `--json`, one line of figures per engine; without, a table with the ratios that the project has set itself. The
 * load is in bench/engine/measure.ts, what the figures mean in docs/benchmarks.md. Each engine runs in a process of its
 * own, one after the other.
 */
import { spawnSync } from "node:child_process";
import { existsSync } from "node:fs";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { effectSubjects } from "./engine/effectSubject.ts";
import { decodeFigures, table } from "./engine/table.ts";

const peersFolder = join(import.meta.dirname, "peers");
const peers: Readonly<Record<string, ReadonlyArray<string>>> = {
  "restate-streaming": ["restate.mjs", "streaming"],
  "restate-request-response": ["restate.mjs", "request-response"],
  dbos: ["dbos.mjs"],
};
const names = [...Object.keys(effectSubjects), ...Object.keys(peers)];

const usage = `usage: npm run bench -- engine [options]
  --json         one JSON line per engine instead of the table
  --runs N       figures are medians of N runs (default 3)
  --only A,B     only these engines: ${names.join(", ")};
                 millrace-dynalite runs only when it is named here
  --peers        fail if the peers are not installed; by default they run when they are
  --no-peers     leave the peers out

The peers are not part of this project's install. To have them:
  npm install --prefix bench/peers
DBOS needs PostgreSQL: PG=postgres://... of a fresh database, or initdb and postgres on this machine.
`;

const { values } = parseArgs({
  options: {
    json: { type: "boolean", default: false },
    runs: { type: "string", default: "3" },
    only: { type: "string" },
    peers: { type: "boolean" },
    help: { type: "boolean", default: false },
  },
  allowNegative: true,
});

const arePeersInstalled = existsSync(join(peersFolder, "node_modules"));
/** Slow, and most of it is dynalite's own time: only when it is asked for. */
const onDemand = "millrace-dynalite";
const only = values.only?.split(",") ?? names.filter((name) => name !== onDemand);
const unknown = only.filter((name) => !names.includes(name));
const isRuns = Number.isInteger(Number(values.runs)) && Number(values.runs) > 0;

const refusal =
  (unknown.length > 0 && `no such engine: ${unknown.join(", ")}`) ||
  (!isRuns && `--runs ${values.runs}: a whole number from 1 on`) ||
  (values.peers && !arePeersInstalled && "the peers are not installed");

const programOf = (name: string): ReadonlyArray<string> => {
  const [file = "", ...rest] = peers[name] ?? [];
  return file === ""
    ? [join(import.meta.dirname, "engine", "runSubject.ts"), name]
    : [join(peersFolder, file), ...rest];
};

/** Exit code of a peer that lacks something on this machine, which it has named. */
const cannotRunHere = 3;
let failures = 0;

/** Measures one engine; its own progress and complaints go to stderr. */
const measureInProcess = (name: string) => {
  const { status, stdout } = spawnSync(
    process.execPath,
    [...process.execArgv, ...programOf(name), values.runs],
    {
      stdio: ["ignore", "pipe", "inherit"],
      encoding: "utf8",
      // Its lines about each run are no part of the load.
      env: { ...process.env, RESTATE_LOGGING: "ERROR" },
    },
  );
  if (status === 0) return decodeFigures(stdout);
  process.stderr.write(`${name} was not measured: it ended with ${status}\n`);
  failures += status === cannotRunHere ? 0 : 1;
  return undefined;
};

const bench = (): boolean => {
  const withPeers = values.peers ?? arePeersInstalled;
  const wanted = only.filter((name) => withPeers || !(name in peers));
  const figures = wanted.flatMap((name) => {
    const one = measureInProcess(name);
    if (one && values.json) process.stdout.write(`${JSON.stringify(one)}\n`);
    return one ?? [];
  });
  if (!values.json) process.stdout.write(table(figures));
  if (!withPeers && !values.json) {
    process.stdout.write("\npeers are not installed: npm install --prefix bench/peers\n");
  }
  return failures === 0;
};

if (values.help) {
  process.stdout.write(usage);
} else if (refusal) {
  process.stderr.write(`${refusal}\n\n${usage}`);
  process.exitCode = 2;
} else {
  process.exitCode = bench() ? 0 : 1;
}
