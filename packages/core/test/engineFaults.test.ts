/**
 * What the simulator found, each as the smallest case that failed before.
 */
import { assert, describe, it } from "@effect/vitest";
import {
  Engine,
  type ExecutionRow,
  ExecutionRunner,
  Executions,
  Journal,
  Sweeper,
  Wakes,
} from "@millrace/core";
import { SqliteJournal } from "@millrace/core/sqlite";
import { Context, Deferred, Effect, Exit, Fiber, Layer, Schema } from "effect";
import { TestClock } from "effect/testing";
import { Activity, DurableClock, DurableDeferred, Workflow, WorkflowEngine } from "effect/workflow";
import { revise } from "../src/Decision.ts";
import { evolve, initialState } from "../src/ExecutionState.ts";
import type { HistoryEvent } from "../src/HistoryEvent.ts";
import { JournalUnavailable } from "../src/JournalError.ts";
import { makeWorld, settle } from "./engineWorld.ts";

const payload = { id: Schema.String };
const idempotencyKey = ({ id }: { readonly id: string }) => id;
const runner = ExecutionRunner;

/** A result of the one activity of a history. */
const result = (token: string): HistoryEvent => ({
  _tag: "ActivityCompleted",
  name: "step",
  attempt: 1,
  result: token,
  startedAtEpochMs: 1,
  atEpochMs: 2,
});

/** One commit per event. */
const commits = (...events: ReadonlyArray<HistoryEvent>) =>
  events.map((event, index) => ({
    executionId: "e",
    commit: index + 1,
    writer: `w/${index}`,
    events: [event] as const,
  }));

type Asking = WorkflowEngine.WorkflowEngine | WorkflowEngine.WorkflowInstance;

/** A time in which no store answers. */
class Outage {
  isNow = false;
  #began = 0;
  /** The first time it is run, the stores go away. */
  readonly begin = Effect.sync(() => {
    this.isNow = this.#began++ === 0;
  });
  readonly end = Effect.sync(() => {
    this.isNow = false;
  });
  /** The first time it is run, no store answers until it has ended. */
  readonly during = <A, R>(work: Effect.Effect<A, never, R>): Effect.Effect<void, never, R> =>
    this.begin.pipe(Effect.andThen(work), Effect.asVoid, Effect.ensuring(this.end));
}

const away = (operation: "append" | "load", executionId: string) =>
  new JournalUnavailable({ executionId, operation, cause: "away" });

/** An engine whose stores can be away. */
const makeAwayWorld = Effect.gen(function* () {
  const real = Context.get(yield* Layer.build(SqliteJournal.layerSqlite(":memory:")), Journal);
  const outage = new Outage();
  const flaky = Layer.succeed(Journal, {
    load: (executionId, after) =>
      outage.isNow ? away("load", executionId) : real.load(executionId, after),
    append: (commit) => (outage.isNow ? away("append", commit.executionId) : real.append(commit)),
  });
  const wakes = Layer.succeed(Wakes, {
    wake: () => (outage.isNow ? Effect.die("the queue is away") : Effect.void),
    timer: () => Effect.void,
  });
  return { outage, engine: Engine.layer().pipe(Layer.provide(wakes), Layer.provide(flaky)) };
});

