/**
 * Goal: the host treats a function and its messages as Lambda's event source mapping does.
 * Method: a stub function that does what each message orders, on a queue of the embedded AWS whose messages come back
 * after four seconds; the answer's forms one by one.
 */
import { fileURLToPath } from "node:url";
import {
  CreateQueueCommand,
  GetQueueAttributesCommand,
  SendMessageBatchCommand,
  SQSClient,
} from "@aws-sdk/client-sqs";
import { NodeServices } from "@effect/platform-node";
import { assert, describe, it, layer } from "@effect/vitest";
import {
  clientConfig,
  EmbeddedAws,
  type HostEvent,
  layerLocalMode,
  queueArn,
} from "@millrace/local";
import { Effect, Layer, Option, PubSub, Schedule, Schema } from "effect";
import { failedMessages, runMapping } from "../packages/local/src/host/EventSourceMapping.ts";

interface Order {
  readonly name: string;
  readonly first: string;
  readonly again?: string;
}

const Line = Schema.fromJsonString(
  Schema.Struct({
    name: Schema.String,
    order: Schema.String,
    receives: Schema.Int,
    batch: Schema.Int,
  }),
);
const decodeLine = Schema.decodeUnknownOption(Line);
const look = Schedule.spaced("25 millis");

/** A queue with a dead-letter queue behind it, and the stub function at work on it. */
const makeStub = Effect.fnUntraced(function* (
  name: string,
  options: {
    readonly batchSize?: number;
    readonly concurrencyMax?: number;
    readonly fixture?: string;
  },
) {
  const connection = yield* EmbeddedAws;
  const sqs = new SQSClient({ ...clientConfig(connection), maxAttempts: 1 });
  const dead = yield* Effect.promise(() =>
    sqs.send(new CreateQueueCommand({ QueueName: `${name}-dead` })),
  );
  const { QueueUrl } = yield* Effect.promise(() =>
    sqs.send(
      new CreateQueueCommand({
        QueueName: name,
        Attributes: {
          VisibilityTimeout: "4",
          RedrivePolicy: JSON.stringify({
            deadLetterTargetArn: queueArn(`${name}-dead`),
            maxReceiveCount: 2,
          }),
        },
      }),
    ),
  );
  const send = (orders: ReadonlyArray<Order>) =>
    Effect.promise(() =>
      sqs.send(
        new SendMessageBatchCommand({
          QueueUrl,
          Entries: orders.map((order, index) => ({
            Id: String(index),
            MessageBody: JSON.stringify(order),
          })),
        }),
      ),
    );
  const countOf = (url: string | undefined) =>
    Effect.promise(() =>
      sqs.send(new GetQueueAttributesCommand({ QueueUrl: url, AttributeNames: ["All"] })),
    ).pipe(
      Effect.map(
        ({ Attributes = {} }) =>
          Number(Attributes["ApproximateNumberOfMessages"]) +
          Number(Attributes["ApproximateNumberOfMessagesNotVisible"]),
      ),
    );
  const pubsub = yield* PubSub.unbounded<HostEvent>();
  const subscription = yield* PubSub.subscribe(pubsub);
  const events: Array<HostEvent> = [];
  const lines: Array<typeof Line.Type & { readonly pid: number }> = [];
  yield* Effect.forkScoped(
    Effect.forever(
      Effect.map(PubSub.take(subscription), (event) => {
        events.push(event);
        const line = event._tag === "Line" ? decodeLine(event.line) : Option.none();
        if (Option.isSome(line)) lines.push({ ...line.value, pid: event.pid });
      }),
    ),
  );
  const start = Effect.forkScoped(
    runMapping(
      {
        function: {
          name: "stub",
          file: fileURLToPath(
            new URL(`fixtures/${options.fixture ?? "stubHandler"}.ts`, import.meta.url),
          ),
          timeoutSeconds: 1,
          variables: {},
        },
        queueName: name,
        batchSize: options.batchSize ?? 10,
        concurrencyMax: options.concurrencyMax ?? 1,
      },
      pubsub,
    ),
  );
  return {
    send,
    start,
    events,
    lines,
    until: (isTrue: () => boolean) =>
      Effect.asVoid(Effect.repeat(Effect.sync(isTrue), { until: (is) => is, schedule: look })),
    /** Waits until the queue is empty; tells how many messages it gave up. */
    emptied: Effect.repeat(countOf(QueueUrl), {
      until: (count) => count === 0,
      schedule: look,
    }).pipe(Effect.andThen(countOf(dead.QueueUrl))),
  };
});

const failuresOf = (events: ReadonlyArray<HostEvent>) =>
  events.flatMap((event) => (event._tag === "InvocationFailed" ? [event.reason] : []));

const world = Layer.provideMerge(layerLocalMode({ workers: false }), NodeServices.layer);

