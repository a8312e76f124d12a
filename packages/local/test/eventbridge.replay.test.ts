/**
 * Goal: archives keep what their pattern asks for, replays give it back as AWS documents it. Method: the unmodified
 * SDK clients over the services, without a socket; time by TestClock.
 */
import * as Sdk from "@aws-sdk/client-eventbridge";
import { assert, describe, it } from "@effect/vitest";
import { Effect } from "effect";
import { TestClock } from "effect/testing";
import { connect, eventsArn, field, queueArn, world } from "./busClient.ts";
import { call } from "./inProcess.ts";

const bus = eventsArn("event-bus/default");
const hour = new Date("2026-03-14T09:00:00Z");
const minute = (n: number) => new Date(hour.getTime() + n * 60_000);

const marks = (messages: ReadonlyArray<{ readonly body: string }>) =>
  messages.map(({ body }) => field(body, "detail", "m"));

const setUp = Effect.gen(function* () {
  const sdk = yield* connect;
  yield* TestClock.setTime(minute(60).getTime());
  yield* Effect.forEach(["all", "fresh"], sdk.createQueue);
  yield* sdk.rule("all", { source: ["acme"] }, [{ Id: "1", Arn: queueArn("all") }]);
  yield* sdk.rule("fresh", { source: ["acme"], "replay-name": [{ exists: false }] }, [
    { Id: "1", Arn: queueArn("fresh") },
  ]);
  const archive = (more: Partial<Sdk.CreateArchiveCommandInput> = {}) =>
    call(() =>
      sdk.events.send(
        new Sdk.CreateArchiveCommand({ ArchiveName: "a", EventSourceArn: bus, ...more }),
      ),
    );
  const replay = (ReplayName: string, more: Partial<Sdk.StartReplayCommandInput> = {}) =>
    call(() =>
      sdk.events.send(
        new Sdk.StartReplayCommand({
          ReplayName,
          EventSourceArn: eventsArn("archive/a"),
          EventStartTime: hour,
          EventEndTime: minute(60),
          Destination: { Arn: bus },
          ...more,
        }),
      ),
    );
  const describeReplay = (ReplayName: string) =>
    call(() => sdk.events.send(new Sdk.DescribeReplayCommand({ ReplayName })));
  const cancel = (ReplayName: string) =>
    call(() => sdk.events.send(new Sdk.CancelReplayCommand({ ReplayName })));
  const count = Effect.map(
    call(() => sdk.events.send(new Sdk.DescribeArchiveCommand({ ArchiveName: "a" }))),
    ({ EventCount }) => EventCount,
  );
  const put = (...minutes: ReadonlyArray<number>) =>
    sdk.put(...minutes.map((m) => ({ Detail: JSON.stringify({ m }), Time: minute(m) })));
  return { ...sdk, archive, replay, describeReplay, cancel, count, putAt: put };
});