describe("an outage", () => {
  const workflow = Workflow.make("Outage", { payload, idempotencyKey });
  const other = Workflow.make("Other", { payload, idempotencyKey });
  const otherId = "0".repeat(32);
  const asked = {
    poll: other.poll(otherId),
    interrupt: other.interrupt(otherId),
    resume: other.resume(otherId),
    "complete a deferred": WorkflowEngine.WorkflowEngine.use((engine) =>
      engine.deferredDone(DurableDeferred.make("approval"), {
        workflowName: "Other",
        executionId: otherId,
        deferredName: "approval",
        exit: Exit.void,
      }),
    ),
  };

  /** Runs the workflow in an outage, and after it. */
  const runTwice = Effect.fnUntraced(function* (
    body: (outage: Outage) => Effect.Effect<void, never, Asking>,
  ) {
    const { engine, outage } = yield* makeAwayWorld;
    const layer = Layer.merge(
      workflow.toLayer(() => body(outage)),
      other.toLayer(() => Effect.void),
    );
    const services = yield* Layer.build(Layer.provideMerge(layer, engine));
    const start = runner.use((one) => one.start(workflow, { id: "a" }));
    const refused = yield* Effect.exit(Effect.provideContext(start, services));
    assert.isTrue(Exit.isFailure(refused), "the message must come back");
    yield* outage.end;
    const { state } = yield* Effect.provideContext(start, services);
    assert.deepInclude(state.completed?.result, { exit: { _tag: "Success", value: null } });
  });

  it.live("of the journal inside a body is no result of the workflow", () =>
    runTwice(({ begin }) =>
      Activity.make({ name: "first", execute: begin }).pipe(
        Effect.andThen(Activity.make({ name: "second", execute: Effect.void })),
      ),
    ),
  );

  for (const [name, ask] of Object.entries(asked)) {
    it.live(`in which a body asks to ${name} is no result of the workflow`, () =>
      runTwice(({ during }) => during(ask)),
    );
    it.live(`in which an activity asks to ${name} is no result of the activity`, () =>
      runTwice(({ during }) => Activity.make({ name: "asks", execute: during(ask) })),
    );
  }
});

describe("a child", () => {
  const child = Workflow.make("Child", { payload, success: Schema.String, idempotencyKey });
  const parent = Workflow.make("Parent", { payload, success: Schema.String, idempotencyKey });
  const layer = Layer.merge(
    child.toLayer(() =>
      DurableClock.sleep({ name: "nap", duration: "1 hour" }).pipe(Effect.as("slept")),
    ),
    parent.toLayer(({ id }) => child.execute({ id })),
  );

  it.effect("that ends has told its parent, as a fact, when its own message is answered", () =>
    Effect.gen(function* () {
      const world = yield* makeWorld;
      const process = yield* world.start(layer, "frozen");
      const { executionId } = yield* process.run(
        runner.use((one) => one.start(parent, { id: "a" })),
      );
      const childId = yield* child.executionId({ id: "a" });
      yield* TestClock.adjust("1 hour");
      const other = yield* world.start(layer, "frozen");
      yield* other.run(
        runner.use((one) =>
          one.timerDue({ workflow: "Child", executionId: childId, clock: "nap" }),
        ),
      );
      const history = yield* world.journal.load(executionId, 0);
      const facts = history.flatMap(({ events }) => events);
      assert.isTrue(
        facts.some((event) => event._tag === "DeferredDone" && event.name === `Child/${childId}`),
      );
      assert.deepInclude(world.wakes, { kind: "wake", executionId });
    }),
  );

  it.effect("that ended interrupted ends its parent too", () =>
    Effect.gen(function* () {
      const world = yield* makeWorld;
      const process = yield* world.start(layer, "frozen");
      const started = yield* process.run(runner.use((one) => one.start(parent, { id: "a" })));
      const childId = yield* child.executionId({ id: "a" });
      yield* process.run(
        WorkflowEngine.WorkflowEngine.use((engine) => engine.interrupt(child, childId)),
      );
      const wake = (workflow: string, executionId: string) =>
        process.run(runner.use((one) => one.wake({ workflow, executionId }, "explicit")));
      yield* wake("Child", childId);
      const ended = yield* wake("Parent", started.executionId);
      assert.isDefined(ended.state.completed);
    }),
  );
});

describe("requests that meet in one process", () => {
  it.live("a start that meets a look for an unknown execution is not lost", () =>
    Effect.gen(function* () {
      const world = yield* makeWorld;
      const workflow = Workflow.make("Meeting", { payload, idempotencyKey });
      const process = yield* world.start(
        workflow.toLayer(() => Effect.void),
        "frozen",
      );
      const executionId = yield* workflow.executionId({ id: "a" });
      const [, started] = yield* process.run(
        runner.use((one) =>
          Effect.all(
            [
              Effect.delay(one.wake({ workflow: "Meeting", executionId }, "automatic"), 0),
              Effect.delay(one.start(workflow, { id: "a" }), 0),
            ],
            { concurrency: 2 },
          ),
        ),
      );
      assert.isDefined(started.state.completed);
      assert.isAbove((yield* world.journal.load(executionId, 0)).length, 0);
    }),
  );
});

