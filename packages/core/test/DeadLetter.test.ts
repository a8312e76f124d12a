/**
 * Goal: what fails is put where people look, once, with its cause and the way back; and it has failed all the same.
 * Method: a recorded queue that fails when told to; in a workflow, two processes over one journal.
 */
import { assert, describe, it } from "@effect/vitest";
import {
  DeadLetter,
  ExecutionRunner,
  MessageQueue,
  ProcessDeadline,
  QueueUnavailable,
  Retry,
} from "@millrace/core";
import { Cause, Clock, Deferred, Effect, Exit, Fiber, Layer, Schema } from "effect";
import { TestClock } from "effect/testing";
import { Activity, Workflow } from "effect/workflow";
import { makeWorld } from "./engineWorld.ts";

class Refused extends Schema.TaggedError<Refused>()("Refused", { why: Schema.String }) {
  readonly failureClass = "permanent";
  override get message(): string {
    return `refused: ${this.why}`;
  }
}

class Away extends Schema.TaggedError<Away>()("Away", {}) {
  readonly failureClass = "transient";
}

const address = { pipeline: "p", queue: "p-dead-letters", subject: "raw/a@1", original: "{}" };

/** A queue that refuses the first `failures` messages. */
const makeQueue = (failures = 0) => {
  const bodies: Array<string> = [];
  let left = failures;
  const layer = Layer.succeed(MessageQueue, {
    send: (queue, body) =>
      Effect.suspend(() => {
        if (left-- > 0) return Effect.fail(new QueueUnavailable({ queue, cause: "down" }));
        assert.strictEqual(queue, address.queue);
        bodies.push(body);
        return Effect.void;
      }),
  });
  return { bodies, layer };
};

describe("route", () => {
  it.effect("sends a letter about a failure, and fails on", () =>
    Effect.gen(function* () {
      const { bodies, layer } = makeQueue();
      yield* TestClock.setTime(5_000);
      const exit = yield* Effect.exit(
        Effect.fail(new Refused({ why: "é" })).pipe(
          DeadLetter.route(address),
          Effect.provide(layer),
        ),
      );
      assert.deepStrictEqual(exit, Exit.fail(new Refused({ why: "é" })));
      assert.lengthOf(bodies, 1);
      const { id, ...letter } = yield* DeadLetter.decodeEnvelope(bodies[0] ?? "");
      assert.match(id, /^[0-9a-f]{64}$/);
      assert.deepStrictEqual(letter, {
        _tag: "DeadLetter",
        millrace: 1,
        pipeline: "p",
        subject: "raw/a@1",
        cause: { tag: "Refused", message: "refused: é" },
        failureClass: "permanent",
        attempts: 1,
        firstEpochMs: 5_000,
        lastEpochMs: 5_000,
        original: "{}",
        wayBack: "repair the cause, then send `original` to the pipeline's queue again",
        atEpochMs: 5_000,
      });
    }),
  );

  it.effect(
    "fits a letter about the largest message into a message, and says that it was cut",
    () =>
      Effect.gen(function* () {
        const { bodies, layer } = makeQueue();
        // Each character is escaped to six bytes, in the original's own text and so in the letter.
        const original = "\u0001".repeat(1024 * 1024);
        yield* Effect.fail(new Refused({ why: "large" })).pipe(
          DeadLetter.route({ ...address, original }),
          Effect.provide(layer),
          Effect.exit,
        );
        assert.isAtMost(Buffer.byteLength(bodies[0] ?? ""), 1024 * 1024);
        const letter = yield* DeadLetter.decodeEnvelope(bodies[0] ?? "");
        assert.deepInclude(letter, { originalCut: true });
        assert.isTrue(original.startsWith(letter.original));
      }),
  );

  it.effect("tells a bug as a defect", () =>
    Effect.gen(function* () {
      const { bodies, layer } = makeQueue();
      yield* Effect.exit(
        Effect.die(new TypeError("x is undefined")).pipe(
          DeadLetter.route(address),
          Effect.provide(layer),
        ),
      );
      const letter = yield* DeadLetter.decodeEnvelope(bodies[0] ?? "");
      assert.strictEqual(letter.failureClass, "defect");
      assert.deepStrictEqual(letter.cause, { tag: "Defect", message: "x is undefined" });
    }),
  );

  it.effect("sends nothing about a success or an interrupt", () =>
    Effect.gen(function* () {
      const { bodies, layer } = makeQueue();
      const routed = <A, E>(effect: Effect.Effect<A, E>) =>
        Effect.exit(effect.pipe(DeadLetter.route(address), Effect.provide(layer)));
      assert.deepStrictEqual(yield* routed(Effect.succeed(1)), Exit.succeed(1));
      const exit = yield* routed(Effect.interrupt);
      assert.isTrue(Exit.isFailure(exit) && Cause.hasInterruptsOnly(exit.cause));
      assert.deepStrictEqual(bodies, []);
    }),
  );

  it.effect("tries again while the queue does not answer", () =>
    Effect.gen(function* () {
      const { bodies, layer } = makeQueue(2);
      const fiber = yield* Effect.forkChild(
        Effect.exit(
          Effect.fail(new Refused({ why: "x" })).pipe(
            DeadLetter.route(address),
            Effect.provide(layer),
          ),
        ),
      );
      yield* TestClock.adjust("1 minute");
      yield* Fiber.join(fiber);
      assert.lengthOf(bodies, 1);
    }),
  );
});

