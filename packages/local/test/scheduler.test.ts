/**
 * Goal: schedules and groups are managed, fire and fail as AWS documents it; what is not there is refused by name.
 * Method: the unmodified SDK client over the service, without a socket, on a test clock.
 */
import * as Sdk from "@aws-sdk/client-scheduler";
import { assert, describe, it } from "@effect/vitest";
import { Effect, FileSystem, Layer } from "effect";
import * as NodeServices from "@effect/platform-node/NodeServices";
import { TestClock } from "effect/testing";
import { LocalState } from "../src/LocalState.ts";
import { call } from "./inProcess.ts";
import {
  atIn,
  connect,
  lambdaArn,
  queueArn,
  RoleArn,
  schedulerArn,
  services,
  world,
} from "./schedulerClient.ts";

const deleted = "DELETE" as const;

type Connected = Layer.Success<typeof services>;

const target = { Arn: queueArn("q"), RoleArn };
const minute = 60_000;
const bodies = (messages: ReadonlyArray<{ readonly body: string }>) =>
  messages.map(({ body }) => body);

describe("a schedule", () => {
  it.effect("is made once, described with its defaults, and deleted", () =>
    Effect.gen(function* () {
      const { create, get, remove } = yield* connect;
      const made = yield* create({ Description: "d", State: "DISABLED" });
      assert.strictEqual(made.ScheduleArn, schedulerArn("schedule/default/s"));
      const again = yield* Effect.flip(create({}));
      assert.deepStrictEqual([again.name, again.status], ["ConflictException", 409]);
      assert.strictEqual(again.message, "Schedule s already exists.");
      const found = yield* get();
      assert.deepInclude(found, {
        Arn: schedulerArn("schedule/default/s"),
        Name: "s",
        GroupName: "default",
        Description: "d",
        State: "DISABLED",
        ScheduleExpression: "rate(1 minute)",
        ScheduleExpressionTimezone: "UTC",
        FlexibleTimeWindow: { Mode: "OFF" },
        ActionAfterCompletion: "NONE",
        Target: {
          ...target,
          Input: "hello",
          RetryPolicy: { MaximumEventAgeInSeconds: 86_400, MaximumRetryAttempts: 185 },
        },
      });
      assert.instanceOf(found.CreationDate, Date);
      yield* remove();
      for (const effect of [get(), remove()]) {
        const gone = yield* Effect.flip(Effect.asVoid(effect));
        assert.deepStrictEqual([gone.name, gone.status], ["ResourceNotFoundException", 404]);
      }
    }).pipe(Effect.provide(world)),
  );

  it.effect("is made once when the same request is sent again", () =>
    Effect.gen(function* () {
      const { create } = yield* connect;
      const first = yield* create({ ClientToken: "one" });
      assert.deepStrictEqual(
        (yield* create({ ClientToken: "one" })).ScheduleArn,
        first.ScheduleArn,
      );
      const other = yield* Effect.flip(create({ ClientToken: "two" }));
      assert.strictEqual(other.name, "ConflictException");
    }).pipe(Effect.provide(world)),
  );

  it.effect("with at() fires once, in its second, and stays without an action", () =>
    Effect.gen(function* () {
      const { create, createQueue, drainAfter, get } = yield* connect;
      yield* createQueue("q");
      yield* create({ ScheduleExpression: yield* atIn(20 * minute) });
      assert.deepStrictEqual(yield* drainAfter(20 * minute - 1), []);
      assert.deepStrictEqual(bodies(yield* drainAfter(1)), ["hello"]);
      assert.deepStrictEqual(yield* drainAfter(60 * minute), []);
      assert.strictEqual((yield* get()).State, "ENABLED");
    }).pipe(Effect.provide(world)),
  );

  it.effect("with DELETE is gone when it has fired, and its name is free again", () =>
    Effect.gen(function* () {
      const { create, createQueue, drainAfter, get } = yield* connect;
      yield* createQueue("q");
      const oneTime = { ScheduleExpression: yield* atIn(minute), ActionAfterCompletion: deleted };
      yield* create(oneTime);
      assert.deepStrictEqual(bodies(yield* drainAfter(minute)), ["hello"]);
      assert.strictEqual((yield* Effect.flip(get())).name, "ResourceNotFoundException");
      yield* create({ ScheduleExpression: yield* atIn(minute) });
      assert.deepStrictEqual(bodies(yield* drainAfter(minute)), ["hello"]);
    }).pipe(Effect.provide(world)),
  );

  it.effect("with rate() fires at once, then in its rhythm from its start to its end", () =>
    Effect.gen(function* () {
      const { create, createQueue, drainAfter } = yield* connect;
      yield* createQueue("q");
      yield* createQueue("spanned");
      yield* create({ ScheduleExpression: "rate(5 minutes)" });
      yield* create({
        Name: "spanned",
        ScheduleExpression: "rate(5 minutes)",
        StartDate: new Date(10 * minute),
        EndDate: new Date(20 * minute),
        Target: { ...target, Arn: queueArn("spanned") },
        ActionAfterCompletion: "DELETE",
      });
      assert.strictEqual((yield* drainAfter(0)).length, 1);
      assert.strictEqual((yield* drainAfter(5 * minute - 1)).length, 0);
      assert.strictEqual((yield* drainAfter(1)).length, 1);
      assert.strictEqual((yield* drainAfter(0, "spanned")).length, 0);
      assert.strictEqual((yield* drainAfter(5 * minute, "spanned")).length, 1);
      assert.strictEqual((yield* drainAfter(60 * minute, "spanned")).length, 2);
      assert.strictEqual((yield* drainAfter(0)).length, 10);
      const { get } = yield* connect;
      assert.strictEqual((yield* Effect.flip(get("spanned"))).name, "ResourceNotFoundException");
    }).pipe(Effect.provide(world)),
  );

  it.effect("with cron() fires by the clocks of its time zone", () =>
    Effect.gen(function* () {
      const { create, createQueue, drainAfter, sqs } = yield* connect;
      yield* createQueue("q");
      yield* TestClock.setTime(Date.UTC(2026, 2, 28));
      yield* create({
        ScheduleExpression: "cron(0 9 * * ? *)",
        ScheduleExpressionTimezone: "Europe/Berlin",
        Target: { ...target, Input: "<aws.scheduler.scheduled-time>" },
      });
      yield* TestClock.adjust("3 days");
      assert.deepStrictEqual(bodies(yield* sqs.receive("q", { max: 10 })).toSorted(), [
        "2026-03-28T08:00:00Z",
        // The clocks go forward.
        "2026-03-29T07:00:00Z",
        "2026-03-30T07:00:00Z",
      ]);
      assert.deepStrictEqual(yield* drainAfter(0), []);
    }).pipe(Effect.provide(world)),
  );

  it.effect("fires at one moment of its flexible window", () =>
    Effect.gen(function* () {
      const { create, createQueue, drainAfter } = yield* connect;
      yield* createQueue("q");
      yield* create({
        ScheduleExpression: yield* atIn(minute),
        FlexibleTimeWindow: { Mode: "FLEXIBLE", MaximumWindowInMinutes: 30 },
      });
      assert.strictEqual((yield* drainAfter(minute - 1)).length, 0);
      assert.strictEqual((yield* drainAfter(30 * minute + 1)).length, 1);
    }).pipe(Effect.provide(world)),
  );

  it.effect("that is disabled does not fire, and goes on when it is enabled", () =>
    Effect.gen(function* () {
      const { create, createQueue, drainAfter, update } = yield* connect;
      yield* createQueue("q");
      const StartDate = new Date(minute);
      yield* create({ State: "DISABLED", StartDate });
      assert.deepStrictEqual(yield* drainAfter(10 * minute), []);
      yield* update({ StartDate });
      assert.strictEqual((yield* drainAfter(minute)).length, 2);
    }).pipe(Effect.provide(world)),
  );

  it.effect("that is changed or deleted before its time does what it is then", () =>
    Effect.gen(function* () {
      const { create, createQueue, drainAfter, remove, update } = yield* connect;
      yield* createQueue("q");
      const ScheduleExpression = yield* atIn(10 * minute);
      yield* create({ ScheduleExpression });
      yield* create({ Name: "other", ScheduleExpression });
      const gone = yield* Effect.flip(update({ Name: "third" }));
      assert.strictEqual(gone.name, "ResourceNotFoundException");
      yield* update({
        ScheduleExpression: yield* atIn(20 * minute),
        Target: { ...target, Input: "new" },
      });
      yield* remove("other");
      assert.deepStrictEqual(yield* drainAfter(20 * minute - 1), []);
      assert.deepStrictEqual(bodies(yield* drainAfter(1)), ["new"]);
    }).pipe(Effect.provide(world)),
  );
});

