/**
 * `npm test`: types, lint and format, dead code, and all tests that need only Node. The last line counts them all.
 *
 * Every check runs even after another has failed, so that one run tells everything. A run without a single test fails.
 */
import { spawnSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Exit, Schema } from "effect";
import { preparePlatform } from "./sst.ts";

const bin = join(import.meta.dirname, "..", "node_modules", ".bin");
const reports = mkdtempSync(join(tmpdir(), "millrace-test-"));
const report = join(reports, "vitest.json");

const run = (
  name: string,
  command: string,
  ...programArguments: ReadonlyArray<string>
): boolean => {
  process.stdout.write(`\n> ${name}\n`);
  const { status } = spawnSync(join(bin, command), programArguments, { stdio: "inherit" });
  if (status !== 0) process.stdout.write(`${name} failed\n`);
  return status === 0;
};

// What sst.config.ts and the stacks are checked against.
preparePlatform();

const checks = [
  run("types", "tsc", "-p", "."),
  run("types of the stacks", "tsc", "-p", "stacks"),
  run("lint", "oxlint", "--max-warnings", "0"),
  run("format", "oxfmt", "--check", "."),
  run("dead code", "knip"),
];
const testsOk = run(
  "tests",
  "vitest",
  "run",
  "--reporter=default",
  "--reporter=json",
  `--outputFile.json=${report}`,
);

const Report = Schema.fromJsonString(
  Schema.Struct({ numPassedTests: Schema.Int, numFailedTests: Schema.Int }),
);
const counted = Schema.decodeUnknownExit(Report)(readReport());
rmSync(reports, { recursive: true });
const tests = Exit.isSuccess(counted) ? counted.value : { numPassedTests: 0, numFailedTests: 0 };

const passed = tests.numPassedTests + checks.filter(Boolean).length;
const failed =
  tests.numFailedTests +
  checks.filter((ok) => !ok).length +
  // A crashed runner, a file that does not load, or no test at all.
  (tests.numFailedTests === 0 && (!testsOk || tests.numPassedTests === 0) ? 1 : 0);
process.stdout.write(`\n${passed} passed, ${failed} failed\n`);
process.exitCode = failed === 0 ? 0 : 1;

function readReport(): string {
  try {
    return readFileSync(report, "utf8");
  } catch {
    return "{}";
  }
}