// Side by side, because each of them mostly waits; every case has its queue and its process.
layer(world, { timeout: "30 seconds", excludeTestServices: true, concurrent: true })(
  "a function",
  (it) => {
    const failing: ReadonlyArray<readonly [string, string, RegExp]> = [
      ["throws", "throw", /threw RangeError: as ordered by b/],
      ["takes longer than its timeout", "hang", /timed out after 1 second/],
      ["ends its process", "exit", /ended during an invocation \(exit code 3\)/],
    ];
    for (const [what, order, reason] of failing) {
      it.effect(`that ${what} keeps the whole batch, which comes back`, () =>
        Effect.gen(function* () {
          const { emptied, events, lines, send, start } = yield* makeStub(`stub-${order}`, {});
          yield* send([
            { name: "a", first: "succeed" },
            { name: "b", first: order },
            { name: "c", first: "succeed" },
          ]);
          yield* start;
          assert.strictEqual(yield* emptied, 0);
          assert.lengthOf(failuresOf(events), 1);
          assert.match(failuresOf(events)[0] ?? "", reason);
          const again = lines.filter(({ receives }) => receives === 2).map(({ name }) => name);
          assert.deepStrictEqual(again.toSorted(), ["a", "b", "c"]);
        }).pipe(Effect.scoped),
      );
    }

    const partial: ReadonlyArray<readonly [string, string, ReadonlyArray<string>]> = [
      ["names a failed message gets that one back, and no other", "fail", ["b"]],
      [
        "names a message that was not in the batch gets all back",
        "name a stranger",
        ["a", "b", "c"],
      ],
      ["answers nonsense gets all back", "answer nonsense", ["a", "b", "c"]],
    ];
    for (const [what, order, back] of partial) {
      it.effect(`that ${what}`, () =>
        Effect.gen(function* () {
          const name = `stub-${order.replaceAll(" ", "-")}`;
          const { emptied, events, lines, send, start } = yield* makeStub(name, {});
          yield* send([
            { name: "a", first: "succeed" },
            { name: "b", first: order },
            { name: "c", first: "succeed" },
          ]);
          yield* start;
          assert.strictEqual(yield* emptied, 0);
          assert.deepStrictEqual(failuresOf(events), []);
          const again = lines.filter(({ receives }) => receives === 2).map(({ name }) => name);
          assert.deepStrictEqual(again.toSorted(), back);
          // The process is kept warm: nothing that it answers costs it its life.
          assert.lengthOf(new Set(lines.map(({ pid }) => pid)), 1);
        }).pipe(Effect.scoped),
      );
    }

    it.effect("that fails a message each time loses it to the dead-letter queue only", () =>
      Effect.gen(function* () {
        const { emptied, lines, send, start } = yield* makeStub("stub-always", {});
        yield* send([
          { name: "bad", first: "fail", again: "fail" },
          { name: "good", first: "succeed" },
        ]);
        yield* start;
        assert.strictEqual(yield* emptied, 1);
        assert.deepStrictEqual(
          lines.filter(({ name }) => name === "bad").map(({ receives }) => receives),
          [1, 2],
        );
        assert.lengthOf(
          lines.filter(({ name }) => name === "good"),
          1,
        );
      }).pipe(Effect.scoped),
    );

    it.effect("whose module is broken loses no message", () =>
      Effect.gen(function* () {
        const { emptied, send, start } = yield* makeStub("stub-broken", {
          fixture: "brokenHandler",
        });
        yield* send([{ name: "a", first: "succeed" }]);
        yield* start;
        assert.strictEqual(yield* emptied, 1);
      }).pipe(Effect.scoped),
    );

    it.effect("runs at most as often at the same time as its concurrency says", () =>
      Effect.gen(function* () {
        const { emptied, events, send, start } = yield* makeStub("stub-many", {
          batchSize: 1,
          concurrencyMax: 2,
        });
        yield* send(
          Array.from({ length: 6 }, (_, index) => ({ name: `m${index}`, first: "pause" })),
        );
        yield* start;
        assert.strictEqual(yield* emptied, 0);
        let running = 0;
        let most = 0;
        for (const { _tag } of events) {
          if (_tag === "InvocationStarted") most = Math.max(most, ++running);
          if (_tag === "InvocationEnded") running--;
        }
        assert.strictEqual(most, 2);
        assert.lengthOf(
          events.filter(({ _tag }) => _tag === "EnvironmentStarted"),
          2,
        );
      }).pipe(Effect.scoped),
    );

    it.effect("whose idle process is killed gets a new one with the next message", () =>
      Effect.gen(function* () {
        const { emptied, events, lines, send, start, until } = yield* makeStub("stub-idle", {});
        yield* start;
        yield* send([{ name: "one", first: "succeed" }]);
        yield* until(() => events.some(({ _tag }) => _tag === "InvocationEnded"));
        const victim = lines[0]?.pid ?? 0;
        process.kill(victim, "SIGKILL");
        yield* send([{ name: "two", first: "succeed" }]);
        assert.strictEqual(yield* emptied, 0);
        const two = lines.find(({ name }) => name === "two");
        assert.isDefined(two);
        assert.notStrictEqual(two?.pid, victim);
      }).pipe(Effect.scoped),
    );
  },
);

describe("the answer of a function", () => {
  const messages = [{ messageId: "a" }, { messageId: "b" }];
  const cases: ReadonlyArray<readonly [string, unknown, ReadonlyArray<string>]> = [
    ["nothing", undefined, []],
    ["null", null, []],
    ["an empty object", {}, []],
    ["an empty list", { batchItemFailures: [] }, []],
    ["a null list", { batchItemFailures: null }, []],
    ["one message", { batchItemFailures: [{ itemIdentifier: "b" }] }, ["b"]],
    [
      "one message twice",
      { batchItemFailures: [{ itemIdentifier: "b" }, { itemIdentifier: "b" }] },
      ["b"],
    ],
    ["an unknown message", { batchItemFailures: [{ itemIdentifier: "c" }] }, ["a", "b"]],
    ["an empty name", { batchItemFailures: [{ itemIdentifier: "" }] }, ["a", "b"]],
    ["a null name", { batchItemFailures: [{ itemIdentifier: null }] }, ["a", "b"]],
    ["another key", { batchItemFailures: [{ messageId: "a" }] }, ["a", "b"]],
    ["a list of texts", { batchItemFailures: ["a"] }, ["a", "b"]],
  ];
  for (const [what, response, back] of cases) {
    it(`${what} brings back ${back.length === 0 ? "no message" : back.join(" and ")}`, () => {
      assert.deepStrictEqual([...failedMessages(response, messages)], back);
    });
  }
});
