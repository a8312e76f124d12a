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
import { createHash } from "node:crypto";
import { existsSync, mkdirSync, readFileSync, rmdirSync, statSync, writeFileSync } from "node:fs";
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
const modules = join(root, "node_modules");
/** Holds the hash of the lock file that node_modules was installed from. */
const stamp = join(modules, ".millrace-installed");
/** npm writes this file at the end of an install. */
const npmStamp = join(modules, ".package-lock.json");
/** Held while one process installs; the others wait for it. */
const installing = join(root, ".millrace-installing");
const installMsMax = 15 * 60 * 1000;

const lockHash = () => createHash("sha256").update(readFileSync(lock)).digest("hex");
const modifiedMs = (path) => statSync(path, { throwIfNoEntry: false })?.mtimeMs ?? 0;
const isInstalled = () =>
  existsSync(stamp)
    ? readFileSync(stamp, "utf8") === lockHash()
    : modifiedMs(npmStamp) > 0 && modifiedMs(npmStamp) >= modifiedMs(lock);

/** Takes the right to install; false when somebody else has installed meanwhile. */
const mayInstall = () => {
  for (;;) {
    try {
      mkdirSync(installing);
      return !isInstalled();
    } catch {
      // Left behind by a process that was killed while it installed.
      if (Date.now() - modifiedMs(installing) > installMsMax) rmdirSync(installing);
      Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 500);
    }
  }
};

const install = () => {
  process.stderr.write("Installing dependencies (once) ...\n");
  const startedMs = Date.now();
  const { status } = spawnSync("npm", ["ci", "--no-audit", "--no-fund", "--loglevel=error"], {
    cwd: root,
    // stdout belongs to the program that is launched.
    stdio: ["ignore", 2, 2],
    shell: process.platform === "win32",
  });
  if (status === 0) writeFileSync(stamp, lockHash());
  process.stderr.write(`Installed in ${Math.round((Date.now() - startedMs) / 1000)} s.\n`);
  return status === 0;
};

if (!isInstalled()) {
  const ok = !mayInstall() || install();
  rmdirSync(installing);
  if (!ok) fail("npm ci failed: see its messages above, then try again.");
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

/** A young generation of 16 MB a half: a fifth less memory for 100 MB of CSV than with twice that, at the same speed. */
const nodeFlags = ["--disable-warning=ExperimentalWarning", "--max-semi-space-size=16"];

const { signal, status } = spawnSync(
  existsSync(node) ? node : process.execPath,
  [...nodeFlags, join(root, program), ...programArguments],
  {
    stdio: "inherit",
    env: {
      ...process.env,
      PATH: `${bin}${process.platform === "win32" ? ";" : ":"}${process.env.PATH}`,
    },
  },
);
process.exit(signal === null ? (status ?? 1) : 1);
