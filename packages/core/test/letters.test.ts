/**
 * Goal: a dead letter reads the same whoever gave up, and leads back once, wherever a process dies on the way.
 * Method: letters as texts; the real engine for the executions that they are about; a queue that notes what it is sent.
 */
import { assert, describe, it } from "@effect/vitest";
import { DeadLetter, MessageQueue, Operations, toEventText } from "@millrace/core";
import { Cause, Effect, Schema } from "effect";
import { Workflow } from "effect/workflow";
import { makeFailing, stoppedWorld } from "./stoppedWorld.ts";

class Broken extends Schema.TaggedError<Broken>()("Broken", { why: Schema.String }) {
  readonly failureClass = "permanent";
  override get message(): string {
    return `broken: ${this.why}`;
  }
}

const event = toEventText({
  bucket: "raw",
  key: "incoming/a+b.csv",
  versionId: "v1",
  etag: "e",
  sizeBytes: 3,
  sequencer: "01",
  eventEpochMs: 0,
});

const queueThatNotes = () => {
  const sent: Array<string> = [];
  const layer = {
    send: (_queue: string, body: string) => Effect.sync(() => void sent.push(body)),
  };
  return { sent, layer };
};

/** The text of a letter as a pipeline sends it. */
const envelope = Effect.fnUntraced(function* (
  original: string,
  execution?: { readonly workflow: string; readonly executionId: string },
) {
  const { layer, sent } = queueThatNotes();
  const address = { pipeline: "csv", queue: "letters", subject: "raw/a.csv@1", original };
  yield* DeadLetter.send(address, Cause.fail(new Broken({ why: "no text" })), {
    ...(execution && { execution }),
  }).pipe(Effect.provideService(MessageQueue, layer));
  return sent[0] ?? "";
});

const raw = (body: string): Operations.RawLetter => ({
  id: "letter-1",
  body,
  sentEpochMs: 5,
  firstEpochMs: 4,
  receiveCount: 3,
});

describe("a dead letter", () => {
  it.effect("of the pipeline names its cause, its execution, and the redrive", () =>
    Effect.gen(function* () {
      const execution = { workflow: "Csv", executionId: "e1" };
      const letter = yield* Operations.readLetter("csv", raw(yield* envelope(event, execution)));
      assert.deepInclude(letter, {
        id: "letter-1",
        origin: "pipeline",
        subject: "raw/a.csv@1",
        cause: { tag: "Broken", message: "broken: no text" },
        failureClass: "permanent",
        execution,
        attempts: 1,
        original: event,
      });
      assert.isDefined(letter.copyOf);
      assert.deepStrictEqual(Operations.wayBackOf(letter), { _tag: "Redrive", executionId: "e1" });
    }),
  );

  it.effect("about a message is sent again, unless its original was cut", () =>
    Effect.gen(function* () {
      const letter = yield* Operations.readLetter("csv", raw(yield* envelope("unreadable")));
      assert.deepStrictEqual(Operations.wayBackOf(letter), { _tag: "Send", body: "unreadable" });
      const long = yield* Operations.readLetter(
        "csv",
        raw(yield* envelope("x".repeat(1024 * 1024))),
      );
      assert.strictEqual(Operations.wayBackOf(long)._tag, "None");
    }),
  );

  it.effect("of the queue or a rule reads the same, and goes back as it was", () =>
    Effect.gen(function* () {
      const wake = { _tag: "Wake", millrace: 1, workflow: "Csv", executionId: "e1" };
      const body = JSON.stringify({ ...wake, mode: "automatic" });
      const undelivered = { code: "NO_RESOURCE", message: "the queue was gone", retries: 4 };
      const [ofEvent, ofWake, ofNobody, ofRule] = yield* Effect.forEach(
        [raw(event), raw(body), raw("what is this"), { ...raw(event), undelivered }],
        (one) => Operations.readLetter("csv", one),
      );
      assert.deepInclude(ofEvent, {
        origin: "queue",
        subject: "raw/incoming/a+b.csv@v1",
        receiveCount: 3,
        attempts: 3,
        firstEpochMs: 4,
        lastEpochMs: 5,
        atEpochMs: 5,
      });
      assert.strictEqual(ofEvent?.cause.tag, "ReceivedTooOften");
      assert.deepInclude(ofWake, {
        subject: "Wake of e1",
        execution: { workflow: "Csv", executionId: "e1" },
      });
      assert.deepInclude(ofNobody, { origin: "queue", failureClass: "permanent" });
      assert.strictEqual(ofNobody?.cause.tag, "MessageUnreadable");
      assert.notInclude(ofNobody?.subject ?? "", "what is this");
      assert.deepInclude(ofRule, {
        origin: "rule",
        attempts: 5,
        cause: { tag: "NO_RESOURCE", message: "the queue was gone" },
      });
      assert.deepStrictEqual(
        [ofEvent, ofWake, ofNobody, ofRule].map((letter) => letter && Operations.wayBackOf(letter)),
        [event, body, "what is this", event].map((text) => ({ _tag: "Send" as const, body: text })),
      );
    }),
  );
});

