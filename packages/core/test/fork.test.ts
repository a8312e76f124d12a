/**
 * Goal: a fork is what its original was after an event, with an input and an end of its own; made once, whatever dies.
 * Method: the real engine over one journal; a journal that fails on the way; the parts of a fork read from the store.
 */
import { assert, describe, it } from "@effect/vitest";
import {
  type Commit,
  DeadLetter,
  fork,
  type ForkOptions,
  Journal,
  MessageQueue,
  redrive,
} from "@millrace/core";
import { Effect, Exit, Layer, Schema } from "effect";
import { Activity, DurableDeferred, Workflow } from "effect/workflow";
import { makeOpsWorld, makeSteps, StepFailed, storyOf } from "./opsWorld.ts";

const Greeting = Workflow.make("Greeting", {
  payload: { id: Schema.String, name: Schema.String },
  success: Schema.String,
  error: StepFailed,
  idempotencyKey: ({ id }) => id,
});

/** A step, an awaited signal if asked for, a step with a result of the payload, and a step that can be broken. */
const greetingWorld = Effect.fnUntraced(function* (broken: ReadonlyArray<string> = []) {
  const world = yield* makeOpsWorld;
  const steps = makeSteps();
  for (const name of broken) steps.broken.add(name);
  const letters: Array<string> = [];
  const queue = Layer.succeed(MessageQueue, {
    send: (_queue, body) => Effect.sync(() => void letters.push(body)),
  });
  const address = { pipeline: "p", queue: "q", subject: "s", original: "{}" };
  const process = yield* world.start(
    Greeting.toLayer(({ name }) =>
      Effect.gen(function* () {
        yield* steps.step("look up");
        const greeting = yield* Activity.make({
          name: "greet",
          success: Schema.String,
          execute: Effect.sync(() => {
            steps.ran.push("greet");
            return `hello ${name}`;
          }),
        });
        yield* steps.step("send");
        return greeting;
      }).pipe(DeadLetter.routeActivity(address), Effect.provide(queue)),
    ),
    "frozen",
  );
  const executionId = yield* Greeting.executionId({ id: "a", name: "Ada" });
  yield* Effect.exit(process.run(Greeting.execute({ id: "a", name: "Ada" })));
  steps.takeRan();
  const original = yield* world.events(executionId);
  return {
    ...world,
    ...steps,
    letters,
    process,
    executionId,
    original,
    deliver: world.deliver(process),
    fork: (options: Omit<ForkOptions, "workflows">) =>
      world.operate(fork(executionId, { ...options, workflows: [Greeting] })),
  };
});

/** Number of the event by which the named step ended. */
const eventOf = (events: Parameters<typeof storyOf>[0], name: string) =>
  storyOf(events).indexOf(name) + 1;

const resultOf = (events: Parameters<typeof storyOf>[0]) => JSON.stringify(events.at(-1));

