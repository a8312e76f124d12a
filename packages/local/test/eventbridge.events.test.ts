/**
 * Goal: events reach the targets of matching rules as AWS documents it. Method: the unmodified SDK clients over the
 * services, without a socket; time by TestClock.
 */
import * as Sdk from "@aws-sdk/client-eventbridge";
import { assert, describe, it } from "@effect/vitest";
import { Context, Effect, Layer } from "effect";
import { TestClock } from "effect/testing";
import { AwsError } from "../src/AwsError.ts";
import { EventBridge, layerLocalEvents } from "../src/eventbridge/EventBridge.ts";
import { LocalEvents } from "../src/LocalEvents.ts";
import { LocalState } from "../src/LocalState.ts";
import { Sns } from "../src/sns/Sns.ts";
import { Sqs } from "../src/sqs/Sqs.ts";
import { connect, eventsArn, field, queueArn, services, world } from "./busClient.ts";
import { call, freshState } from "./inProcess.ts";

describe("PutEvents", () => {
  it.effect("an event reaches the targets of matching rules with AWS's envelope", () =>
    Effect.gen(function* () {
      const { createQueue, drain, rule, put } = yield* connect;
      yield* createQueue("yes");
      yield* createQueue("no");
      yield* rule("r1", { source: ["acme"] }, [{ Id: "1", Arn: queueArn("yes") }]);
      yield* rule("r2", { source: ["other"] }, [{ Id: "1", Arn: queueArn("no") }]);
      const Time = new Date("2026-03-14T09:26:53.500Z");
      const answer = yield* put({
        Detail: '{"n": 1.50, "b": 9007199254740993}',
        Time,
        Resources: ["x"],
      });
      assert.strictEqual(answer.FailedEntryCount, 0);
      const [message] = yield* drain("yes");
      assert.include(message?.body, '{"n": 1.50, "b": 9007199254740993}');
      const { detail: _, ...envelope } = JSON.parse(message?.body ?? "{}");
      assert.deepStrictEqual(envelope, {
        version: "0",
        id: answer.Entries?.[0]?.EventId,
        "detail-type": "Made",
        source: "acme",
        account: "000000000000",
        time: "2026-03-14T09:26:53Z",
        region: "us-east-1",
        resources: ["x"],
      });
      assert.lengthOf(yield* drain("no"), 0);
    }).pipe(Effect.provide(world)),
  );

  it.effect.each([
    ["no source", { Source: "" }, "InvalidArgument"],
    ["no detail type", { DetailType: "" }, "InvalidArgument"],
    ["no detail", { Detail: "" }, "InvalidArgument"],
    ["a detail that is no JSON", { Detail: "{" }, "MalformedDetail"],
    ["a detail that is no object", { Detail: "[1]" }, "MalformedDetail"],
    [
      "a detail of 100,000 levels",
      { Detail: `{"a":${"[".repeat(100_000)}${"]".repeat(100_000)}}` },
      "MalformedDetail",
    ],
    ["a source of AWS", { Source: "aws.s3" }, "NotAuthorizedForSourceException"],
  ] as const)("an entry with %s fails alone", ([, entry, code]) =>
    Effect.gen(function* () {
      const { put } = yield* connect;
      const { FailedEntryCount, Entries } = yield* put(entry, {});
      assert.strictEqual(FailedEntryCount, 1);
      assert.strictEqual(Entries?.[0]?.ErrorCode, code);
      assert.isUndefined(Entries?.[0]?.EventId);
      assert.isString(Entries?.[1]?.EventId);
    }).pipe(Effect.provide(world)),
  );

  it.effect("eleven entries, none, or more than 1 MB fail the whole request", () =>
    Effect.gen(function* () {
      const { put } = yield* connect;
      const big = { Detail: JSON.stringify({ x: "x".repeat(600_000) }) };
      for (const entries of [Array.from({ length: 11 }, () => ({})), [], [big, big]]) {
        assert.strictEqual((yield* Effect.flip(put(...entries))).name, "ValidationException");
      }
    }).pipe(Effect.provide(world)),
  );

  it.effect("buses are apart, and a disabled rule is silent until it is enabled", () =>
    Effect.gen(function* () {
      const { events, createQueue, drain, rule, put } = yield* connect;
      yield* createQueue("q");
      yield* call(() => events.send(new Sdk.CreateEventBusCommand({ Name: "mine" })));
      yield* rule("r", { source: ["acme"] }, [{ Id: "1", Arn: queueArn("q") }], "mine");
      const EventBusName = eventsArn("event-bus/mine");
      yield* put({}, { EventBusName });
      assert.lengthOf(yield* drain("q"), 1);
      const named = { Name: "r", EventBusName: "mine" };
      yield* call(() => events.send(new Sdk.DisableRuleCommand(named)));
      yield* put({ EventBusName });
      assert.lengthOf(yield* drain("q"), 0);
      yield* call(() => events.send(new Sdk.EnableRuleCommand(named)));
      yield* put({ EventBusName });
      assert.lengthOf(yield* drain("q"), 1);
    }).pipe(Effect.provide(world)),
  );

  it.effect("services publish to the default bus, as aws.s3", () =>
    Effect.gen(function* () {
      const { createQueue, drain, rule } = yield* connect;
      yield* createQueue("q");
      yield* rule("r", { source: ["aws.s3"], detail: { size: [{ numeric: [">", 0] }] } }, [
        { Id: "1", Arn: queueArn("q") },
      ]);
      const { publish } = yield* LocalEvents;
      const event = { source: "aws.s3", "detail-type": "Object Created", resources: [] } as const;
      yield* publish({ ...event, detail: { size: 1 } });
      yield* publish({ ...event, detail: { size: 0 } });
      assert.lengthOf(yield* drain("q"), 1);
    }).pipe(Effect.provide(layerLocalEvents.pipe(Layer.provideMerge(world)))),
  );
});

