/**
 * Tasks on ECS: Fargate's containers, on spare capacity where the request allows it.
 *
 * Source: Amazon ECS API reference 2014-11-13, RunTask and StopTask
 */
import type {
  ECSClientConfig,
  RunTaskCommandInput,
  RunTaskCommandOutput,
} from "@aws-sdk/client-ecs";
import { Effect, Layer, Scope } from "effect";
import { TaskNotLaunched, TaskNotStopped, type TaskRequest, Tasks } from "../Tasks.ts";
import { awsFailure, isNamed } from "./awsFailure.ts";

export interface EcsSettings {
  readonly cluster: string;
  /** Family, or ARN with its revision. */
  readonly taskDefinition: string;
  /** The container that is told what to do. */
  readonly container: string;
  readonly subnets: ReadonlyArray<string>;
  readonly securityGroups: ReadonlyArray<string>;
}

/** Longest wait for one answer, in milliseconds: the run that asks is paid for while it waits. */
const requestTimeoutMs = 10_000;
const connectionTimeoutMs = 1_000;

/** Longest reason that ECS keeps, in characters. */
const reasonCharactersMax = 255;

/** Tasks of one definition, by the process's own AWS configuration or the one given. */
export const layerEcs = (settings: EcsSettings, config: ECSClientConfig = {}) =>
  Layer.effect(
    Tasks,
    Effect.gen(function* () {
      const scope = yield* Effect.scope;
      const loaded = yield* Effect.cached(Scope.provide(load(config), scope));
      return Tasks.of({
        isAvailable: true,
        run: Effect.fnUntraced(function* (request) {
          const { token } = request;
          const { client, sdk } = yield* loaded;
          const answer = yield* Effect.tryPromise({
            try: () => client.send(new sdk.RunTaskCommand(runTask(settings, request))),
            catch: (cause) => new TaskNotLaunched({ token, ...ofTheWorks(cause) }),
          });
          return yield* startedOf(token, answer);
        }),
        stop: Effect.fnUntraced(
          function* (task, reason) {
            const { client, sdk } = yield* loaded;
            const input = {
              cluster: settings.cluster,
              task,
              reason: reason.slice(0, reasonCharactersMax),
            };
            yield* Effect.tryPromise({
              try: () => client.send(new sdk.StopTaskCommand(input)),
              catch: (cause) => new TaskNotStopped({ task, ...ofTheWorks(cause) }),
            });
          },
          // It is so long gone that ECS has forgotten it.
          Effect.catchIf(
            ({ cause }) => isUnknownTask(cause),
            () => Effect.void,
          ),
        ),
      });
    }),
  );

/** Loaded when it is needed: few executions launch anything, and every function would start later for it. */
const load = (config: ECSClientConfig) =>
  Effect.acquireRelease(
    Effect.map(
      Effect.promise(() => import("./ecsClient.ts")),
      (sdk) => ({
        sdk,
        client: new sdk.ECSClient({
          requestHandler: {
            requestTimeout: requestTimeoutMs,
            // Else the time-out is only logged.
            throwOnRequestTimeout: true,
            connectionTimeout: connectionTimeoutMs,
          },
          ...config,
        }),
      }),
    ),
    ({ client }) => Effect.sync(() => client.destroy()),
  );

const runTask = (settings: EcsSettings, request: TaskRequest): RunTaskCommandInput => {
  const { environment, size, spot, startedBy, token } = request;
  return {
    cluster: settings.cluster,
    taskDefinition: settings.taskDefinition,
    count: 1,
    clientToken: token,
    startedBy,
    capacityProviderStrategy: [{ capacityProvider: spot ? "FARGATE_SPOT" : "FARGATE", weight: 1 }],
    networkConfiguration: {
      awsvpcConfiguration: {
        subnets: [...settings.subnets],
        securityGroups: [...settings.securityGroups],
        assignPublicIp: "ENABLED",
      },
    },
    overrides: {
      ...(size && { cpu: String(size.cpuUnits), memory: String(size.memoryMb) }),
      containerOverrides: [
        {
          name: settings.container,
          environment: Object.entries(environment).map(([name, value]) => ({ name, value })),
        },
      ],
    },
  };
};

/** What is refused for good is the works' fault, and not the data's: no file is to be quarantined for it. */
const ofTheWorks = (cause: unknown): ReturnType<typeof awsFailure> => {
  const failure = awsFailure(cause);
  return failure.failureClass === "permanent" ? { cause, failureClass: "defect" } : failure;
};

/** The call succeeds although no task was started: the answer says why (no capacity, usually, which comes back). */
const startedOf = (
  token: string,
  { failures = [], tasks = [] }: Pick<RunTaskCommandOutput, "failures" | "tasks">,
) => {
  const task = tasks[0]?.taskArn;
  if (task !== undefined) return Effect.succeed({ task });
  const reasons = failures.map(({ detail, reason }) => [reason, detail].filter(Boolean).join(": "));
  const cause = new Error(reasons.join("; ") || "ECS started nothing and said nothing");
  return Effect.fail(new TaskNotLaunched({ token, failureClass: "transient", cause }));
};

const isUnknownTask = (cause: unknown): boolean =>
  cause instanceof Error &&
  isNamed(cause, "InvalidParameterException") &&
  /task was not found/i.test(cause.message);
