/**
 * The data engines, DuckDB alone and the Python reference over the same CSV, in one run: processor seconds and peak memory of
 * each, one JSON line each. Every engine is a process of its own; the processor seconds of its start count.
 *
 * Usage: node bench/data.ts [MB, default 100] [--no-duplicates: duplicates are kept] [--declared: with a schema]
 * Python's line is left out, with a word, where pandas is not installed.
 */
import { spawnSync } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

const folder = import.meta.dirname;
const megabytes = Number(process.argv.slice(2).find((argument) => /^\d/.test(argument)) ?? "100");
const keep = process.argv.includes("--no-duplicates");
const columns = process.argv.includes("--declared") ? "declared" : "text";

const work = mkdtempSync(join(tmpdir(), "millrace-bench-"));
const path = join(work, "in.csv");

/** A young generation of 16 MB a half and an old one of 256 MB: what a small function has. */
const flags = ["--max-semi-space-size=16", "--max-old-space-size=256"];

const run = (program: string, args: ReadonlyArray<string>): void => {
  const { error, status, stdout } = spawnSync(program, args, {
    encoding: "utf8",
    // As in a task's container (stacks/lib/containers.ts).
    env: { ...process.env, MALLOC_ARENA_MAX: "2" },
    stdio: ["ignore", "pipe", "inherit"],
  });
  if (status === 0) process.stdout.write(stdout);
  else
    process.stdout.write(
      `${JSON.stringify({ bench: "data", program, failed: error?.message ?? `exit code ${status}` })}\n`,
    );
};

const engine = join(folder, "data-plane", "engine.ts");
spawnSync(process.execPath, [join(folder, "csv.ts"), String(megabytes), "hyparquet-writer", path]);
for (const name of ["stream", "duckdb"])
  run(process.execPath, [...flags, engine, name, path, keep ? "none" : "file", columns]);
run(process.execPath, [join(folder, "data-plane", "duckAlone.ts"), path]);
/** The interpreter that has pandas: a distribution's own, where another one comes first in the path. */
const python =
  ["python3", "/usr/bin/python3"].find(
    (one) => spawnSync(one, ["-c", "import pandas"], { stdio: "ignore" }).status === 0,
  ) ?? "python3";
run(python, [join(folder, "data-plane", "reference.py"), path, keep ? "none" : "file"]);
rmSync(work, { recursive: true, force: true });