describe("a fork", () => {
  it.live(
    "keeps the steps before its event, and runs those after it with the input that it is given",
    () =>
      Effect.gen(function* () {
        const world = yield* greetingWorld();
        const afterEvent = eventOf(world.original, "look up");
        const forked = yield* world.fork({ afterEvent, payload: { id: "a", name: "Grace" } });
        assert.deepInclude(forked, { workflow: "Greeting", facts: 1, created: true });
        assert.match(forked.executionId, /^[0-9a-f]{32}$/);
        yield* world.deliver;
        assert.deepStrictEqual(world.takeRan(), ["greet", "send"]);
        const events = yield* world.events(forked.executionId);
        assert.deepStrictEqual(storyOf(events), [
          "look up",
          "ExecutionStarted",
          "RunStarted",
          "greet",
          "send",
          "Completed",
        ]);
        assert.include(resultOf(events), "hello Grace");
        assert.deepInclude(events[1], {
          idempotencyKey: `a (fork after event ${afterEvent} of ${world.executionId})`,
          forkedFrom: { executionId: world.executionId, event: afterEvent },
          payload: { id: "a", name: "Grace" },
        });
        assert.deepStrictEqual(yield* world.events(world.executionId), world.original);
        assert.deepInclude(world.indexed.get(forked.executionId), {
          forkedFrom: world.executionId,
        });
      }),
  );

  it.live("without an input of its own has the original's", () =>
    Effect.gen(function* () {
      const world = yield* greetingWorld(["send"]);
      world.broken.clear();
      const forked = yield* world.fork({ afterEvent: eventOf(world.original, "greet") });
      yield* world.deliver;
      assert.deepStrictEqual(world.takeRan(), ["send"]);
      assert.include(resultOf(yield* world.events(forked.executionId)), "hello Ada");
    }),
  );

  it.live("from the first event is a run of its own from the start", () =>
    Effect.gen(function* () {
      const world = yield* greetingWorld();
      yield* world.fork({ afterEvent: 1 });
      yield* world.deliver;
      assert.deepStrictEqual(world.takeRan(), ["look up", "greet", "send"]);
    }),
  );

  it.live("made twice of the same is one; another input, event or label makes another", () =>
    Effect.gen(function* () {
      const world = yield* greetingWorld();
      const afterEvent = eventOf(world.original, "look up");
      const payload = { id: "a", name: "Grace" };
      const first = yield* world.fork({ afterEvent, payload });
      // Written otherwise, it is the same payload.
      const again = yield* world.fork({ afterEvent, payload: { name: "Grace", id: "a" } });
      assert.deepStrictEqual(again, { ...first, created: false });
      yield* world.deliver;
      assert.deepStrictEqual(yield* world.fork({ afterEvent, payload }), again);
      assert.lengthOf(world.asked, 0);
      const ids = [
        first,
        yield* world.fork({ afterEvent }),
        yield* world.fork({ afterEvent: afterEvent - 1, payload }),
        yield* world.fork({ afterEvent, payload, label: "second try" }),
      ].map(({ executionId }) => executionId);
      assert.strictEqual(new Set(ids).size, 4);
    }),
  );

  it.live("tells of its own failure, and can be redriven like any execution", () =>
    Effect.gen(function* () {
      const world = yield* greetingWorld(["send"]);
      assert.lengthOf(world.letters, 1);
      const forked = yield* world.fork({ afterEvent: world.original.length });
      // The failure is among the copied facts: nothing runs again, but the failure is told once more.
      yield* world.deliver;
      assert.deepStrictEqual(world.takeRan(), []);
      assert.lengthOf(world.letters, 2);
      world.broken.clear();
      const redriven = yield* world.operate(redrive(forked.executionId, { reason: "r" }));
      assert.deepStrictEqual(
        redriven.forgotten.activities.map(({ name }) => name),
        ["send", "DeadLetter"],
      );
      yield* world.deliver;
      assert.deepStrictEqual(world.takeRan(), ["send"]);
      assert.include(resultOf(yield* world.events(forked.executionId)), "hello Ada");
    }),
  );

  it.live("does not take over what a redrive had made void", () =>
    Effect.gen(function* () {
      const world = yield* greetingWorld(["send"]);
      yield* world.operate(redrive(world.executionId, { reason: "r" }));
      const { length } = yield* world.events(world.executionId);
      const after = yield* world.fork({ afterEvent: length });
      assert.strictEqual(after.facts, 2);
      const before = yield* world.fork({ afterEvent: length - 1 });
      assert.strictEqual(before.facts, 3);
    }),
  );
});

describe("a fork is refused", () => {
  it.live("for an event or an execution that is not there", () =>
    Effect.gen(function* () {
      const world = yield* greetingWorld();
      const { executionId, original } = world;
      for (const afterEvent of [0, -1, 1.5, original.length + 1]) {
        assert.deepInclude(yield* Effect.flip(world.fork({ afterEvent })), {
          _tag: "ForkPointUnknown",
          executionId,
          afterEvent,
          eventCount: original.length,
        });
      }
      const unknown = world.operate(fork("00", { afterEvent: 1, workflows: [] }));
      assert.deepInclude(yield* Effect.flip(unknown), { _tag: "ExecutionUnknown" });
    }),
  );

  it.live("for an input that is no payload, naming what is wrong and where", () =>
    Effect.gen(function* () {
      const world = yield* greetingWorld();
      const refusal = yield* Effect.flip(
        world.fork({ afterEvent: 1, payload: { id: "a", name: 7 } }),
      );
      assert.deepInclude(refusal, { _tag: "ForkPayloadInvalid", workflow: "Greeting" });
      assert.match(refusal.message, /\["name"\]/);
      const { executionId } = world;
      const unknown = fork(executionId, { afterEvent: 1, payload: {}, workflows: [] });
      assert.deepInclude(yield* Effect.flip(world.operate(unknown)), { _tag: "WorkflowUnknown" });
      assert.lengthOf(world.asked, 0);
    }),
  );

  it.live(
    "where it would take over steps that were undone; from the start it is none of them",
    () =>
      Effect.gen(function* () {
        const world = yield* makeOpsWorld;
        const { broken, step } = makeSteps();
        broken.add("pay");
        const process = yield* world.start(
          Greeting.toLayer(() =>
            step("reserve").pipe(
              Greeting.withCompensation(() => Effect.orDie(step("release"))),
              Effect.andThen(step("pay")),
              Effect.as(""),
            ),
          ),
          "frozen",
        );
        yield* Effect.exit(process.run(Greeting.execute({ id: "a", name: "" })));
        const executionId = yield* Greeting.executionId({ id: "a", name: "" });
        const reserved = eventOf(yield* world.events(executionId), "reserve");
        const forkAt = (afterEvent: number) =>
          world.operate(fork(executionId, { afterEvent, workflows: [Greeting] }));
        assert.deepInclude(yield* Effect.flip(forkAt(reserved)), {
          _tag: "ExecutionCompensated",
          compensations: ["release"],
        });
        assert.deepInclude(yield* forkAt(1), { facts: 0, created: true });
      }),
  );
});

