/**
 * A copy of this project in a folder of its own, in which SST's real command line runs without an account: against the
 * stand-ins for AWS and for Pulumi's engine. Files can be edited in it.
 */
import { spawn } from "node:child_process";
import {
  chmodSync,
  copyFileSync,
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  rmSync,
  symlinkSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { preparePlatform, root, sstBinary, sstEnvironment } from "../../scripts/sst.ts";
import { type Cloud, serveCloud } from "./cloud.ts";
import { readLog } from "./firstDeployment.ts";
import { certificateFile, type LiveEvents, serveLiveEvents } from "./liveEvents.ts";

export interface Ran {
  readonly code: number | null;
  /** Standard output and standard error. */
  readonly output: string;
  readonly ms: number;
}

export interface Started {
  /** Standard output and standard error so far. */
  readonly said: () => string;
  /** Its exit code, once it and all that it started have ended. */
  readonly ended: Promise<number | null>;
  /** Asks it to end, waits until it has, and kills what does not. */
  readonly end: () => Promise<void>;
  readonly kill: () => void;
}

export interface SstProject {
  readonly folder: string;
  readonly cloud: Cloud;
  readonly live: LiveEvents;
  /** What SST, and whatever runs beside it, is told. */
  readonly environment: Environment;
  /** Runs SST to its end. */
  readonly sst: (...commands: ReadonlyArray<string>) => Promise<Ran>;
  /** Starts SST; whoever started it ends it. */
  readonly start: (...commands: ReadonlyArray<string>) => Started;
  /**
   * What SST built of a module of packages/functions/src, as Lambda gets it: in a folder that has no packages above it,
   * so that what the bundle lacks is missing.
   */
  readonly bundleOf: (handler: string) => string;
  readonly remove: () => void;
}

const copied = [
  "packages",
  "stacks",
  "sst.config.ts",
  "package.json",
  "package-lock.json",
  "tsconfig.json",
];

const isSource = (path: string): boolean => !/\/(node_modules|\.millrace)(\/|$)/.test(path);

/** Longest that one command may take, in milliseconds. */
const commandMsMax = 180_000;

/** Longest that SST may take to end when it is asked to, in milliseconds; it gives its own processes ten seconds. */
const endMsMax = 15_000;

type Environment = Readonly<Record<string, string | undefined>>;

const startSst = (
  folder: string,
  environment: Environment,
  commands: ReadonlyArray<string>,
): Started => {
  const child = spawn(sstBinary, commands, {
    cwd: folder,
    env: environment,
    stdio: ["ignore", "pipe", "pipe"],
    // A process group of its own: SST's npm package starts the real program, which signals must reach as well.
    detached: true,
  });
  let output = "";
  for (const stream of [child.stdout, child.stderr]) {
    stream.on("data", (data: Buffer) => {
      output += data.toString();
    });
  }
  const ended = new Promise<number | null>((resolve, reject) => {
    child.on("error", reject);
    child.on("close", (code) => resolve(code));
  });
  const signal = (name: NodeJS.Signals): void => {
    if (child.pid === undefined) return;
    try {
      process.kill(-child.pid, name);
    } catch {
      // None of them is left.
    }
  };
  return {
    said: () => output,
    ended,
    end: async () => {
      const late = setTimeout(() => signal("SIGKILL"), endMsMax);
      signal("SIGTERM");
      await ended;
      clearTimeout(late);
    },
    kill: () => signal("SIGKILL"),
  };
};

export const makeSstProject = async (): Promise<SstProject> => {
  preparePlatform();
  const folder = mkdtempSync(join(tmpdir(), "millrace-sst-"));
  const bundles = mkdtempSync(join(tmpdir(), "millrace-bundles-"));
  for (const name of copied) {
    cpSync(join(root, name), join(folder, name), { recursive: true, filter: isSource });
  }
  symlinkSync(join(root, "node_modules"), join(folder, "node_modules"));
  mkdirSync(join(folder, ".sst"));
  for (const name of ["platform", "provider-lock.json"]) {
    cpSync(join(root, ".sst", name), join(folder, ".sst", name), { recursive: true });
  }
  // Where SST looks for the engine.
  const home = join(folder, ".home");
  const engine = join(home, "sst", "bin", "pulumi");
  mkdirSync(join(home, "sst", "bin"), { recursive: true });
  copyFileSync(join(import.meta.dirname, "engine.mjs"), engine);
  chmodSync(engine, 0o755);

  const live = await serveLiveEvents();
  const cloud = await serveCloud(live.host);
  const { SST_BUN_PATH: _, ...settings } = sstEnvironment;
  const environment = {
    ...process.env,
    ...settings,
    SST_NO_BUN: "1",
    HOME: home,
    XDG_CONFIG_HOME: home,
    // npm's own settings stay those of whoever runs this: SST installs native parts with it.
    npm_config_userconfig:
      process.env["npm_config_userconfig"] ?? join(process.env["HOME"] ?? home, ".npmrc"),
    npm_config_cache: process.env["npm_config_cache"] ?? join(process.env["HOME"] ?? home, ".npm"),
    MILLRACE_ENGINE_MODULES: join(root, "test", "infra", "synthesis"),
    MILLRACE_CODE_VERSION: "test",
    // What is built here runs here.
    MILLRACE_ARCHITECTURE: "x86_64",
    AWS_ENDPOINT_URL: cloud.url,
    AWS_ACCESS_KEY_ID: "test",
    AWS_SECRET_ACCESS_KEY: "test",
    AWS_REGION: "eu-west-1",
    AWS_EC2_METADATA_DISABLED: "true",
    SSL_CERT_FILE: certificateFile,
    NO_COLOR: "1",
  };
  const start = (...commands: ReadonlyArray<string>): Started =>
    startSst(folder, environment, commands);
  const sst = async (...commands: ReadonlyArray<string>): Promise<Ran> => {
    const began = performance.now();
    const started = start(...commands);
    let log = "";
    const late = setTimeout(() => {
      log = `\nnot done after ${commandMsMax} ms, and killed; its log:\n${readLog(folder)}`;
      started.kill();
    }, commandMsMax);
    const code = await started.ended;
    clearTimeout(late);
    return { code, output: started.said() + log, ms: Math.round(performance.now() - began) };
  };
  return {
    folder,
    cloud,
    live,
    environment,
    sst,
    start,
    bundleOf: (handler) => {
      const name = handler.slice(0, 1).toUpperCase() + handler.slice(1);
      const bundle = join(bundles, name);
      if (!existsSync(bundle)) {
        cpSync(join(folder, ".sst", "artifacts", `${name}-src`), bundle, { recursive: true });
      }
      return join(bundle, "bundle.mjs");
    },
    remove: () => {
      cloud.close();
      live.close();
      rmSync(bundles, { recursive: true, force: true, maxRetries: 5 });
      rmSync(folder, { recursive: true, force: true, maxRetries: 5 });
    },
  };
};
