/**
 * `npm run bench -- <name> [arguments]`: measurements, each a program of its own that prints JSON lines.
 */
import { spawnSync } from "node:child_process";
import { readdirSync } from "node:fs";
import { join } from "node:path";

const folder = import.meta.dirname;
const notPrograms = new Set(["main.ts"]);
const names = readdirSync(folder)
  .filter((file) => file.endsWith(".ts") && !notPrograms.has(file))
  .map((file) => file.slice(0, -3));

const [name = "", ...rest] = process.argv.slice(2);
if (names.includes(name)) {
  // With the launcher's own flags: measured is what the commands run with.
  const program = [...process.execArgv, join(folder, `${name}.ts`), ...rest];
  const { status } = spawnSync(process.execPath, program, { stdio: "inherit" });
  process.exitCode = status ?? 1;
} else {
  process.stderr.write(`usage: npm run bench -- <${names.join("|")}> [arguments]\n`);
  process.exitCode = 2;
}
