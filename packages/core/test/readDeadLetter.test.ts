/**
 * Goal: whatever lies in a dead-letter queue reads as a dead letter, whoever put it there.
 */
import { assert, describe, it } from "@effect/vitest";
import { DeadLetter, MessageQueue, toEventText } from "@millrace/core";
import { Cause, Effect } from "effect";
import { encodeWorkerMessage } from "../src/WorkerMessage.ts";

const object = {
  bucket: "raw",
  key: "in/a+b %2B.csv",
  versionId: "v1",
  etag: "e1",
  sizeBytes: 3,
  sequencer: "01",
  eventEpochMs: 1_000,
};
const attributes = {
  ApproximateReceiveCount: "3",
  SentTimestamp: "2000",
  ApproximateFirstReceiveTimestamp: "2100",
};

describe("a dead letter", () => {
  it.effect("of ours is read as it was written, with its object", () =>
    Effect.gen(function* () {
      const bodies: Array<string> = [];
      const original = toEventText(object);
      yield* DeadLetter.send(
        { pipeline: "p", queue: "q", subject: "s", original },
        Cause.fail(new Error("broken")),
        { execution: { workflow: "W", executionId: "abc" }, attempts: 2 },
      ).pipe(
        Effect.provideService(MessageQueue, {
          send: (_queue, body) => Effect.sync(() => void bodies.push(body)),
        }),
      );
      const body = bodies[0] ?? "";
      const { from, letter, objects } = yield* DeadLetter.readDeadLetter({ pipeline: "x", body });
      assert.strictEqual(from, "pipeline");
      assert.deepStrictEqual(letter, yield* DeadLetter.decodeEnvelope(body));
      assert.deepStrictEqual(objects, [object]);
    }),
  );

  it.effect("that the queue gave up on names its object, its receives and its text", () =>
    Effect.gen(function* () {
      const body = toEventText(object);
      const read = yield* DeadLetter.readDeadLetter({ pipeline: "p", body, attributes });
      assert.strictEqual(read.from, "queue");
      assert.deepStrictEqual(read.objects, [object]);
      assert.deepInclude(read.letter, {
        pipeline: "p",
        subject: "raw/in/a+b %2B.csv@v1",
        attempts: 3,
        firstEpochMs: 2_100,
        original: body,
      });
      assert.strictEqual(read.letter.cause.tag, "GivenUp");
    }),
  );

  it.effect("that was a wake names its execution", () =>
    Effect.gen(function* () {
      const body = encodeWorkerMessage({
        _tag: "Wake",
        millrace: 1,
        workflow: "W",
        executionId: "abc",
        mode: "automatic",
      });
      const { letter } = yield* DeadLetter.readDeadLetter({ pipeline: "p", body, attributes });
      assert.deepStrictEqual(letter.execution, { workflow: "W", executionId: "abc" });
      assert.strictEqual(letter.subject, "abc");
    }),
  );

  it.effect("that a rule could not deliver tells why", () =>
    Effect.gen(function* () {
      const read = yield* DeadLetter.readDeadLetter({
        pipeline: "p",
        body: toEventText(object),
        attributes: { ...attributes, ApproximateReceiveCount: "1" },
        messageAttributes: {
          RULE_ARN: "arn:aws:events:us-east-1:1:rule/r",
          ERROR_CODE: "NO_PERMISSIONS",
          ERROR_MESSAGE: "not authorised",
          RETRY_ATTEMPTS: "4",
        },
      });
      assert.strictEqual(read.from, "delivery");
      assert.strictEqual(read.letter.cause.tag, "NO_PERMISSIONS");
      assert.include(read.letter.cause.message, "not authorised");
      assert.strictEqual(read.letter.attempts, 5);
    }),
  );

  it.effect("that nobody can read is read all the same", () =>
    Effect.gen(function* () {
      const { letter, objects } = yield* DeadLetter.readDeadLetter({
        pipeline: "p",
        body: "what?",
      });
      assert.deepStrictEqual(objects, []);
      assert.deepInclude(letter, { subject: "p", original: "what?", failureClass: "permanent" });
      assert.strictEqual(letter.cause.tag, "MessageUnreadable");
    }),
  );
});
