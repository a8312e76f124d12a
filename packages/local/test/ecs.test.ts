/**
 * Goal: tasks are run, described, stopped and told of as ECS documents it; what is not there is refused by name.
 * Method: the unmodified SDK client over the service, without a socket; containers are real processes.
 */
import * as Sdk from "@aws-sdk/client-ecs";
import { assert, describe, it } from "@effect/vitest";
import { Effect, Layer, Schedule } from "effect";
import { fileURLToPath } from "node:url";
import { Ecs } from "../src/ecs/Ecs.ts";
import { taskArn } from "../src/ecs/EcsNames.ts";
import { jsonProtocol } from "../src/http/jsonProtocol.ts";
import { LocalEvents } from "../src/LocalEvents.ts";
import { LocalState } from "../src/LocalState.ts";
import { call, clientConfiguration, freshState } from "./inProcess.ts";

type Published = Parameters<LocalEvents["Service"]["publish"]>[0];

const published: Array<Published> = [];
const events = Layer.sync(LocalEvents, () => {
  published.length = 0;
  return { publish: (event) => Effect.sync(() => void published.push(event)) };
});
const world = Ecs.layer("tasks").pipe(Layer.provide(events), Layer.provideMerge(freshState));

const told = (environment: Readonly<Record<string, string>>) => ({
  containerOverrides: [
    {
      name: "worker",
      environment: Object.entries(environment).map(([name, value]) => ({ name, value })),
    },
  ],
});

const connect = Effect.gen(function* () {
  const ecs = yield* Ecs;
  const lines: Array<string> = [];
  yield* ecs.define("copy", {
    file: fileURLToPath(new URL("fixtures/container.ts", import.meta.url)),
    environment: { SAYS: "hello" },
    container: "worker",
    cpuUnits: 256,
    memoryMb: 512,
    stopTimeoutSeconds: 1,
    sizeVariables: { cpuUnits: "CPU", memoryMb: "SIZE" },
    onLine: (line) => void lines.push(line),
  });
  const handler = jsonProtocol({
    service: "ECS",
    targetPrefix: "AmazonEC2ContainerServiceV20141113",
    version: "1.1",
    operations: ecs.operations,
  });
  const client = new Sdk.ECSClient(yield* clientConfiguration(handler));
  return {
    ecs,
    client,
    lines,
    run: (more: Partial<Sdk.RunTaskCommandInput> = {}) =>
      call(() =>
        client.send(new Sdk.RunTaskCommand({ cluster: "tasks", taskDefinition: "copy", ...more })),
      ),
    describe: (task: string) =>
      Effect.map(
        call(() => client.send(new Sdk.DescribeTasksCommand({ cluster: "tasks", tasks: [task] }))),
        ({ tasks = [] }) => tasks[0],
      ),
    stop: (task: string, reason?: string) =>
      call(() => client.send(new Sdk.StopTaskCommand({ cluster: "tasks", task, reason }))),
    stopped: (task: string) =>
      call(() =>
        client.send(new Sdk.DescribeTasksCommand({ cluster: "tasks", tasks: [task] })),
      ).pipe(
        Effect.map(({ tasks = [] }) => tasks[0]),
        Effect.repeat({
          until: (found) => found?.lastStatus === "STOPPED",
          schedule: Schedule.spaced("10 millis"),
        }),
      ),
    saying: (line: string) =>
      Effect.repeat(
        Effect.sync(() => lines.includes(line)),
        { until: (is) => is, schedule: Schedule.spaced("10 millis") },
      ),
  };
});