describe("a target", () => {
  it.effect("gets its input with the keywords replaced, or the standard event", () =>
    Effect.gen(function* () {
      const { create, createQueue, drainAfter } = yield* connect;
      yield* createQueue("q");
      const Input =
        "<aws.scheduler.schedule-arn> <aws.scheduler.scheduled-time> <aws.scheduler.execution-id> <aws.scheduler.attempt-number>";
      yield* create({
        ScheduleExpression: "at(1970-01-01T00:01:00)",
        Target: { ...target, Input },
      });
      const [text] = bodies(yield* drainAfter(minute));
      assert.match(
        text ?? "",
        /^arn:aws:scheduler:us-east-1:000000000000:schedule\/default\/s 1970-01-01T00:01:00Z [0-9a-f]{16} 1$/u,
      );
      yield* create({ Name: "plain", Target: target });
      const [event = ""] = bodies(yield* drainAfter(0));
      assert.deepInclude(JSON.parse(event), {
        version: "0",
        "detail-type": "Scheduled Event",
        source: "aws.scheduler",
        time: "1970-01-01T00:01:00Z",
        resources: [schedulerArn("schedule/default/plain")],
        detail: "{}",
      });
    }).pipe(Effect.provide(world)),
  );

  it.effect("that is a hosted function is invoked with its input", () =>
    Effect.gen(function* () {
      const { create, functions } = yield* connect;
      yield* create({ Target: { Arn: lambdaArn("worker"), RoleArn, Input: '{"a":1}' } });
      assert.deepStrictEqual(yield* functions.take("worker"), { a: 1 });
    }).pipe(Effect.provide(world)),
  );

  it.effect("that is not there sends the firing to the dead-letter queue, with its cause", () =>
    Effect.gen(function* () {
      const { create, createQueue, drainAfter } = yield* connect;
      yield* createQueue("dead");
      const DeadLetterConfig = { Arn: queueArn("dead") };
      for (const [Arn, code] of [
        [queueArn("missing"), "QueueDoesNotExist"],
        [lambdaArn("missing"), "ResourceNotFoundException"],
        [lambdaArn("worker"), "InvalidRequestContentException"],
      ] as const) {
        const Name = code;
        yield* create({
          Name,
          ScheduleExpression: "at(1970-01-01T00:00:00)",
          Target: { ...target, Arn, Input: "no JSON", DeadLetterConfig },
        });
        const [letter] = yield* drainAfter(0, "dead");
        assert.strictEqual(letter?.body, "no JSON");
        const texts = Object.fromEntries(
          Object.entries(letter?.attributes ?? {}).map(([name, { StringValue }]) => [
            name,
            StringValue,
          ]),
        );
        assert.deepInclude(texts, {
          SCHEDULE_ARN: schedulerArn(`schedule/default/${Name}`),
          TARGET_ARN: Arn,
          ERROR_CODE: code,
          RETRY_ATTEMPTS: "0",
          SCHEDULED_TIME: "1970-01-01T00:00:00Z",
          IS_PAYLOAD_TRUNCATED: "false",
        });
        assert.match(texts["EXECUTION_ID"] ?? "", /^[0-9a-f]{16}$/u);
        assert.isNotEmpty(texts["ERROR_MESSAGE"]);
      }
    }).pipe(Effect.provide(world)),
  );
});

