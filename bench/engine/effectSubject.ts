/**
 * The load as Effect workflows, on any `WorkflowEngine`: Effect's own in memory, and Millrace on SQLite.
 */
import { Durability, Engine, Journal, makeActivity } from "@millrace/core";
import { SqliteJournal } from "@millrace/core/sqlite";
import { Effect, Layer, ManagedRuntime, Schema } from "effect";
import { Activity, DurableClock, Workflow, WorkflowEngine } from "effect/workflow";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { enterBody, runStep, type Subject, stepsPerSuspension, waitMs } from "./Subject.ts";

const stepOf = (id: string, index: number) => ({
  name: `s${index}`,
  success: Schema.Int,
  execute: Effect.sync(() => runStep(id, index)),
});

/** A step as users of the engine write it. */
type MakeStep = (step: ReturnType<typeof stepOf>) => Activity.Activity<typeof Schema.Int>;

/** `inMemoryThreshold` of nothing: every wait is a suspension. */
const wait = (index: number) =>
  DurableClock.sleep({ name: `w${index}`, duration: waitMs, inMemoryThreshold: 0 });

const makeJob = (durability: "strict" | "express") =>
  Workflow.make("Job", {
    payload: {
      id: Schema.String,
      kind: Schema.Literals(["sequence", "fan", "resume", "suspending"]),
      steps: Schema.Int,
    },
    success: Schema.Int,
    idempotencyKey: ({ id }) => id,
  }).annotate(Durability, durability);

type JobWorkflow = ReturnType<typeof makeJob>;

const layerJob = (job: JobWorkflow, makeStep: MakeStep) => {
  const step = (id: string, index: number) => makeStep(stepOf(id, index));
  return job.toLayer(
    Effect.fnUntraced(function* ({ id, kind, steps }) {
      enterBody(id);
      if (kind === "fan") {
        const all = Array.from({ length: steps }, (_, index) => step(id, index));
        return (yield* Effect.all(all, { concurrency: "unbounded" })).length;
      }
      let sum = 0;
      for (let index = 0; index < steps; index++) {
        sum += yield* step(id, index);
        if (kind === "suspending" && (index + 1) % stepsPerSuspension === 0) yield* wait(index);
      }
      if (kind === "resume") {
        yield* wait(steps);
        sum += yield* step(id, steps);
      }
      return sum;
    }),
  );
};

interface Host {
  readonly run: Subject["run"];
  readonly close: () => Promise<void>;
}

const host = <E>(
  job: JobWorkflow,
  engine: Layer.Layer<WorkflowEngine.WorkflowEngine, E>,
  makeStep: MakeStep = makeActivity,
): Host => {
  const layer = Layer.provideMerge(layerJob(job, makeStep), Layer.fresh(engine));
  const runtime = ManagedRuntime.make(layer);
  return {
    run: (payload) => runtime.runPromise(job.execute(payload)),
    close: () => runtime.dispose(),
  };
};

/** Counts the appends that a journal is asked for. */
const counted = (count: () => void) =>
  Layer.effect(
    Journal,
    Effect.map(Journal, (journal) => ({
      load: journal.load,
      append: (commit) =>
        Effect.suspend(() => {
          count();
          return journal.append(commit);
        }),
    })),
  );

const countWrites = (job: JobWorkflow) => async (): Promise<number> => {
  let writes = 0;
  const journal = counted(() => writes++).pipe(
    Layer.provide(SqliteJournal.layerSqlite(":memory:")),
  );
  const { close, run } = host(job, Layer.provide(Engine.layerInProcess(), journal));
  await run({ id: "writes", kind: "sequence", steps: 10 });
  await close();
  return writes;
};

/** Effect's own engine: the floor of the programming model, with nothing stored. */
const effectMemory = (): Subject => ({
  engine: "effect-memory",
  version: "effect 4.1.0",
  durability: "none (memory)",
  leavesOut: [],
  ...host(makeJob("strict"), WorkflowEngine.layerMemory, Activity.make),
});

const onSqlite = (
  engine: string,
  durability: "strict" | "express",
  about: string,
  file: string,
): Subject => {
  const job = makeJob(durability);
  return {
    engine,
    version: "millrace",
    durability: about,
    leavesOut: [],
    writesPerExecution: countWrites(job),
    ...host(job, Layer.provide(Engine.layerInProcess(), SqliteJournal.layerSqlite(file))),
  };
};

const onDisk = (engine: string, durability: "strict" | "express", about: string): Subject => {
  const directory = mkdtempSync(join(tmpdir(), "millrace-bench-"));
  const subject = onSqlite(engine, durability, about, join(directory, "journal.sqlite"));
  return {
    ...subject,
    close: async () => {
      await subject.close();
      rmSync(directory, { recursive: true });
    },
  };
};

/** What the engine does in production, with the network's milliseconds left out: each append is a request of the SDK. */
const onDynalite = async (): Promise<Subject> => {
  // Only here: the AWS client has no place in the other engines' processes.
  const { layerDynaliteJournal } = await import("../../packages/core/test/dynalite.ts");
  const job = makeJob("strict");
  return {
    engine: "millrace-dynalite",
    version: "millrace",
    durability: "none (dynalite in this process, over HTTP), strict",
    leavesOut: ["steps10000"],
    writesPerExecution: countWrites(job),
    ...host(job, Layer.provide(Engine.layerInProcess(), layerDynaliteJournal)),
  };
};

/** The engines that need nothing but this project's install, by name. */
export const effectSubjects: Readonly<Record<string, () => Subject | Promise<Subject>>> = {
  "effect-memory": effectMemory,
  "millrace-memory": () =>
    onSqlite("millrace-memory", "strict", "none (SQLite :memory:), strict", ":memory:"),
  "millrace-sqlite": () =>
    onDisk("millrace-sqlite", "strict", "SQLite WAL, fsync per commit, strict"),
  "millrace-sqlite-express": () =>
    onDisk("millrace-sqlite-express", "express", "SQLite WAL, fsync per commit, express"),
  "millrace-dynalite": onDynalite,
};