describe("inputs", () => {
  const Detail = JSON.stringify({ name: 'a "b"', n: 7, o: { k: ["x", "y"] } });

  it.effect.each([
    ["Input", { Input: '{"fixed":1}' }, '{"fixed":1}'],
    ["InputPath to a value", { InputPath: "$.detail.n" }, "7"],
    ["InputPath with brackets and an index", { InputPath: "$.detail['o'].k[1]" }, '"y"'],
    ["InputPath to a dashed name", { InputPath: "$.detail-type" }, '"Made"'],
    [
      "a JSON template",
      {
        InputTransformer: {
          InputPathsMap: {
            n: "$.detail.n",
            s: "$.detail.name",
            o: "$.detail.o",
            gone: "$.detail.z",
          },
          InputTemplate: '{"n": <n>, "s": <s>, "o": <o>, "in": "got <n> <s>", "gone": <gone>}',
        },
      },
      '{"n": 7, "s": "a \\"b\\"", "o": {"k":["x","y"]}, "in": "got 7 a \\"b\\"", "gone": ""}',
    ],
    [
      "a text template",
      {
        InputTransformer: {
          InputPathsMap: { n: "$.detail.n" },
          InputTemplate: '"rule <aws.events.rule-name> saw <n>"',
        },
      },
      '"rule r saw 7"',
    ],
  ] as const)("%s", ([, input, expected]) =>
    Effect.gen(function* () {
      const { createQueue, drain, rule, put } = yield* connect;
      yield* createQueue("q");
      yield* rule("r", { source: ["acme"] }, [{ Id: "1", Arn: queueArn("q"), ...input }]);
      yield* put({ Detail });
      assert.strictEqual((yield* drain("q"))[0]?.body, expected);
    }).pipe(Effect.provide(world)),
  );

  it.effect("aws.events.event is the event without its detail, event.json the whole", () =>
    Effect.gen(function* () {
      const { createQueue, drain, rule, put } = yield* connect;
      yield* createQueue("q");
      const InputTemplate = '{"head": <aws.events.event>, "all": <aws.events.event.json>}';
      yield* rule("r", { source: ["acme"] }, [
        { Id: "1", Arn: queueArn("q"), InputTransformer: { InputTemplate } },
      ]);
      yield* put({ Detail });
      const [message] = yield* drain("q");
      assert.isUndefined(field(message?.body, "head", "detail"));
      assert.strictEqual(field(message?.body, "all", "detail", "n"), 7);
    }).pipe(Effect.provide(world)),
  );
});

const text = (message: { readonly attributes: Readonly<Record<string, unknown>> } | undefined) =>
  Object.fromEntries(
    Object.entries(message?.attributes ?? {}).map(([name, value]) => [
      name,
      field(JSON.stringify(value), "StringValue"),
    ]),
  );

/** A queue service whose queue `busy` fails for a while as a throttled one does. */
const busyFor = (failures: number) =>
  Layer.effect(
    Sqs,
    Effect.gen(function* () {
      const sqs = yield* Sqs;
      let left = failures;
      return Sqs.of({
        ...sqs,
        send: (queue, message) =>
          queue === queueArn("busy") && left-- > 0
            ? Effect.fail(new AwsError({ code: "Throttled", message: "busy", status: 503 }))
            : sqs.send(queue, message),
      });
    }),
  ).pipe(Layer.provide(Sqs.layer));
