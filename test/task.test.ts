/**
 * The task does what a function does: takes messages until there are none. Told to stop in the middle of one, it stores
 * what there is, ends by itself, and the next task goes on.
 */
import { assert, describe, it } from "@effect/vitest";
import { Executions } from "@millrace/core";
import { connectionVariables, localVariables } from "@millrace/local";
import { pipelines } from "@millrace/workflows/topology";
import { Effect, Schedule } from "effect";
import { spawn } from "node:child_process";
import { fileURLToPath } from "node:url";
import { layerLocalWorld, LocalWorld } from "./LocalWorld.ts";

const file = fileURLToPath(import.meta.resolve("@millrace/functions/task"));
const look = Schedule.spaced("25 millis");

/** A task of the CSV pipeline; it is gone with the scope. */
const startTask = Effect.gen(function* () {
  const { connection } = yield* LocalWorld;
  const child = yield* Effect.acquireRelease(
    Effect.sync(() =>
      spawn(process.execPath, ["--disable-warning=ExperimentalWarning", file], {
        env: {
          ...process.env,
          ...connectionVariables(connection),
          ...localVariables(connection.endpoint, pipelines.csvToParquet),
          MILLRACE_PIPELINE: pipelines.csvToParquet.name,
          MILLRACE_TASK_IDLE_SECONDS: "2",
        },
        stdio: ["ignore", "pipe", "inherit"],
      }),
    ),
    (child) =>
      Effect.sync(() => {
        child.kill("SIGKILL");
      }),
  );
  let said = "";
  child.stdout.on("data", (data: Buffer) => {
    said += data.toString();
  });
  const saying = (text: string) =>
    Effect.repeat(
      Effect.sync(() => said.includes(text)),
      { until: (is) => is, schedule: look },
    );
  const ended = Effect.callback<number | null>((resume) => {
    if (child.exitCode !== null) return resume(Effect.succeed(child.exitCode));
    child.once("exit", (code) => {
      resume(Effect.succeed(code));
    });
    return undefined;
  });
  return { child, saying, ended, text: () => said };
});

const rows = Effect.gen(function* () {
  const executions = yield* Executions;
  return (yield* executions.list({ rowsMax: 10 })).rows;
});

/** Takes seconds to transform. */
const largeCsv = `id,name,total\n${Array.from({ length: 1_000_000 }, (_, id) => `${id},name of ${id},${id * 7}`).join("\n")}\n`;

describe("a task", { timeout: 180_000 }, () => {
  it.live("takes messages until there are none, and ends", () =>
    Effect.gen(function* () {
      const world = yield* LocalWorld;
      yield* world.upload("incoming/a.csv", "id,total\n1,2\n");
      yield* world.upload("incoming/b.csv", "id,total\n3,4\n");
      const task = yield* startTask;
      assert.strictEqual(yield* task.ended, 0);
      assert.include(task.text(), "the queue is empty");
      assert.deepStrictEqual(
        (yield* rows).map(({ status }) => status),
        ["completed", "completed"],
      );
    }).pipe(Effect.scoped, Effect.provide(layerLocalWorld({ timeoutSeconds: 60, workers: false }))),
  );

  it.live("told to stop in the middle of a run, leaves it to the next", () =>
    Effect.gen(function* () {
      const world = yield* LocalWorld;
      yield* world.upload("incoming/large.csv", largeCsv);
      const first = yield* startTask;
      yield* first.saying("message taken");
      first.child.kill("SIGTERM");
      assert.strictEqual(yield* first.ended, 0);
      assert.include(first.text(), "told to stop");
      assert.deepStrictEqual(
        (yield* rows).map(({ status }) => status),
        ["running"],
      );
      const second = yield* startTask;
      assert.strictEqual(yield* second.ended, 0);
      const [row] = yield* rows;
      assert.strictEqual(row?.status, "completed");
      assert.isAbove(row?.runs ?? 0, 1);
    }).pipe(Effect.scoped, Effect.provide(layerLocalWorld({ timeoutSeconds: 60, workers: false }))),
  );
});
