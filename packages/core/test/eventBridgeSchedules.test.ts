/**
 * Goal: what EventBridge Scheduler answers becomes success, a refusal for ever, or a failure that passes. Method: the
 * unmodified client over a connection that answers as a table says.
 */
import { assert, describe, it } from "@effect/vitest";
import { Schedules } from "@millrace/core";
import { EventBridgeSchedules } from "@millrace/core/aws";
import { Effect, type Layer } from "effect";
import { createServer } from "node:http";

const settings: EventBridgeSchedules.SchedulerSettings = {
  groupName: "stage",
  roleArn: "arn:aws:iam::000000000000:role/r",
  targetOf: (queue) => ({ queueArn: `arn:${queue}`, deadLetterArn: `arn:${queue}-dead` }),
};

const config = {
  region: "us-east-1",
  credentials: { accessKeyId: "a", secretAccessKey: "b" },
  maxAttempts: 1,
};

const schedule = { name: "n", atEpochMs: 1_700_000_000_001, queue: "q", body: "b" };

const create = (layer: Layer.Layer<Schedules>) =>
  Effect.gen(function* () {
    const schedules = yield* Schedules;
    yield* schedules.create(schedule);
  }).pipe(Effect.provide(layer));

/** A connection on which every request is answered with that error. */
const answering = (statusCode: number, code: string) =>
  EventBridgeSchedules.layerScheduler(settings, {
    ...config,
    requestHandler: {
      handle: async () => ({
        response: {
          statusCode,
          headers: { "x-amzn-errortype": code },
          body: new TextEncoder().encode(JSON.stringify({ Message: "because" })),
        },
      }),
    },
  });

describe("an answer of the scheduler", () => {
  it.effect("that says that the name is taken is success", () =>
    create(answering(409, "ConflictException")),
  );

  it.effect.each([
    [400, "ValidationException", "ScheduleRefused", "permanent"],
    [403, "AccessDeniedException", "ScheduleRefused", "permanent"],
    [404, "ResourceNotFoundException", "ScheduleRefused", "permanent"],
    [402, "ServiceQuotaExceededException", "SchedulerUnavailable", "throttled"],
    [429, "ThrottlingException", "SchedulerUnavailable", "throttled"],
    [500, "InternalServerException", "SchedulerUnavailable", "transient"],
    [503, "ServiceUnavailable", "SchedulerUnavailable", "transient"],
  ] as const)("%d %s is %s, %s", ([status, code, tag, failureClass]) =>
    Effect.gen(function* () {
      const error = yield* Effect.flip(create(answering(status, code)));
      assert.strictEqual(error._tag, tag);
      assert.include(error.message, "schedule n for queue q");
      assert.strictEqual(error.failureClass, failureClass);
    }),
  );

  it.live("that never comes is a failure that passes, within the time-out", () =>
    Effect.gen(function* () {
      const server = yield* Effect.acquireRelease(
        Effect.callback<ReturnType<typeof createServer>>((resume) => {
          const silent = createServer(() => undefined);
          silent.listen(0, "127.0.0.1", () => resume(Effect.succeed(silent)));
        }),
        (silent) => Effect.sync(() => silent.close().closeAllConnections()),
      );
      const address = server.address();
      const port = typeof address === "object" ? address?.port : undefined;
      const layer = EventBridgeSchedules.layerScheduler(settings, {
        ...config,
        endpoint: `http://127.0.0.1:${port}`,
      });
      const error = yield* Effect.flip(create(layer));
      assert.strictEqual(error._tag, "SchedulerUnavailable");
      assert.match(String(error.cause), /TimeoutError/u);
    }).pipe(Effect.scoped),
  );
});