describe("a task", { timeout: 30_000 }, () => {
  it.live("runs the definition's entry point with its overrides, and tells of its end", () =>
    Effect.gen(function* () {
      const { lines, run, stopped } = yield* connect;
      const { tasks = [] } = yield* run({
        startedBy: "e1/transform/1/0",
        overrides: { cpu: "512", memory: "1024", ...told({ EXIT_CODE: "3" }) },
        capacityProviderStrategy: [{ capacityProvider: "FARGATE_SPOT", weight: 1 }],
      });
      const arn = tasks[0]?.taskArn ?? "";
      assert.match(arn, /^arn:aws:ecs:us-east-1:000000000000:task\/tasks\/[0-9a-f]{32}$/);
      const task = yield* stopped(arn);
      assert.deepStrictEqual(lines, ["says hello, has 1024"]);
      assert.deepInclude(task, {
        stopCode: "EssentialContainerExited",
        stoppedReason: "Essential container in task exited",
        startedBy: "e1/transform/1/0",
        cpu: "512",
        capacityProviderName: "FARGATE_SPOT",
        group: "family:copy",
      });
      assert.instanceOf(task?.stoppedAt, Date);
      assert.strictEqual(task?.containers?.[0]?.exitCode, 3);
      assert.deepStrictEqual(
        published.map(({ detail }) => detail["lastStatus"]),
        ["RUNNING", "STOPPED"],
      );
      assert.deepInclude(published[1]?.detail, { taskArn: arn, startedBy: "e1/transform/1/0" });
    }).pipe(Effect.provide(world)),
  );

  it.live("is started once for a client token, and another request under it is a conflict", () =>
    Effect.gen(function* () {
      const { ecs, run } = yield* connect;
      const first = yield* run({ clientToken: "t" });
      const second = yield* run({ clientToken: "t" });
      assert.strictEqual(first.tasks?.[0]?.taskArn, second.tasks?.[0]?.taskArn);
      assert.lengthOf(yield* ecs.tasks, 1);
      const other = yield* Effect.flip(run({ clientToken: "t", startedBy: "x" }));
      assert.strictEqual(other.name, "ConflictException");
    }).pipe(Effect.provide(world)),
  );

  it.live("told to stop has its time, and is killed after it", () =>
    Effect.gen(function* () {
      const { run, saying, stop, stopped } = yield* connect;
      const one = yield* run({ overrides: told({ ENDS: "when told", EXIT_CODE: "75" }) });
      const arn = one.tasks?.[0]?.taskArn ?? "";
      yield* saying("ready hello");
      const { task } = yield* stop(arn, "over its time");
      assert.strictEqual(task?.desiredStatus, "STOPPED");
      const ended = yield* stopped(arn);
      assert.deepInclude(ended, { stopCode: "UserInitiated", stoppedReason: "over its time" });
      assert.strictEqual(ended?.containers?.[0]?.exitCode, 75);

      const deaf = yield* run({ overrides: told({ ENDS: "never", SAYS: "deaf" }) });
      yield* saying("ready deaf");
      const deafArn = deaf.tasks?.[0]?.taskArn ?? "";
      yield* stop(deafArn);
      assert.strictEqual((yield* stopped(deafArn))?.containers?.[0]?.exitCode, 137);
    }).pipe(Effect.provide(world)),
  );

  it.live("interrupted by Spot says so; killed, it has only its exit code", () =>
    Effect.gen(function* () {
      const { ecs, run, saying, stopped } = yield* connect;
      const spot = yield* run({ overrides: told({ ENDS: "when told", EXIT_CODE: "75" }) });
      const arn = spot.tasks?.[0]?.taskArn ?? "";
      yield* saying("ready hello");
      yield* ecs.interrupt(arn.split("/").at(-1) ?? "");
      assert.deepInclude(yield* stopped(arn), { stopCode: "SpotInterruption" });
      const killed = yield* run({ overrides: told({ ENDS: "never" }) });
      const killedArn = killed.tasks?.[0]?.taskArn ?? "";
      yield* ecs.kill(killedArn.split("/").at(-1) ?? "");
      const task = yield* stopped(killedArn);
      assert.strictEqual(task?.stopCode, "EssentialContainerExited");
      assert.strictEqual(task?.containers?.[0]?.exitCode, 137);
    }).pipe(Effect.provide(world)),
  );

  it.live("that ran when the embedded AWS ended is stopped at its next start, and says so", () =>
    Effect.gen(function* () {
      const state = yield* LocalState;
      const services = Layer.fresh(Ecs.layer("tasks")).pipe(
        Layer.provide(Layer.fresh(events)),
        Layer.provide(Layer.succeed(LocalState, state)),
      );
      const arn = yield* Effect.gen(function* () {
        const { run } = yield* connect;
        const { tasks = [] } = yield* run({ overrides: told({ ENDS: "never" }) });
        return tasks[0]?.taskArn ?? "";
      }).pipe(Effect.provide(services));
      yield* Effect.gen(function* () {
        const task = yield* (yield* connect).describe(arn);
        assert.deepInclude(task, { lastStatus: "STOPPED" });
        assert.match(task?.stoppedReason ?? "", /the embedded AWS ended/);
        assert.deepInclude(published[0]?.detail, { taskArn: arn, lastStatus: "STOPPED" });
      }).pipe(Effect.provide(services));
    }).pipe(Effect.provide(freshState)),
  );
});