describe("a pending request to interrupt", () => {
  it.live("does not stop the compensations of a run that fails by itself", () =>
    Effect.gen(function* () {
      const world = yield* makeWorld;
      const compensated: Array<string> = [];
      const approval = DurableDeferred.make("approval");
      const workflow = Workflow.make("Failing", {
        payload,
        error: Schema.String,
        idempotencyKey,
      });
      const layer = workflow.toLayer(() =>
        Effect.gen(function* () {
          yield* Activity.make({ name: "reserve", execute: Effect.void }).pipe(
            workflow.withCompensation(() =>
              Activity.make({
                name: "release",
                execute: Effect.sync(() => void compensated.push("release")),
              }),
            ),
          );
          yield* DurableDeferred.await(approval);
          return yield* Effect.fail("refused");
        }),
      );
      const process = yield* world.start(layer, "frozen");
      const { executionId } = yield* process.run(
        runner.use((one) => one.start(workflow, { id: "a" })),
      );
      yield* process.run(
        WorkflowEngine.WorkflowEngine.use((engine) =>
          Effect.andThen(
            engine.deferredDone(approval, {
              workflowName: "Failing",
              executionId,
              deferredName: "approval",
              exit: Exit.void,
            }),
            engine.interrupt(workflow, executionId),
          ),
        ),
      );
      const ended = yield* process.run(
        runner.use((one) => one.wake({ workflow: "Failing", executionId }, "explicit")),
      );
      assert.isDefined(ended.state.completed);
      assert.deepStrictEqual(compensated, ["release"]);
    }),
  );
});

describe("a run that was overtaken", () => {
  it.effect("tells whoever joined it how the execution stands, not how it stood", () =>
    Effect.gen(function* () {
      const world = yield* makeWorld;
      const reached = yield* Deferred.make<void>();
      const release = yield* Deferred.make<void>();
      const Slow = Workflow.make("Slow", { payload, success: Schema.String, idempotencyKey });
      const layer = (before: Effect.Effect<unknown>) =>
        Slow.toLayer(() =>
          Activity.make({
            name: "step",
            success: Schema.String,
            execute: Effect.as(before, "done"),
          }),
        );
      const paused = Deferred.succeed(reached, undefined).pipe(
        Effect.andThen(Deferred.await(release)),
      );
      const zombie = yield* world.start(layer(paused), "frozen");
      const start = runner.use((one) => one.start(Slow, { id: "a" }));
      yield* Effect.forkChild(zombie.run(start));
      yield* Deferred.await(reached);
      yield* TestClock.adjust("61 seconds");
      const heir = yield* world.start(layer(Effect.void), "frozen");
      const ended = yield* heir.run(start);
      assert.isDefined(ended.state.completed);

      const joined = yield* Effect.forkChild(zombie.run(start));
      yield* settle;
      yield* Deferred.succeed(release, undefined);
      const { state } = yield* Fiber.join(joined);
      assert.isDefined(state.completed);
    }),
  );
});

describe("a conflict", () => {
  it("drops a result that another run recorded first, and has the body see that one", () => {
    const state = initialState();
    evolve(state, result("theirs"));
    assert.deepStrictEqual(revise(state, [result("ours")], []), { events: [], replay: true });
  });

  it("is no end yet, when a result comes first that this body has not seen: it may have to be undone", () => {
    const state = initialState();
    const met = result("theirs");
    evolve(state, met);
    const ended: HistoryEvent = { _tag: "Completed", result: {}, atEpochMs: 3 };
    assert.deepStrictEqual(revise(state, [ended], [met]), { events: [], replay: true });
    const signal: HistoryEvent = { _tag: "DeferredDone", name: "d", exit: {}, atEpochMs: 2 };
    assert.deepStrictEqual(revise(state, [ended], [signal]), { events: [ended], replay: false });
  });
});

