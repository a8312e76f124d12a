/**
 * Runs a TypeScript program of the project with the project's own Node, after installing what is missing.
 *
 *   node scripts/launch.mjs <program.ts> [arguments]
 *
 * Plain JavaScript without dependencies, because it is what a fresh clone runs first, on whatever Node is there (20 or
 * newer). It installs when node_modules is missing or older than the lock file; the `node` package in it then brings
 * the Node that runs TypeScript directly.
 */
import { spawnSync } from "node:child_process";
import { existsSync, statSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

const root = dirname(dirname(fileURLToPath(import.meta.url)));
const nodeVersionMin = 20;

const fail = (message) => {
  process.stderr.write(`${message}\n`);
  process.exit(1);
};

if (Number(process.versions.node.split(".")[0]) < nodeVersionMin) {
  fail(
    `Millrace needs Node ${nodeVersionMin} or newer to install itself; this is ${process.version}.`,
  );
}

const lock = join(root, "package-lock.json");
/** npm writes this file at the end of an install. */
const installed = join(root, "node_modules", ".package-lock.json");
const isInstalled = () =>
  existsSync(installed) && statSync(installed).mtimeMs >= statSync(lock).mtimeMs;

if (!isInstalled()) {
  process.stderr.write("Installing dependencies (once) ...\n");
  const startedMs = Date.now();
  const { status } = spawnSync("npm", ["ci", "--no-audit", "--no-fund", "--loglevel=error"], {
    cwd: root,
    // stdout belongs to the program that is launched.
    stdio: ["ignore", 2, 2],
    shell: process.platform === "win32",
  });
  if (status !== 0) fail("npm ci failed: see its messages above, then try again.");
  process.stderr.write(`Installed in ${Math.round((Date.now() - startedMs) / 1000)} s.\n`);
}

const bin = join(root, "node_modules", ".bin");
const node = join(
  root,
  "node_modules",
  "node",
  "bin",
  process.platform === "win32" ? "node.exe" : "node",
);
const [program, ...programArguments] = process.argv.slice(2);
if (program === undefined) fail("usage: node scripts/launch.mjs <program.ts> [arguments]");

const { signal, status } = spawnSync(
  existsSync(node) ? node : process.execPath,
  ["--disable-warning=ExperimentalWarning", join(root, program), ...programArguments],
  {
    stdio: "inherit",
    env: {
      ...process.env,
      PATH: `${bin}${process.platform === "win32" ? ";" : ":"}${process.env.PATH}`,
    },
  },
);
process.exit(signal === null ? (status ?? 1) : 1);