describe("ECS", { timeout: 30_000 }, () => {
  it.live("refuses what it does not know by name", () =>
    Effect.gen(function* () {
      const { client, describe: look, run, stop } = yield* connect;
      const refused = [
        [run({ cluster: "others" }), "ClusterNotFoundException"],
        [run({ cluster: undefined }), "ClusterNotFoundException"],
        [run({ taskDefinition: "paste" }), "ClientException"],
        [run({ count: 2 }), "InvalidParameterException"],
        [run({ startedBy: "with space" }), "InvalidParameterException"],
        [run({ clientToken: "t".repeat(65) }), "InvalidParameterException"],
        [run({ overrides: { cpu: "256", memory: "4096" } }), "ClientException"],
        [
          run({ overrides: { containerOverrides: [{ name: "other" }] } }),
          "InvalidParameterException",
        ],
        [run({ enableExecuteCommand: true }), "NotImplemented"],
        [stop("nobody"), "InvalidParameterException"],
        [call(() => client.send(new Sdk.ListServicesCommand({}))), "NotImplemented"],
      ] as const;
      for (const [request, name] of refused) {
        assert.strictEqual((yield* Effect.flip(request)).name, name);
      }
      assert.isUndefined(yield* look("nobody"));
      const { failures = [] } = yield* call(() =>
        client.send(new Sdk.DescribeTasksCommand({ cluster: "tasks", tasks: ["nobody"] })),
      );
      assert.deepStrictEqual(failures, [{ arn: taskArn("tasks", "nobody"), reason: "MISSING" }]);
    }).pipe(Effect.provide(world)),
  );

  it.live("lists tasks by family, by who started them, and by what is wanted of them", () =>
    Effect.gen(function* () {
      const { client, run, stopped } = yield* connect;
      const list = (more: Partial<Sdk.ListTasksCommandInput>) =>
        Effect.map(
          call(() => client.send(new Sdk.ListTasksCommand({ cluster: "tasks", ...more }))),
          ({ taskArns = [] }) => taskArns,
        );
      const ended = (yield* run({ startedBy: "a" })).tasks?.[0]?.taskArn ?? "";
      yield* stopped(ended);
      const going = (yield* run({ startedBy: "b", overrides: told({ ENDS: "never" }) })).tasks?.[0]
        ?.taskArn;
      assert.deepStrictEqual(yield* list({}), [going]);
      assert.deepStrictEqual(yield* list({ desiredStatus: "STOPPED" }), [ended]);
      assert.deepStrictEqual(yield* list({ startedBy: "a" }), []);
      assert.deepStrictEqual(yield* list({ family: "others" }), []);
    }).pipe(Effect.provide(world)),
  );
});
