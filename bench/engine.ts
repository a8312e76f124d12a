/**
 * The engine's cost per step, beside Effect's own memory engine under the same load in the same run.
 *
 * Usage: node bench/engine.ts [steps, default 1000]
 * Prints one JSON line per engine. `stepsPerSecond` is wall time on whatever machine this is: compare the ratios.
 */
import { Engine } from "@millrace/core";
import { SqliteJournal } from "@millrace/core/sqlite";
import { Effect, Layer, Schema } from "effect";
import { Activity, Workflow, WorkflowEngine } from "effect/workflow";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

const steps = Number(process.argv[2] ?? 1_000);
const fan = 100;

const step = (name: string) =>
  Activity.make({ name, success: Schema.Int, execute: Effect.succeed(1) });

/** Instants at which the steps of a sequential run began, for the last tenth against the first. */
const beganMs: Array<number> = [];

const Sequential = Workflow.make("Sequential", {
  payload: { id: Schema.String },
  idempotencyKey: ({ id }) => id,
});
const FanOut = Workflow.make("FanOut", {
  payload: { id: Schema.String },
  idempotencyKey: ({ id }) => id,
});

const workflows = Layer.merge(
  Sequential.toLayer(() =>
    Effect.gen(function* () {
      for (let index = 0; index < steps; index++) {
        beganMs.push(performance.now());
        yield* step(`step ${index}`);
      }
    }),
  ),
  FanOut.toLayer(() =>
    Effect.all(
      Array.from({ length: fan }, (_, index) => step(`side ${index}`)),
      { concurrency: "unbounded", discard: true },
    ),
  ),
);

const directory = mkdtempSync(join(tmpdir(), "millrace-bench-"));
const onSqlite = (file: string) =>
  Layer.provide(Engine.layerInProcess(), SqliteJournal.layerSqlite(file));
const engines = {
  "effect memory": WorkflowEngine.layerMemory,
  "millrace :memory:": onSqlite(":memory:"),
  "millrace sqlite, fsync": onSqlite(join(directory, "journal.sqlite")),
};

const timed = Effect.fnUntraced(function* <A, E, R>(effect: Effect.Effect<A, E, R>) {
  const before = { ms: performance.now(), cpu: process.cpuUsage() };
  yield* effect;
  const cpu = process.cpuUsage(before.cpu);
  return { ms: performance.now() - before.ms, cpuMs: (cpu.user + cpu.system) / 1_000 };
});

const measure = Effect.gen(function* () {
  // Compiled and warm before anything counts.
  yield* Sequential.execute({ id: "warm" });
  yield* FanOut.execute({ id: "warm" });
  beganMs.length = 0;
  const run = yield* timed(Sequential.execute({ id: "run" }));
  const tenth = Math.floor(steps / 10);
  const span = (from: number, to: number) => (beganMs[to] ?? 0) - (beganMs[from] ?? 0);
  const lastOverFirstTenth = span(steps - tenth, steps - 1) / span(0, tenth - 1);
  const fanOut = yield* timed(FanOut.execute({ id: "run" }));
  return {
    stepsPerSecond: Math.round((steps / run.ms) * 1_000),
    cpuMsPerStep: Number((run.cpuMs / steps).toFixed(3)),
    [`steps${steps}Ms`]: Math.round(run.ms),
    lastOverFirstTenth: Number(lastOverFirstTenth.toFixed(2)),
    [`fan${fan}Ms`]: Number(fanOut.ms.toFixed(1)),
  };
});

for (const [engine, layer] of Object.entries(engines)) {
  const figures = await Effect.runPromise(
    Effect.provide(measure, Layer.provideMerge(workflows, layer)),
  );
  process.stdout.write(`${JSON.stringify({ engine, ...figures })}\n`);
}
rmSync(directory, { recursive: true });