describe("a fork of many large facts", () => {
  const large = "x".repeat(200 * 1024);
  const signals = ["a", "b", "c", "d", "e"] as const;
  const Waiting = Workflow.make("Waiting", {
    payload: { id: Schema.String },
    idempotencyKey: ({ id }) => id,
  });

  /** An execution with five large signals, and a journal that dies after some of the appends to others. */
  const largeWorld = Effect.gen(function* () {
    const world = yield* makeOpsWorld;
    const process = yield* world.start(
      Waiting.toLayer(() =>
        Effect.forEach(
          signals,
          (name) => DurableDeferred.await(DurableDeferred.make(name, { success: Schema.String })),
          { discard: true },
        ),
      ),
      "frozen",
    );
    const executionId = yield* Waiting.executionId({ id: "a" });
    for (const name of signals) {
      const deferred = DurableDeferred.make(name, { success: Schema.String });
      yield* process.run(
        DurableDeferred.done(deferred, {
          token: DurableDeferred.tokenFromExecutionId(deferred, { workflow: Waiting, executionId }),
          exit: Exit.succeed(large),
        }),
      );
    }
    yield* process.run(Waiting.execute({ id: "a" }));
    const { length: afterEvent } = yield* world.events(executionId);
    const make = world.operate(fork(executionId, { afterEvent, workflows: [Waiting] }));
    /** The same by a process that is gone when it has appended so many commits. */
    const makeUntil = (appends: number) => {
      let left = appends;
      const journal = Journal.of({
        load: world.journal.load,
        append: (commit: Commit) =>
          left-- > 0 ? world.journal.append(commit) : Effect.die("process gone"),
      });
      return world.operate(
        fork(executionId, { afterEvent, workflows: [Waiting] }).pipe(
          Effect.provideService(Journal, journal),
          Effect.exit,
        ),
      );
    };
    return { ...world, process, make, makeUntil };
  });

  it.live("is copied in commits that any store holds, the start last", () =>
    Effect.gen(function* () {
      const world = yield* largeWorld;
      const { executionId, facts } = yield* world.make;
      assert.strictEqual(facts, 5);
      const commits = yield* world.journal.load(executionId, 0);
      assert.deepStrictEqual(
        commits.map(({ events }) => storyOf(events)),
        [
          ["DeferredDone"],
          ["DeferredDone"],
          ["DeferredDone"],
          ["DeferredDone"],
          ["DeferredDone", "ExecutionStarted"],
        ],
      );
      yield* world.deliver(world.process);
      assert.strictEqual((yield* world.events(executionId)).at(-1)?._tag, "Completed");
    }),
  );

  it.live("that was broken off anywhere is completed by the next one who asks, and only once", () =>
    Effect.gen(function* () {
      for (const appends of [0, 1, 3, 4]) {
        const world = yield* largeWorld;
        assert.isTrue(Exit.isFailure(yield* world.makeUntil(appends)));
        assert.lengthOf(world.asked.splice(0), 0);
        const [one, other] = yield* Effect.all([world.make, world.make], {
          concurrency: "unbounded",
        });
        assert.strictEqual(one.executionId, other.executionId);
        assert.lengthOf(yield* world.events(one.executionId), 6);
        yield* world.deliver(world.process);
        assert.strictEqual((yield* world.events(one.executionId)).at(-1)?._tag, "Completed");
      }
    }),
  );

  it.live("that was made, but whose wake was lost, is asked for again with the next one", () =>
    Effect.gen(function* () {
      const world = yield* largeWorld;
      yield* world.make;
      world.asked.splice(0);
      world.indexed.clear();
      const { created, executionId } = yield* world.make;
      assert.isFalse(created);
      assert.deepInclude(world.indexed.get(executionId), { status: "running" });
      assert.lengthOf(world.asked, 1);
    }),
  );
});
