/**
 * Goal: a pause on AWS disables what takes the queue's messages, and can always be explained.
 * Method: Lambda's REST answers from a local server that keeps the mappings' states; reasons in memory.
 */
import { assert, describe, it } from "@effect/vitest";
import { IntakePauses, type Pause } from "@millrace/core";
import { MappingPauses } from "@millrace/core/aws";
import { Effect, Layer, Schema } from "effect";
import { serveJson } from "./jsonServer.ts";

const arnOf = (queue: string) => `arn:aws:sqs:eu-central-1:123456789012:${queue}`;
const decodeUpdate = Schema.decodeUnknownSync(
  Schema.fromJsonString(Schema.Struct({ Enabled: Schema.Boolean })),
);

/** Two mappings on queue `q`, one page each; queue `lonely` has none. */
const makeLambda = Effect.gen(function* () {
  const states = new Map([
    ["one", "Enabled"],
    ["two", "Enabled"],
  ]);
  const endpoint = yield* serveJson(({ body, method, path }) => {
    const url = new URL(path, "http://localhost");
    if (method === "GET" && url.searchParams.get("EventSourceArn") === arnOf("q")) {
      const UUID = url.searchParams.get("Marker") === "next" ? "two" : "one";
      const NextMarker = UUID === "one" ? "next" : undefined;
      const EventSourceMappings = [{ UUID, State: states.get(UUID) }];
      return { status: 200, body: { EventSourceMappings, NextMarker } };
    }
    if (method === "GET") return { status: 200, body: { EventSourceMappings: [] } };
    const UUID = url.pathname.split("/").at(-1) ?? "";
    states.set(UUID, decodeUpdate(body).Enabled ? "Enabled" : "Disabled");
    return { status: 202, body: { UUID, State: states.get(UUID) } };
  });
  return { endpoint, states };
});

const reasons = Layer.sync(IntakePauses, () => {
  const kept = new Map<string, Pause>();
  return IntakePauses.of({
    pause: (queue, pause) => Effect.sync(() => void kept.set(queue, pause)),
    resume: (queue) => Effect.sync(() => void kept.delete(queue)),
    find: (queue) => Effect.sync(() => kept.get(queue)),
  });
});

const withLambda = <A, E>(
  use: (states: Map<string, string>) => Effect.Effect<A, E, IntakePauses>,
) =>
  Effect.gen(function* () {
    const { endpoint, states } = yield* makeLambda;
    const layer = MappingPauses.layerMappings(arnOf, {
      endpoint,
      region: "eu-central-1",
      credentials: { accessKeyId: "a", secretAccessKey: "b" },
      maxAttempts: 1,
    }).pipe(Layer.provide(reasons));
    return yield* Effect.provide(use(states), layer);
  }).pipe(Effect.scoped);

describe("a pause on AWS", () => {
  it.live("disables every mapping of the queue, tells why, and enables them again", () =>
    withLambda((states) =>
      Effect.gen(function* () {
        const pauses = yield* IntakePauses;
        assert.isUndefined(yield* pauses.find("q"));
        yield* pauses.pause("q", { reason: "bad export", sinceEpochMs: 7 });
        assert.deepStrictEqual([...states.values()], ["Disabled", "Disabled"]);
        assert.deepStrictEqual(yield* pauses.find("q"), { reason: "bad export", sinceEpochMs: 7 });
        yield* pauses.resume("q");
        assert.deepStrictEqual([...states.values()], ["Enabled", "Enabled"]);
        assert.isUndefined(yield* pauses.find("q"));
      }),
    ),
  );

  it.live("made by hand is found as one; a queue without a consumer cannot be paused", () =>
    withLambda((states) =>
      Effect.gen(function* () {
        const pauses = yield* IntakePauses;
        states.set("two", "Disabling");
        assert.include((yield* pauses.find("q"))?.reason ?? "", "disabled");
        const error = yield* Effect.flip(pauses.pause("lonely", { reason: "", sinceEpochMs: 0 }));
        assert.strictEqual(error._tag, "PausesUnavailable");
        assert.include(error.message, "no function takes messages from it");
      }),
    ),
  );
});
