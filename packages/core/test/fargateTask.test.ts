/**
 * Goal: a step that runs in a container comes to its child's result, whatever becomes of launches, containers, messages
 * and processes on the way; and what happened can be read in the history.
 * Method: parent and child in processes of their own over one journal; containers are what the test says they are, and
 * time is the test's.
 */
import { assert, describe, it } from "@effect/vitest";
import {
  type Commit,
  ExecutionRunner,
  FargateTask,
  type TaskRequest,
  TaskNotLaunched,
  Tasks,
} from "@millrace/core";
import { Effect, Layer, Schema } from "effect";
import { TestClock } from "effect/testing";
import { Activity, Workflow } from "effect/workflow";
import { encodeTaskEnd } from "../src/task/TaskEnd.ts";
import { decideRedrive } from "../src/decideRedrive.ts";
import { makeWorld, settle } from "./engineWorld.ts";

class Broken extends Schema.TaggedError<Broken>()("Broken", { file: Schema.String }) {
  readonly failureClass = "permanent";
}

const Child = Workflow.make("Child", {
  payload: { file: Schema.String },
  success: Schema.Int,
  error: Broken,
  idempotencyKey: ({ file }) => file,
});

const Parent = Workflow.make("Parent", {
  payload: { file: Schema.String },
  success: Schema.Int,
  error: Schema.Union([Broken, FargateTask.TaskFailure]),
  idempotencyKey: ({ file }) => file,
});

const hour = 3_600_000;
const parentLayer = Parent.toLayer(({ file }) =>
  FargateTask.run(Child, {
    step: "copy",
    payload: { file },
    timeout: "1 hour",
    retry: { attemptsMax: 3, baseMs: 60_000, factor: 2, capMs: hour, jitter: 0 },
  }),
);

const childLayer = Child.toLayer(({ file }) =>
  Activity.make({
    name: "count",
    success: Schema.Int,
    error: Broken,
    execute: file === "broken" ? new Broken({ file }) : Effect.succeed(file.length),
  }),
);

const executionOf = Schema.decodeUnknownSync(FargateTask.TaskExecutionText);

/** A world with a parent's process, and what it has asked of ECS. */
const begin = Effect.fnUntraced(function* (file = "abc", capacity = true) {
  const world = yield* makeWorld;
  const requests: Array<TaskRequest> = [];
  const stopped: Array<string> = [];
  let hasCapacity = capacity;
  const tasks = Layer.succeed(Tasks, {
    isAvailable: true,
    run: (request) => {
      requests.push(request);
      if (!hasCapacity) {
        const { token } = request;
        return Effect.fail(new TaskNotLaunched({ token, cause: new Error("RESOURCE:CPU") }));
      }
      return Effect.succeed({ task: `task-of-${request.startedBy}` });
    },
    stop: (task) => Effect.sync(() => void stopped.push(task)),
  });
  const layer = Layer.provide(parentLayer, tasks);
  const process = yield* world.start(layer, "frozen");
  const container = yield* world.start(childLayer);
  const executionId = yield* Parent.executionId({ file });
  const runner = <A, E>(f: (one: ExecutionRunner["Service"]) => Effect.Effect<A, E>) =>
    process.run(ExecutionRunner.use(f));
  yield* runner((one) => one.start(Parent, { file }));
  const history = world.journal.load(executionId, 0);
  const last = () => requests.at(-1);
  const told = () => executionOf(last()?.environment[FargateTask.taskExecutionVariable] ?? "{}");
  return {
    world,
    layer,
    process,
    requests,
    stopped,
    executionId,
    history,
    runner,
    told,
    setCapacity: (is: boolean) => {
      hasCapacity = is;
    },
    /** The child's execution, as its container runs it. */
    work: container.run(Effect.exit(Child.execute({ file }))),
    /** Tells of an end of the last launch, or of the one that waits for the given deferred. */
    end: (end: FargateTask.TaskEnd, deferred = told().parent.deferred) =>
      runner((one) => one.complete(executionId, { deferred, exit: encodeTaskEnd(end) })),
    /** Lets time pass, and brings the clocks that are due. */
    pass: Effect.fnUntraced(function* (ms: number) {
      yield* TestClock.adjust(ms);
      const clocks = (yield* history)
        .flatMap(({ events }) => events)
        .flatMap((event) => (event._tag === "ClockScheduled" ? [event.name] : []));
      for (const clock of clocks) {
        yield* runner((one) => one.timerDue({ workflow: "Parent", executionId, clock }));
      }
    }),
  };
});

const failedOr = (result: unknown) =>
  JSON.stringify(result).includes('"Failure"') ? "failed" : "succeeded";

