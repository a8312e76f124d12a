/**
 * SST's command line without what it would fetch by itself, and its component sources without a second install.
 *
 * SST writes its components to `.sst/platform` and installs their packages there (300 MB). The same packages, at the
 * same versions, are in package.json, and Node finds them there: so only the sources are unpacked, which takes a second.
 */
import { execFileSync } from "node:child_process";
import { existsSync, mkdirSync, readFileSync, rmSync, statSync } from "node:fs";
import { join } from "node:path";

export const root = join(import.meta.dirname, "..");

/** Where SST's components lie. */
export const platform = join(root, ".sst", "platform");

/** SST's command line, as npm installed it. */
export const sstBinary = join(root, "node_modules", ".bin", "sst");

/** Settings by which it downloads no engine and no package manager, and tells nobody. */
export const sstEnvironment = {
  SST_SKIP_DEPENDENCY_CHECK: "1",
  SST_TELEMETRY_DISABLED: "1",
  // It would install the platform's packages: this installs nothing.
  SST_BUN_PATH: join(root, "scripts", "noInstall.mjs"),
};

const versionOf = (file: string): unknown => JSON.parse(readFileSync(file, "utf8")).version;

const isPrepared = (): boolean => {
  const version = join(platform, "version");
  return (
    // The last that SST writes.
    existsSync(join(platform, "config.d.ts")) &&
    existsSync(join(root, ".sst", "provider-lock.json")) &&
    existsSync(version) &&
    readFileSync(version, "utf8").trim() ===
      versionOf(join(root, "node_modules", "sst", "package.json"))
  );
};

/** Held while one process unpacks; the others wait for it. */
const preparing = join(root, "node_modules", ".millrace-preparing");
/** Unpacking takes a second or two; a lock that is older was left behind. */
const preparingMsMax = 60_000;

const isLocked = (): boolean => {
  try {
    mkdirSync(preparing);
    return false;
  } catch {
    const since = statSync(preparing, { throwIfNoEntry: false })?.mtimeMs ?? Date.now();
    if (Date.now() - since > preparingMsMax) rmSync(preparing, { recursive: true, force: true });
    return true;
  }
};

/** Unpacks SST's components unless they are there, in the installed version. */
export const preparePlatform = (): void => {
  while (!isPrepared()) {
    if (isLocked()) {
      Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 100);
      continue;
    }
    try {
      // Somebody may have done it between the look and the lock.
      if (!isPrepared()) unpack();
    } finally {
      rmSync(preparing, { recursive: true, force: true });
    }
  }
};

const unpack = (): void => {
  execFileSync(sstBinary, ["install", "--stage", "test"], {
    cwd: root,
    env: { ...process.env, ...sstEnvironment },
    stdio: ["ignore", "ignore", "inherit"],
  });
  if (!isPrepared()) throw new Error("sst install left .sst/platform without its components");
};