describe("the sweeper", () => {
  const started: HistoryEvent = {
    _tag: "ExecutionStarted",
    workflow: "W",
    idempotencyKey: "k",
    payload: {},
    payloadHash: "",
    atEpochMs: 0,
  };
  const run: HistoryEvent = {
    _tag: "RunStarted",
    owner: "o",
    codeVersion: "v",
    leaseUntilEpochMs: 60_000,
    atEpochMs: 0,
  };
  const clock = {
    _tag: "ClockScheduled",
    name: "nap",
    deferred: "DurableClock/nap",
    wakeAtEpochMs: 600_000,
    atEpochMs: 0,
  } as const;
  const openRow: ExecutionRow = {
    executionId: "e",
    workflow: "W",
    key: "k",
    status: "running",
    commit: 1,
    steps: 0,
    runs: 1,
    startedEpochMs: 0,
    updatedEpochMs: 0,
  };
  const suspended: HistoryEvent = { _tag: "Suspended", result: {}, failed: false, atEpochMs: 1 };
  const signal: HistoryEvent = { _tag: "DeferredDone", name: "s", exit: {}, atEpochMs: 2 };

  it("wakes a run whose lease is long over, and no other", () => {
    const history = commits(started, run);
    assert.deepStrictEqual(Sweeper.overdueOf(history, 60_000), []);
    assert.deepStrictEqual(Sweeper.overdueOf(history, 200_000), [
      { _tag: "Wake", mode: "automatic" },
    ]);
  });

  it("asks again for a timer that is long due, and leaves one alone that is not", () => {
    const history = commits(started, run, clock, suspended);
    assert.deepStrictEqual(Sweeper.overdueOf(history, 500_000), []);
    assert.deepStrictEqual(Sweeper.overdueOf(history, 800_000), [{ _tag: "Timer", clock }]);
  });

  it("wakes an execution to which something happened after it suspended", () => {
    const wake = [{ _tag: "Wake", mode: "automatic" } as const];
    assert.deepStrictEqual(
      Sweeper.overdueOf(commits(started, run, suspended, signal), 200_000),
      wake,
    );
    assert.deepStrictEqual(
      Sweeper.overdueOf(commits(started, run, signal, suspended), 200_000),
      [],
    );
  });

  it.effect(
    "leaves the row of an ended child open until its parent was told, however fresh its end",
    () =>
      Effect.gen(function* () {
        const recorded: Array<ExecutionRow> = [];
        const ended: HistoryEvent = { _tag: "Completed", result: {}, atEpochMs: 0 };
        const child: HistoryEvent = { ...started, parent: { workflow: "P", executionId: "p" } };
        const sweepOver = (...history: ReadonlyArray<HistoryEvent>) =>
          Sweeper.sweep().pipe(
            Effect.provideService(Journal, {
              load: () => Effect.succeed(commits(...history)),
              append: () => Effect.die("a sweep stores nothing"),
            }),
            Effect.provideService(Wakes, { wake: () => Effect.void, timer: () => Effect.void }),
            Effect.provideService(Executions, {
              list: () => Effect.succeed({ rows: [openRow], cursor: undefined }),
              record: (row) => Effect.sync(() => void recorded.push(row)),
              find: () => Effect.succeed(undefined),
            }),
          );
        yield* sweepOver(child, run, ended);
        assert.deepStrictEqual(recorded, []);
        yield* sweepOver(started, run, ended);
        assert.lengthOf(recorded, 1);
      }),
  );

  it("leaves a parked failure to people", () => {
    const parked: HistoryEvent = { ...suspended, failed: true };
    assert.deepStrictEqual(Sweeper.overdueOf(commits(started, run, parked, signal), 900_000), []);
  });
});