/** What happened, in order: steps, pauses, ends of tasks, and the end. */
const tell = (commits: ReadonlyArray<Commit>): ReadonlyArray<string> =>
  commits
    .flatMap(({ events }) => events)
    .flatMap((event) => {
      switch (event._tag) {
        case "ActivityCompleted":
          return [`${event.name} ${failedOr(event.result)}`];
        case "ClockScheduled":
          return event.name.includes("time limit")
            ? []
            : [`pause ${event.wakeAtEpochMs - event.atEpochMs}`];
        case "DeferredDone":
          return event.name.startsWith("Task/") ? [`end ${JSON.stringify(event.exit)}`] : [];
        case "Completed":
          return [failedOr(event.result)];
        default:
          return [];
      }
    })
    .map((line) =>
      line.replace(/^end .*"exitCode":(\d+).*$/, "end $1").replace(/^end \{.*$/, "time limit"),
    );

const done: FargateTask.TaskEnd = { toldBy: "task", exitCode: 0 };
const crashed: FargateTask.TaskEnd = {
  toldBy: "ecs",
  exitCode: 137,
  stopCode: "EssentialContainerExited",
};
const takenBack: FargateTask.TaskEnd = {
  toldBy: "ecs",
  exitCode: 75,
  stopCode: "SpotInterruption",
};

describe("a step in a container", () => {
  it.effect("is launched once, suspends, and goes on with its child's result", () =>
    Effect.gen(function* () {
      const { end, history, requests, told, work } = yield* begin();
      assert.lengthOf(requests, 1);
      assert.deepInclude(requests[0], { spot: true, size: undefined });
      assert.deepInclude(told(), { workflow: "Child", payload: { file: "abc" } });
      assert.strictEqual((yield* history).at(-1)?.events.at(-1)?._tag, "Suspended");
      yield* work;
      yield* end(done);
      assert.deepStrictEqual(tell(yield* history), [
        "copy: launch 1 succeeded",
        "end 0",
        "copy succeeded",
        "succeeded",
      ]);
    }),
  );

  it.effect("is told of its end by ECS, too, when the task could not tell", () =>
    Effect.gen(function* () {
      const { end, history, work } = yield* begin();
      yield* work;
      yield* end({ toldBy: "ecs", exitCode: 0 });
      yield* end(done);
      assert.strictEqual(tell(yield* history).at(-1), "succeeded");
      assert.lengthOf(
        tell(yield* history).filter((line) => line.startsWith("end")),
        1,
      );
    }),
  );

  it.effect("whose container crashes is tried again after 60 and 120 seconds", () =>
    Effect.gen(function* () {
      const { end, history, pass, work } = yield* begin();
      yield* end(crashed);
      yield* pass(60_000);
      yield* end(crashed);
      yield* pass(120_000);
      yield* work;
      yield* end(done);
      assert.deepStrictEqual(tell(yield* history), [
        "copy: launch 1 succeeded",
        "end 137",
        "copy failed",
        "pause 60000",
        "copy: launch 2 succeeded",
        "end 137",
        "copy failed",
        "pause 120000",
        "copy: launch 3 succeeded",
        "end 0",
        "copy succeeded",
        "succeeded",
      ]);
    }),
  );

  it.effect("fails with the exit code and the reason when its attempts are used up", () =>
    Effect.gen(function* () {
      const { end, history, pass, requests } = yield* begin();
      for (const pause of [60_000, 120_000, 0]) {
        yield* end(crashed);
        yield* pass(pause);
      }
      assert.lengthOf(requests, 3);
      const last = (yield* history).at(-1)?.events.at(-1);
      assert.match(JSON.stringify(last), /TaskFailed.*137.*EssentialContainerExited/);
    }),
  );

  it.effect("over its time limit is told to stop, and tried again", () =>
    Effect.gen(function* () {
      const { end, history, pass, stopped, told, work } = yield* begin();
      const first = told().parent.deferred;
      yield* pass(hour);
      assert.lengthOf(stopped, 1);
      yield* pass(60_000);
      // The first one's end comes late, and is not the second one's.
      yield* end({ toldBy: "ecs", exitCode: 75, stopCode: "UserInitiated" }, first);
      yield* work;
      yield* end(done);
      assert.deepStrictEqual(tell(yield* history), [
        "copy: launch 1 succeeded",
        "time limit",
        "copy failed",
        "pause 60000",
        "copy: launch 2 succeeded",
        "end 0",
        "copy succeeded",
        "succeeded",
      ]);
    }),
  );

  it.effect("whose end nobody tells is found ended at its time limit", () =>
    Effect.gen(function* () {
      const { history, pass, stopped, work } = yield* begin();
      yield* work;
      yield* pass(hour);
      assert.deepStrictEqual(tell(yield* history).slice(1), [
        "time limit",
        "copy succeeded",
        "succeeded",
      ]);
      assert.lengthOf(stopped, 0);
    }),
  );

  it.effect("taken back loses no attempt, and after three runs where nobody takes it back", () =>
    Effect.gen(function* () {
      const { end, history, requests, work } = yield* begin();
      for (let launch = 1; launch <= 3; launch++) yield* end(takenBack);
      assert.deepStrictEqual(
        requests.map(({ spot }) => spot),
        [true, true, true, false],
      );
      assert.lengthOf(new Set(requests.map(({ token }) => token)), 4);
      yield* work;
      yield* end(done);
      assert.strictEqual(tell(yield* history).at(-1), "succeeded");
      assert.notInclude(tell(yield* history).join(), "pause");
    }),
  );

  it.effect("all its containers together have the time of one attempt", () =>
    Effect.gen(function* () {
      const { end, history, pass, stopped } = yield* begin();
      yield* pass(hour - 60_000);
      yield* end(takenBack);
      assert.lengthOf(stopped, 0);
      yield* pass(60_000);
      assert.lengthOf(stopped, 1);
      assert.deepStrictEqual(tell(yield* history).slice(-2), ["copy failed", "pause 60000"]);
    }),
  );

  it.effect("waits for capacity without being paid for", () =>
    Effect.gen(function* () {
      const { end, history, pass, requests, setCapacity, work } = yield* begin("abc", false);
      assert.strictEqual((yield* history).at(-1)?.events.at(-1)?._tag, "Suspended");
      yield* pass(5_000);
      setCapacity(true);
      yield* pass(10_000);
      assert.strictEqual(new Set(requests.map(({ token }) => token)).size, 1);
      yield* work;
      yield* end(done);
      assert.deepStrictEqual(
        tell(yield* history).filter((line) => !line.startsWith("pause")),
        [
          "copy: launch 1 failed",
          "copy: launch 1 failed",
          "copy: launch 1 succeeded",
          "end 0",
          "copy succeeded",
          "succeeded",
        ],
      );
    }),
  );

  it.effect("fails at once with what its child fails with for ever", () =>
    Effect.gen(function* () {
      const { end, history, requests, work } = yield* begin("broken");
      yield* work;
      yield* end({ toldBy: "task", exitCode: 1 });
      assert.lengthOf(requests, 1);
      assert.match(JSON.stringify((yield* history).at(-1)), /"_tag":"Broken"/);
    }),
  );

  it.effect(
    "is asked for with the same token when a process dies before it has recorded the launch",
    () =>
      Effect.gen(function* () {
        const world = yield* makeWorld;
        const tokens: Array<string> = [];
        const hangs = Layer.succeed(Tasks, {
          isAvailable: true,
          run: ({ token }) => {
            tokens.push(token);
            return tokens.length === 1 ? Effect.never : Effect.succeed({ task: "t" });
          },
          stop: () => Effect.void,
        });
        const first = yield* world.start(Layer.provide(parentLayer, hangs));
        yield* Effect.forkChild(first.run(Parent.execute({ file: "abc" })));
        yield* settle;
        yield* first.kill;
        yield* TestClock.adjust("2 minutes");
        const second = yield* world.start(Layer.provide(parentLayer, hangs), "frozen");
        yield* second.run(ExecutionRunner.use((one) => one.start(Parent, { file: "abc" })));
        assert.lengthOf(tokens, 2);
        assert.strictEqual(tokens[0], tokens[1]);
      }),
  );

  it.effect("is told to stop when its execution is cancelled", () =>
    Effect.gen(function* () {
      const { executionId, history, process, runner, stopped } = yield* begin();
      yield* process.run(Parent.interrupt(executionId));
      yield* runner((one) => one.wake({ workflow: "Parent", executionId }, "explicit"));
      assert.lengthOf(stopped, 1);
      assert.include(tell(yield* history), "copy: stop succeeded");
    }),
  );

  it.effect(
    "is launched anew by a redrive, and does not take the old launch's end for its own",
    () =>
      Effect.gen(function* () {
        const { end, executionId, history, requests, runner, told, work, world } =
          yield* begin("broken");
        yield* work;
        yield* end({ toldBy: "task", exitCode: 1 });
        const oldDeferred = told().parent.deferred;
        const { event } = yield* Effect.fromResult(
          decideRedrive(yield* history, {
            executionId,
            reason: "repaired",
            atEpochMs: 0,
            failedChildren: new Set(),
          }),
        );
        yield* world.journal.append({
          executionId,
          commit: (yield* history).length + 1,
          writer: "operator",
          events: [event],
        });
        yield* runner((one) => one.wake({ workflow: "Parent", executionId }, "explicit"));
        assert.lengthOf(requests, 2);
        assert.notStrictEqual(requests[0]?.token, requests[1]?.token);
        assert.notStrictEqual(told().parent.deferred, oldDeferred);
        yield* end(crashed, oldDeferred);
        assert.strictEqual((yield* history).at(-1)?.events.at(-1)?._tag, "Suspended");
      }),
  );
});