const options = { queue: "csv", reason: "repaired" };

/** A failed execution, the letter that it sent, and a queue. */
const failedWithLetter = Effect.fnUntraced(function* (
  world: Effect.Success<ReturnType<typeof stoppedWorld>>,
) {
  const { layer, sent } = queueThatNotes();
  const execution = { workflow: world.workflow._tag, executionId: world.executionId };
  const letter = yield* Operations.readLetter("csv", raw(yield* envelope(event, execution)));
  return {
    letter,
    sent,
    check: world.operate(Operations.checkLetter(letter)),
    bringBack: world.operate(
      Operations.returnLetter(letter, options).pipe(Effect.provideService(MessageQueue, layer)),
    ),
  };
});

describe("returning a letter", () => {
  it.live("redrives its execution once, even when the letter could not be removed", () =>
    Effect.gen(function* () {
      const world = yield* stoppedWorld(({ step }) => step("one"), ["one"]);
      const { bringBack, check, sent } = yield* failedWithLetter(world);
      assert.deepStrictEqual(yield* check, { outcome: "redriven" });
      assert.deepStrictEqual(yield* world.events, world.history);
      assert.deepStrictEqual(yield* bringBack, { outcome: "redriven" });
      // The process died here, before it removed the letter.
      assert.strictEqual((yield* bringBack).outcome, "settled");
      assert.strictEqual((yield* check).outcome, "settled");
      const redrives = (yield* world.events).filter(({ _tag }) => _tag === "Redriven");
      assert.lengthOf(redrives, 1);
      assert.deepStrictEqual(sent, []);
    }),
  );

  it.live("leaves one whose execution has undone its steps, and says what to do", () =>
    Effect.gen(function* () {
      const world = yield* stoppedWorld(
        ({ step }) =>
          Effect.andThen(
            step("reserve").pipe(Workflow.withCompensation(() => Effect.orDie(step("release")))),
            step("pay"),
          ),
        ["pay"],
        makeFailing(),
      );
      const { bringBack, check, sent } = yield* failedWithLetter(world);
      for (const returned of [yield* check, yield* bringBack]) {
        assert.strictEqual(returned.outcome, "refused");
        assert.match(returned.reason ?? "", /fork it from the start instead/);
      }
      assert.deepStrictEqual(sent, []);
      assert.deepStrictEqual(yield* world.events, world.history);
    }),
  );

  it.live("sends the original of an execution that the journal does not know", () =>
    Effect.gen(function* () {
      const world = yield* stoppedWorld(({ step }) => step("one"), ["one"]);
      const { layer, sent } = queueThatNotes();
      const body = yield* envelope(event, { workflow: "Failing", executionId: "lost" });
      const letter = yield* Operations.readLetter("csv", raw(body));
      const returned = yield* world.operate(
        Operations.returnLetter(letter, options).pipe(Effect.provideService(MessageQueue, layer)),
      );
      assert.deepStrictEqual(returned, { outcome: "sent" });
      assert.deepStrictEqual(sent, [event]);
    }),
  );
});
