/**
 * `npm run bench -- <name> [arguments]`: measurements, each a program of its own that prints JSON lines.
 */
import { spawnSync } from "node:child_process";
import { join } from "node:path";

interface Bench {
  readonly about: string;
  readonly usage: string;
  /** What an argument may look like; nothing where the program itself looks, and has its own help. */
  readonly accepts?: RegExp;
}

const benches: Readonly<Record<string, Bench>> = {
  bundles: {
    about: "every function as it is deployed: size, import, first invocation",
    usage: "[starts, default 11]",
    accepts: /^[1-9]\d*$/,
  },
  csv: {
    about: "the stream engine, CSV to Parquet: MB per second of the processor, memory",
    usage: "[MB, default 100] [hyparquet-writer|parquetjs-lite]",
    accepts: /^([1-9]\d*|hyparquet-writer|parquetjs-lite)$/,
  },
  data: {
    about: "the stream engine, DuckDB and pandas over one CSV",
    usage: "[MB, default 100] [--no-duplicates: duplicates are kept] [--declared: with a schema]",
    accepts: /^([1-9]\d*|--no-duplicates|--declared)$/,
  },
  engine: { about: "the workflow engine beside its peers", usage: "[options, see --help]" },
  images: {
    about: "renditions of images beside Pillow",
    usage: "[rounds, default 15]",
    accepts: /^[1-9]\d*$/,
  },
  writes: {
    about: "writes and reads of an execution, and what a million of them cost",
    usage: "[--json]",
    accepts: /^--json$/,
  },
};

const usageOf = (name: string, { about, usage }: Bench): string =>
  `npm run bench -- ${name} ${usage}\n    ${about}\n`;

const usage = `usage:\n${Object.entries(benches)
  .map(([name, bench]) => usageOf(name, bench))
  .join("")}`;

const refuse = (why: string, what: string): void => {
  process.stderr.write(`${why}\n\n${what}`);
  process.exitCode = 2;
};

const run = (name: string, args: ReadonlyArray<string>): void => {
  // With the launcher's own flags: measured is what the commands run with.
  const program = [...process.execArgv, join(import.meta.dirname, `${name}.ts`), ...args];
  const { status } = spawnSync(process.execPath, program, { stdio: "inherit" });
  process.exitCode = status ?? 1;
};

const [name = "", ...args] = process.argv.slice(2);
const bench = Object.hasOwn(benches, name) ? benches[name] : undefined;
const wrong = args.find((argument) => bench?.accepts?.test(argument) === false);

if (name === "--help") process.stdout.write(usage);
else if (bench === undefined) refuse(`there is no bench ${JSON.stringify(name)}`, usage);
else if (bench.accepts !== undefined && args.includes("--help")) {
  process.stdout.write(`usage: ${usageOf(name, bench)}`);
} else if (wrong !== undefined) {
  refuse(`${name} does not take ${JSON.stringify(wrong)}`, `usage: ${usageOf(name, bench)}`);
} else run(name, args);