describe("a process that ends", () => {
  it.live("fires at its next start what came due meanwhile, once", () =>
    Effect.gen(function* () {
      const fs = yield* FileSystem.FileSystem;
      const directory = yield* fs.makeTempDirectoryScoped();
      const processAt = <A, E>(epochMs: number, effect: Effect.Effect<A, E, Connected>) =>
        TestClock.setTime(epochMs).pipe(
          Effect.andThen(
            Effect.provide(
              effect,
              Layer.provide(Layer.fresh(services), LocalState.layerDirectory(directory)),
            ),
          ),
          Effect.provide(TestClock.layer()),
        );
      yield* processAt(
        0,
        Effect.gen(function* () {
          const { create, createQueue, sqs } = yield* connect;
          yield* createQueue("q");
          const ScheduleExpression = "at(1970-01-01T01:00:00)";
          yield* create({ ScheduleExpression, ActionAfterCompletion: "DELETE" });
          const Target = { ...target, Input: "often" };
          yield* create({ Name: "often", StartDate: new Date(minute), Target });
          assert.deepStrictEqual(yield* sqs.receive("q", { max: 10 }), []);
        }),
      );
      yield* processAt(
        24 * 60 * minute + 1_000,
        Effect.gen(function* () {
          const { drainAfter, get } = yield* connect;
          assert.deepStrictEqual(bodies(yield* drainAfter(1)).toSorted(), ["hello", "often"]);
          assert.strictEqual((yield* Effect.flip(get())).name, "ResourceNotFoundException");
          assert.deepStrictEqual(bodies(yield* drainAfter(minute)), ["often"]);
        }),
      );
    }).pipe(Effect.scoped, Effect.provide(NodeServices.layer)),
  );
});

