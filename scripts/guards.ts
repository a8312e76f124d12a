/**
 * Takes each guard of test/guards/guards.ts out and runs its test, which has to fail.
 *
 *   npm run guards [-- --only TEXT] [--json]      last line with --json: {"guards":n,"missed":n}
 */
import { spawnSync } from "node:child_process";
import { join } from "node:path";
import { guards } from "../test/guards/guards.ts";
import { readOptions } from "./readOptions.ts";

const usage = `usage: npm run guards [-- options]
  --only TEXT   only the guards whose name has the text
  --json        the counts as one line of JSON at the end

Exit codes: 0 every test failed without its guard; 1 one did not; 2 wrong usage.
`;

const values = readOptions(
  {
    only: { type: "string", default: "" },
    json: { type: "boolean", default: false },
    help: { type: "boolean", default: false },
  },
  usage,
);

const root = join(import.meta.dirname, "..");
const vitest = join(root, "node_modules", "vitest", "vitest.mjs");

/** A failed assertion about a large value prints it. */
const outputBytesMax = 64 * 1024 * 1024;

/** Whether the test notices that the guard is gone. A test file that does not load notices nothing. */
const isNoticed = (index: number, test: string): boolean => {
  const { status, stdout } = spawnSync(
    process.execPath,
    [vitest, "run", test, "--root", root, "--config", "test/guards/vitest.config.ts"],
    {
      cwd: root,
      maxBuffer: outputBytesMax,
      encoding: "utf8",
      env: { ...process.env, NO_COLOR: "1", MILLRACE_GUARD: String(index) },
    },
  );
  return status !== 0 && /Tests .*\d+ failed/.test(stdout);
};

const check = (): boolean => {
  const wanted = [...guards.entries()].filter(([, { name }]) => name.includes(values.only));
  let missed = 0;
  for (const [index, { name, test }] of wanted) {
    const noticed = isNoticed(index, test);
    missed += noticed ? 0 : 1;
    process.stdout.write(`${noticed ? "noticed" : "MISSED "}  ${name}  (${test})\n`);
  }
  const counts = { guards: wanted.length, missed };
  process.stdout.write(
    values.json
      ? `${JSON.stringify(counts)}\n`
      : `${counts.guards} guards taken out, ${missed} not noticed\n`,
  );
  return wanted.length > 0 && missed === 0;
};

if (values.help) process.stdout.write(usage);
else process.exitCode = check() ? 0 : 1;
