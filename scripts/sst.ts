/**
 * SST's command line without what it would fetch by itself, and its component sources without a second install.
 *
 * SST writes its components to `.sst/platform` and installs their packages there (300 MB). The same packages, at the
 * same versions, are in package.json, and Node finds them there: so only the sources are unpacked, which takes a second.
 */
import { execFileSync } from "node:child_process";
import { existsSync, readFileSync } from "node:fs";
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
    existsSync(join(platform, "config.d.ts")) &&
    existsSync(version) &&
    readFileSync(version, "utf8").trim() ===
      versionOf(join(root, "node_modules", "sst", "package.json"))
  );
};

/** Unpacks SST's components unless they are there, in the installed version. */
export const preparePlatform = (): void => {
  if (isPrepared()) return;
  execFileSync(sstBinary, ["install", "--stage", "test"], {
    cwd: root,
    env: { ...process.env, ...sstEnvironment },
    stdio: ["ignore", "ignore", "inherit"],
  });
};