describe("groups", () => {
  it.effect("hold schedules of the same name apart, and take them along when they go", () =>
    Effect.gen(function* () {
      const { client, create, createQueue, drainAfter, get } = yield* connect;
      yield* createQueue("q");
      const make = call(() => client.send(new Sdk.CreateScheduleGroupCommand({ Name: "g" })));
      const missing = yield* Effect.flip(create({ GroupName: "g" }));
      assert.strictEqual(missing.name, "ResourceNotFoundException");
      assert.strictEqual((yield* make).ScheduleGroupArn, schedulerArn("schedule-group/g"));
      assert.strictEqual((yield* Effect.flip(make)).name, "ConflictException");
      const ScheduleExpression = yield* atIn(minute);
      yield* create({ GroupName: "g", ScheduleExpression });
      yield* create({ ScheduleExpression });
      const described = yield* call(() =>
        client.send(new Sdk.GetScheduleGroupCommand({ Name: "g" })),
      );
      assert.deepInclude(described, { Name: "g", State: "ACTIVE" });
      yield* call(() => client.send(new Sdk.DeleteScheduleGroupCommand({ Name: "g" })));
      assert.strictEqual((yield* Effect.flip(get("s", "g"))).name, "ResourceNotFoundException");
      assert.strictEqual((yield* drainAfter(minute)).length, 1);
      const fixed = call(() =>
        client.send(new Sdk.DeleteScheduleGroupCommand({ Name: "default" })),
      );
      assert.strictEqual((yield* Effect.flip(fixed)).name, "ValidationException");
    }).pipe(Effect.provide(world)),
  );

  it.effect("and schedules are listed page by page, by group, prefix and state", () =>
    Effect.gen(function* () {
      const { client, create } = yield* connect;
      yield* call(() => client.send(new Sdk.CreateScheduleGroupCommand({ Name: "g" })));
      const State = "DISABLED";
      for (const Name of ["a1", "a2", "b"]) yield* create({ Name, State });
      yield* create({ Name: "a3", GroupName: "g", ScheduleExpression: yield* atIn(minute) });
      const list = (input: Sdk.ListSchedulesCommandInput) =>
        Effect.map(
          call(() => client.send(new Sdk.ListSchedulesCommand(input))),
          ({ NextToken, Schedules = [] }) => ({
            NextToken,
            names: Schedules.map(({ Name }) => Name),
          }),
        );
      assert.deepStrictEqual((yield* list({})).names, ["a1", "a2", "b", "a3"]);
      assert.deepStrictEqual((yield* list({ NamePrefix: "a" })).names, ["a1", "a2", "a3"]);
      assert.deepStrictEqual((yield* list({ GroupName: "g" })).names, ["a3"]);
      assert.deepStrictEqual((yield* list({ State: "ENABLED" })).names, ["a3"]);
      const first = yield* list({ MaxResults: 3 });
      assert.deepStrictEqual(first.names, ["a1", "a2", "b"]);
      const { NextToken } = first;
      assert.deepStrictEqual((yield* list({ MaxResults: 3, NextToken })).names, ["a3"]);
      const groups = yield* call(() => client.send(new Sdk.ListScheduleGroupsCommand({})));
      assert.deepStrictEqual(
        groups.ScheduleGroups?.map(({ Name }) => Name),
        ["default", "g"],
      );
      for (const wrong of [{ MaxResults: 0 }, { NextToken: "x" }, { GroupName: "none" }]) {
        assert.match((yield* Effect.flip(list(wrong))).name, /^(Validation|ResourceNotFound)Ex/u);
      }
    }).pipe(Effect.provide(world)),
  );
});