const busyWorld = (failures: number) =>
  EventBridge.layer.pipe(
    Layer.provideMerge(Sns.layer),
    Layer.provideMerge(busyFor(failures)),
    Layer.provide(freshState),
  );
const target = (RetryPolicy: Sdk.RetryPolicy) => ({
  Id: "1",
  Arn: queueArn("busy"),
  DeadLetterConfig: { Arn: queueArn("dead") },
  RetryPolicy,
});

describe("delivery", () => {
  it.effect(
    "a missing queue never fails PutEvents: the event goes straight to the dead letters",
    () =>
      Effect.gen(function* () {
        const { createQueue, drain, rule, put } = yield* connect;
        yield* createQueue("dead");
        yield* rule("r", { source: ["acme"] }, [
          { Id: "1", Arn: queueArn("none"), DeadLetterConfig: { Arn: queueArn("dead") } },
          { Id: "2", Arn: queueArn("none") },
        ]);
        assert.strictEqual((yield* put({})).FailedEntryCount, 0);
        const [message, ...rest] = yield* drain("dead");
        assert.lengthOf(rest, 0);
        assert.strictEqual(field(message?.body, "source"), "acme");
        assert.deepStrictEqual(text(message), {
          RULE_ARN: eventsArn("rule/r"),
          TARGET_ARN: queueArn("none"),
          ERROR_CODE: "NO_RESOURCE",
          ERROR_MESSAGE: "The specified queue does not exist.",
          RETRY_ATTEMPTS: "0",
        });
      }).pipe(Effect.provide(world)),
  );

  it.effect("a target that is not ready is tried again, later each time", () =>
    Effect.gen(function* () {
      const { createQueue, drain, rule, put } = yield* connect;
      yield* Effect.forEach(["busy", "dead"], createQueue);
      yield* rule("r", { source: ["acme"] }, [target({ MaximumRetryAttempts: 3 })]);
      yield* put({});
      assert.lengthOf(yield* drain("busy"), 0);
      yield* TestClock.adjust("10 seconds");
      assert.lengthOf(yield* drain("busy"), 1);
      assert.lengthOf(yield* drain("dead"), 0);
    }).pipe(Effect.provide(busyWorld(3))),
  );

  it.effect.each([
    ["MaximumRetryAttempts", { MaximumRetryAttempts: 2 }, "2"],
    [
      "MaximumEventAgeInSeconds",
      { MaximumEventAgeInSeconds: 60, MaximumRetryAttempts: 185 },
      undefined,
    ],
  ] as const)("%s ends the retries in the dead letters", ([condition, policy, attempts]) =>
    Effect.gen(function* () {
      const { createQueue, drain, rule, put } = yield* connect;
      yield* Effect.forEach(["busy", "dead"], createQueue);
      yield* rule("r", { source: ["acme"] }, [target(policy)]);
      yield* put({});
      yield* TestClock.adjust("60 seconds");
      const attributes = text((yield* drain("dead"))[0]);
      assert.strictEqual(attributes["EXHAUSTED_RETRY_CONDITION"], condition);
      assert.strictEqual(attributes["ERROR_CODE"], "ERROR_FROM_TARGET");
      if (attempts !== undefined) assert.strictEqual(attributes["RETRY_ATTEMPTS"], attempts);
    }).pipe(Effect.provide(busyWorld(1_000))),
  );

  it.effect("what was taken before a crash is delivered after it", () =>
    Effect.gen(function* () {
      const state = Layer.succeed(LocalState, yield* LocalState);
      // The first process is dead as soon as it is built: its worker has stopped, what it is told is only stored.
      const first = yield* Layer.build(
        EventBridge.layer.pipe(
          Layer.provideMerge(Sns.layer),
          Layer.provideMerge(Sqs.layer),
          Layer.provide(state),
        ),
      ).pipe(Effect.scoped);
      yield* Effect.gen(function* () {
        const { createQueue, rule, put } = yield* connect;
        yield* createQueue("busy");
        yield* rule("r", { source: ["acme"] }, [{ Id: "1", Arn: queueArn("busy") }]);
        yield* put({});
      }).pipe(Effect.provide(first));
      const second = yield* Layer.build(services.pipe(Layer.provide(state)));
      yield* TestClock.adjust("1 minute");
      const messages = yield* Context.get(second, Sqs).receive("busy", {});
      assert.lengthOf(messages, 1);
    }).pipe(Effect.scoped, Effect.provide(freshState)),
  );
});