describe("replays", () => {
  it.effect("a replay gives back the window in order, marked, and archives nothing again", () =>
    Effect.gen(function* () {
      const { archive, putAt, drain, replay, describeReplay, count } = yield* setUp;
      yield* archive();
      yield* putAt(30, 5, 20, 59);
      const original = yield* drain("all");
      assert.lengthOf(yield* drain("fresh"), 4);
      const started = yield* replay("again", {
        EventStartTime: minute(5),
        EventEndTime: minute(31),
      });
      assert.strictEqual(started.State, "STARTING");
      yield* TestClock.adjust("10 seconds");
      const replayed = yield* drain("all");
      assert.deepStrictEqual(marks(replayed), [5, 20, 30]);
      assert.deepStrictEqual(
        replayed.map(({ body }) => field(body, "replay-name")),
        ["again", "again", "again"],
      );
      const ids = (messages: typeof original) =>
        messages.map(({ body }) => String(field(body, "id")));
      assert.includeMembers(ids(original), ids(replayed));
      assert.lengthOf(yield* drain("fresh"), 0);
      assert.strictEqual(yield* count, 4);
      const done = yield* describeReplay("again");
      assert.strictEqual(done.State, "COMPLETED");
      assert.instanceOf(done.ReplayEndTime, Date);
    }).pipe(Effect.provide(world)),
  );

  it.effect("a replay goes minute by minute and can be watched", () =>
    Effect.gen(function* () {
      const { archive, putAt, drain, replay, describeReplay } = yield* setUp;
      yield* archive();
      yield* putAt(1, 2);
      yield* drain("all");
      yield* replay("slow");
      assert.strictEqual((yield* describeReplay("slow")).State, "STARTING");
      yield* TestClock.adjust(20);
      assert.strictEqual((yield* describeReplay("slow")).State, "RUNNING");
      yield* TestClock.adjust(20);
      const { EventLastReplayedTime } = yield* describeReplay("slow");
      assert.deepStrictEqual(EventLastReplayedTime, minute(2));
      assert.deepStrictEqual(marks(yield* drain("all")), [1]);
      yield* TestClock.adjust(100);
      assert.deepStrictEqual(marks(yield* drain("all")), [2]);
    }).pipe(Effect.provide(world)),
  );

  it.effect("FilterArns name the rules that see the replay", () =>
    Effect.gen(function* () {
      const { archive, putAt, drain, replay } = yield* setUp;
      yield* archive();
      yield* putAt(1);
      yield* drain("all");
      yield* replay("other", { Destination: { Arn: bus, FilterArns: [eventsArn("rule/fresh")] } });
      yield* TestClock.adjust("1 second");
      assert.lengthOf(yield* drain("all"), 0);
    }).pipe(Effect.provide(world)),
  );

  it.effect("a cancel while starting is not lost, and a finished replay cannot be cancelled", () =>
    Effect.gen(function* () {
      const { archive, putAt, drain, replay, describeReplay, cancel } = yield* setUp;
      yield* archive();
      yield* putAt(1);
      yield* drain("all");
      yield* replay("r");
      assert.strictEqual((yield* cancel("r")).State, "CANCELLING");
      yield* TestClock.adjust("1 second");
      assert.strictEqual((yield* describeReplay("r")).State, "CANCELLED");
      assert.lengthOf(yield* drain("all"), 0);
      assert.strictEqual((yield* Effect.flip(cancel("r"))).name, "IllegalStatusException");
    }).pipe(Effect.provide(world)),
  );

  it.effect.each([
    ["a name twice", { ReplayName: "r" }, "ResourceAlreadyExistsException"],
    [
      "an archive that is not there",
      { EventSourceArn: eventsArn("archive/x") },
      "ResourceNotFoundException",
    ],
    ["another bus", { Destination: { Arn: eventsArn("event-bus/x") } }, "ValidationException"],
    ["an end before the start", { EventEndTime: minute(-1) }, "ValidationException"],
  ] as const)("StartReplay refuses %s", ([, more, expected]) =>
    Effect.gen(function* () {
      const { archive, replay } = yield* setUp;
      yield* archive();
      yield* replay("r");
      assert.strictEqual((yield* Effect.flip(replay("s", more))).name, expected);
    }).pipe(Effect.provide(world)),
  );

  it.effect("at most ten replays run at once", () =>
    Effect.gen(function* () {
      const { archive, replay } = yield* setUp;
      yield* archive();
      yield* Effect.forEach(Array.from({ length: 10 }), (_, n) => replay(`r${n}`));
      assert.strictEqual((yield* Effect.flip(replay("r10"))).name, "LimitExceededException");
    }).pipe(Effect.provide(world)),
  );
});

describe("archives", () => {
  it.effect("an archive keeps what its pattern matches, for its retention", () =>
    Effect.gen(function* () {
      const { archive, putAt, count } = yield* setUp;
      yield* archive({ EventPattern: JSON.stringify({ detail: { m: [1, 2] } }), RetentionDays: 1 });
      yield* putAt(1, 2, 3);
      assert.strictEqual(yield* count, 2);
      yield* TestClock.adjust("25 hours");
      assert.strictEqual(yield* count, 0);
    }).pipe(Effect.provide(world)),
  );

  it.effect("archives are updated, listed and deleted", () =>
    Effect.gen(function* () {
      const { archive, events } = yield* setUp;
      assert.strictEqual((yield* archive()).ArchiveArn, eventsArn("archive/a"));
      assert.strictEqual((yield* Effect.flip(archive())).name, "ResourceAlreadyExistsException");
      const named = { ArchiveName: "a" };
      yield* call(() => events.send(new Sdk.UpdateArchiveCommand({ ...named, RetentionDays: 7 })));
      const { Archives } = yield* call(() => events.send(new Sdk.ListArchivesCommand({})));
      assert.deepStrictEqual(
        Archives?.map(({ RetentionDays }) => RetentionDays),
        [7],
      );
      const refused: ReadonlyArray<readonly [string, () => Promise<unknown>]> = [
        [
          "At most one filter",
          () => events.send(new Sdk.ListArchivesCommand({ NamePrefix: "a", State: "ENABLED" })),
        ],
        [
          "At most one filter",
          () => events.send(new Sdk.ListReplaysCommand({ NamePrefix: "a", State: "FAILED" })),
        ],
        ["NextToken", () => events.send(new Sdk.ListArchivesCommand({ NextToken: "abcd" }))],
      ];
      for (const [reason, list] of refused) {
        const error = yield* Effect.flip(call(list));
        assert.strictEqual(error.name, "ValidationException");
        assert.include(error.message, reason);
      }
      yield* call(() => events.send(new Sdk.DeleteArchiveCommand(named)));
      const gone = call(() => events.send(new Sdk.DescribeArchiveCommand(named)));
      assert.strictEqual((yield* Effect.flip(gone)).name, "ResourceNotFoundException");
    }).pipe(Effect.provide(world)),
  );
});