/** A workflow whose one step is refused; how often the step ran is counted. */
const refusing = () => {
  const workflow = Workflow.make("Refusing", {
    payload: { id: Schema.String },
    error: Refused,
    idempotencyKey: ({ id }) => id,
  });
  let steps = 0;
  const { bodies, layer: queue } = makeQueue();
  const layer = workflow
    .toLayer(() =>
      Activity.make({
        name: "step",
        error: Refused,
        execute: Effect.suspend(() => {
          steps++;
          return Effect.fail(new Refused({ why: "bad" }));
        }),
      }).pipe(DeadLetter.routeActivity(address)),
    )
    .pipe(Layer.provide(queue));
  return { bodies, layer, steps: () => steps, workflow };
};

describe("routeActivity", () => {
  it.live("makes the send a fact before the end, with the execution's id", () =>
    Effect.gen(function* () {
      const world = yield* makeWorld;
      const { bodies, layer, workflow } = refusing();
      const process = yield* world.start(layer);
      const before = yield* Clock.currentTimeMillis;
      const error = yield* Effect.flip(process.run(workflow.execute({ id: "a" })));
      assert.deepStrictEqual(error, new Refused({ why: "bad" }));
      const executionId = yield* workflow.executionId({ id: "a" });
      const letter = yield* DeadLetter.decodeEnvelope(bodies[0] ?? "");
      assert.deepStrictEqual(letter.execution, { workflow: "Refusing", executionId });
      assert.strictEqual(letter.attempts, 1);
      assert.isTrue(before <= letter.firstEpochMs && letter.firstEpochMs <= letter.lastEpochMs);
      assert.include(letter.wayBack, `millrace redrive ${executionId}`);
      const history = yield* world.journal.load(executionId, 0);
      const names = history.flatMap(({ events }) =>
        events.map((event) => (event._tag === "ActivityCompleted" ? event.name : event._tag)),
      );
      assert.deepStrictEqual(names, [
        "ExecutionStarted",
        "RunStarted",
        "step",
        "DeadLetter",
        "Completed",
      ]);
    }),
  );

  it.live("sends one letter, however often the execution is asked for", () =>
    Effect.gen(function* () {
      const world = yield* makeWorld;
      const { bodies, layer, steps, workflow } = refusing();
      for (const process of [yield* world.start(layer), yield* world.start(layer)]) {
        yield* Effect.flip(process.run(workflow.execute({ id: "a" })));
      }
      assert.lengthOf(bodies, 1);
      assert.strictEqual(steps(), 1);
    }),
  );

  it.live("counts the attempts of the step that failed, and when they were", () =>
    Effect.gen(function* () {
      const world = yield* makeWorld;
      const { bodies, layer: queue } = makeQueue();
      const workflow = Workflow.make("Trying", {
        payload: { id: Schema.String },
        error: Away,
        idempotencyKey: ({ id }) => id,
      });
      const layer = workflow
        .toLayer(() =>
          Activity.make({ name: "step", error: Away, execute: new Away() }).pipe(
            Retry.retryActivity({ attemptsMax: 3, baseMs: 1, factor: 1, capMs: 1 }),
            DeadLetter.routeActivity(address),
          ),
        )
        .pipe(Layer.provide(queue));
      const process = yield* world.start(layer);
      yield* Effect.flip(process.run(workflow.execute({ id: "a" })));
      const letter = yield* DeadLetter.decodeEnvelope(bodies[0] ?? "");
      assert.deepInclude(letter, { attempts: 3, failureClass: "transient" });
      assert.isBelow(letter.firstEpochMs, letter.lastEpochMs);
    }),
  );
});

describe("a process that dies around the send of a dead letter", () => {
  /** Where it stands still, and is killed. */
  for (const place of [
    "before the send",
    "after the send",
    "before the terminal commit",
  ] as const) {
    it.live(`${place} loses nothing: the next one ends what it began`, () =>
      Effect.gen(function* () {
        const world = yield* makeWorld;
        const there = yield* Deferred.make<void>();
        let isFirst = true;
        const standStill = Effect.andThen(Deferred.succeed(there, undefined), Effect.never);
        const bodies: Array<string> = [];
        const queue = Layer.succeed(MessageQueue, {
          send: (_queue, body) =>
            Effect.suspend(() => {
              if (isFirst && place === "before the send") return standStill;
              bodies.push(body);
              return isFirst && place === "after the send" ? standStill : Effect.void;
            }),
        });
        const { workflow } = refusing();
        const layer = workflow
          .toLayer(() =>
            Activity.make({
              name: "step",
              error: Refused,
              execute: Effect.fail(new Refused({ why: "bad" })),
            }).pipe(
              DeadLetter.routeActivity(address),
              // The letter's record is stored with whatever the body asks for next, or with its end.
              Effect.tapError(() =>
                isFirst && place === "before the terminal commit" ? standStill : Effect.void,
              ),
            ),
          )
          .pipe(Layer.provide(queue));
        const executionId = yield* workflow.executionId({ id: "a" });
        const one = yield* world.start(layer, "frozen");
        const start = ExecutionRunner.use((runner) => runner.start(workflow, { id: "a" }));
        yield* Effect.forkChild(
          Effect.provideService(
            one.run(start),
            ProcessDeadline,
            (yield* Clock.currentTimeMillis) + 300,
          ),
        );
        yield* Deferred.await(there);
        yield* one.kill;
        isFirst = false;
        yield* Effect.sleep("350 millis");
        const other = yield* world.start(layer, "frozen");
        yield* other.run(start);
        const history = yield* world.journal.load(executionId, 0);
        const last = history.at(-1)?.events.at(-1);
        assert.strictEqual(last?._tag, "Completed");
        const letters = yield* Effect.forEach(bodies, (body) => DeadLetter.decodeEnvelope(body));
        assert.isAtLeast(letters.length, 1);
        // What was sent twice is told by its id.
        assert.lengthOf(new Set(letters.map(({ id }) => id)), 1);
        if (place === "before the send") assert.lengthOf(letters, 1);
      }),
    );
  }
});
