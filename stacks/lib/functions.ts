/**
 * A function with a role of its own: what it is given, its own log, its traces, and nothing else.
 *
 * SST's defaults are wider in two places. Its roles trust the whole account, also where they are deployed (4.17.1), and
 * the managed policy for logs allows every log group. Both are replaced. While `sst dev` runs, the trust stays as SST
 * makes it: the function on the desk takes the role of the one in the cloud.
 */
import type { Architecture } from "@millrace/workflows/topology";
import { bundlingWith } from "../bundling/options";
import { named, stage } from "../stage";
import { heapOptions } from "./heap";
import { type Right, trustOf } from "./policies";

export interface FunctionSettings {
  readonly description: string;
  /** Module in packages/functions/src that exports `handler`. */
  readonly handler: string;
  readonly timeoutSeconds: number;
  readonly memoryMb: number;
  readonly storageMb?: number;
  readonly architecture?: Architecture;
  readonly nativePackages?: ReadonlyArray<string>;
  readonly reservedCount?: number;
  readonly provisionedCount?: number;
  readonly environment: Readonly<Record<string, $util.Input<string>>>;
  readonly rights: ReadonlyArray<Right>;
}

/** Traces belong to no resource that a policy could name. */
const traces: Right = {
  actions: ["xray:PutTraceSegments", "xray:PutTelemetryRecords"],
  resources: ["*"],
};

export const makeFunction = (logical: string, settings: FunctionSettings) => {
  const log = new aws.cloudwatch.LogGroup(`${logical}Log`, {
    namePrefix: `/${$app.name}/${$app.stage}/${logical}-`,
    retentionInDays: stage.logDays,
  });
  const ownLog: Right = {
    actions: ["logs:CreateLogStream", "logs:PutLogEvents"],
    resources: [$interpolate`${log.arn}:*`],
  };
  const { provisionedCount = 0, reservedCount } = settings;
  const fn = new sst.aws.Function(logical, {
    description: `${named(logical)}: ${settings.description}`,
    handler: `packages/functions/src/${settings.handler}.handler`,
    runtime: "nodejs24.x",
    architecture: stage.architecture ?? settings.architecture ?? "arm64",
    timeout: `${settings.timeoutSeconds} seconds`,
    memory: `${settings.memoryMb} MB`,
    storage: `${settings.storageMb ?? 512} MB`,
    nodejs: bundlingWith(settings.nativePackages ?? []),
    environment: { NODE_OPTIONS: heapOptions(settings.memoryMb), ...settings.environment },
    permissions: [...settings.rights, ownLog, traces],
    logging: { logGroup: log.name, format: "text" },
    versioning: provisionedCount > 0,
    concurrency: {
      ...(provisionedCount > 0 && { provisioned: provisionedCount }),
      ...(stage.reservesConcurrency && reservedCount && { reserved: reservedCount }),
    },
    transform: {
      role: (role) => {
        role.managedPolicyArns = [];
        if (!$dev) role.assumeRolePolicy = trustOf("lambda.amazonaws.com");
      },
      function: (args) => {
        args.tracingConfig = { mode: "Active" };
      },
    },
  });
  // What is kept warm is a version.
  const targetArn = provisionedCount > 0 ? fn.nodes.function.qualifiedArn : fn.arn;
  return { fn, log, targetArn };
};
