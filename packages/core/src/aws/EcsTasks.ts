/**
 * Tasks on ECS: Fargate's containers, on spare capacity where the request allows it.
 *
 * Source: Amazon ECS API reference 2014-11-13, RunTask and StopTask
 */
import {
  ECSClient,
  type ECSClientConfig,
  RunTaskCommand,
  type RunTaskCommandOutput,
  StopTaskCommand,
} from "@aws-sdk/client-ecs";
import { Effect, Layer } from "effect";
import { TaskNotLaunched, TaskNotStopped, type TaskRequest, Tasks } from "../Tasks.ts";
import { awsFailure } from "./awsFailure.ts";

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
    Effect.map(
      Effect.acquireRelease(
        Effect.sync(
          () =>
            new ECSClient({
              requestHandler: {
                requestTimeout: requestTimeoutMs,
                // Else the time-out is only logged.
                throwOnRequestTimeout: true,
                connectionTimeout: connectionTimeoutMs,
              },
              ...config,
            }),
        ),
        (client) => Effect.sync(() => client.destroy()),
      ),
      (client) =>
        Tasks.of({
          isAvailable: true,
          run: Effect.fnUntraced(function* (request) {
            const { token } = request;
            const answer = yield* Effect.tryPromise({
              try: () => client.send(runTask(settings, request)),
              catch: (cause) => new TaskNotLaunched({ token, ...awsFailure(cause) }),
            });
            return yield* startedOf(token, answer);
          }),
          stop: (task, reason) =>
            Effect.tryPromise({
              try: () =>
                client.send(
                  new StopTaskCommand({
                    cluster: settings.cluster,
                    task,
                    reason: reason.slice(0, reasonCharactersMax),
                  }),
                ),
              catch: (cause) => new TaskNotStopped({ task, ...awsFailure(cause) }),
            }).pipe(
              Effect.asVoid,
              // It is so long gone that ECS has forgotten it.
              Effect.catchIf(
                ({ cause }) => isUnknownTask(cause),
                () => Effect.void,
              ),
            ),
        }),
    ),
  );

const runTask = (settings: EcsSettings, request: TaskRequest) => {
  const { environment, size, spot, startedBy, token } = request;
  return new RunTaskCommand({
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
  });
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
  cause.name === "InvalidParameterException" &&
  /task was not found/i.test(cause.message);
