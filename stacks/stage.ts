/**
 * What kind of stage this is, and what follows from it.
 *
 * production  `prod`: keeps everything on `sst remove`, is protected, watched, audited
 * shared      `dev`, `staging`: watched like production, but goes away without a trace
 * personal    every other: costs nothing while idle, so it has no alarms, no dashboard, no containers
 */
import { spawnSync } from "node:child_process";

const kind =
  $app.stage === "prod"
    ? "production"
    : ["dev", "staging"].includes($app.stage)
      ? "shared"
      : "personal";

const isProduction = kind === "production";

/** The version that executions are recorded under: the commit that is deployed. */
const codeVersion = (): string => {
  const given = process.env["MILLRACE_CODE_VERSION"];
  if (given) return given;
  const { stdout } = spawnSync("git", ["rev-parse", "--short", "HEAD"], { encoding: "utf8" });
  return stdout?.trim() || "unversioned";
};

export const stage = {
  name: $app.stage,
  kind,
  isProduction,
  codeVersion: codeVersion(),
  metricsNamespace: `Millrace/${$app.stage}`,
  /** Alarms, dashboards and containers, which cost something while nothing happens. Not where handlers run on a desk. */
  isWatched: kind !== "personal" && !$dev,
  /** Whether data can be brought back to any second of the last 35 days. */
  isRecoverable: kind !== "personal",
  /** A personal stage's functions share the account's concurrency; only production takes a part of it for itself. */
  reservesConcurrency: isProduction,
  logDays: isProduction ? 365 : 7,
  /** How far back a replay may go. */
  archiveDays: isProduction ? 90 : 7,
  /**
   * Receives after which a message is given up. While `sst dev` is off, its stubs fail every message: there they go back
   * to the queue until somebody is at the desk again, and no dead letters pile up.
   */
  receiveCountMax: (inTopology: number) => ($dev ? 1_000 : inTopology),
  /** Where browsers may upload from, comma-separated; without it only programs can. */
  uploadOrigins: (process.env["MILLRACE_UPLOAD_ORIGINS"] ?? "").split(",").filter(Boolean),
  /** Whom alarms write to. */
  operationsEmail: process.env["MILLRACE_OPERATIONS_EMAIL"],
  /** Instead of each pipeline's own, e.g. to run a bundle on the machine that built it. */
  architecture: process.env["MILLRACE_ARCHITECTURE"] === "x86_64" ? ("x86_64" as const) : undefined,
};

export const account = aws.getCallerIdentityOutput().accountId;
export const region = aws.getRegionOutput().region;

/** The name of something that is not given one by SST. */
export const named = (name: string): string => `${$app.name}-${$app.stage}-${name}`;

/** `csv-to-parquet` as the logical name `CsvToParquet`. */
export const logicalName = (kebab: string): string =>
  kebab
    .split("-")
    .map((word) => word.slice(0, 1).toUpperCase() + word.slice(1))
    .join("");
