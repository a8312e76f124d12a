/**
 * Kills workers of shipments over one SQLite file, again and again: two at work at the same time, each killed at a
 * random moment while it is fed, and replaced.
 */
import { Journal } from "@millrace/core";
import { Prng } from "@millrace/core/testing/simulation";
import { SqliteJournal } from "@millrace/core/sqlite";
import { Effect, Layer, ManagedRuntime } from "effect";
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { DatabaseSync } from "node:sqlite";
import { setTimeout as sleep } from "node:timers/promises";
import type { KillOptions, KillResult } from "./KillReport.ts";
import { type Outside, planOf, Shipment } from "./Shipment.ts";
import { readEffects, shipmentViolations } from "./shipmentViolations.ts";

const workersAtOnce = 2;
/** New orders of a round, and how long its workers live at most, in milliseconds. */
const ordersPerRound = 5;
const lifeMsMax = 350;
/** How long the rest may take once nobody is killed any more, and after how much of it workers are started anew. */
const calmMsMax = 60_000;
const calmWorkerMs = 5_000;

/** What must become a fact: told again to another worker until one of them has answered. */
class Orders {
  count = 0;
  readonly #unanswered = new Set<string>();

  add(prng: Prng): void {
    const id = this.count++;
    this.#unanswered.add(`start ${id}`);
    if (planOf(id).needsApproval) this.#unanswered.add(`approve ${id}`);
    // Some are asked for a second time, later: they join.
    if (prng.chance(0.2)) this.#unanswered.add(`start ${prng.below(this.count)}`);
  }

  answered(line: string): void {
    this.#unanswered.delete(line);
  }

  get unanswered(): ReadonlyArray<string> {
    return [...this.#unanswered];
  }
}

interface Worker {
  readonly child: ChildProcess;
  readonly ready: Promise<unknown>;
}

const startWorker = (programArguments: ReadonlyArray<string>, orders: Orders): Worker => {
  const child = spawn(
    process.execPath,
    [
      "--disable-warning=ExperimentalWarning",
      join(import.meta.dirname, "shipmentWorker.ts"),
      ...programArguments,
    ],
    { stdio: ["pipe", "pipe", "inherit"] },
  );
  // A command to one that was killed meanwhile is given again to another.
  child.stdin?.on("error", () => undefined);
  const ready = Promise.withResolvers<void>();
  if (child.stdout) {
    createInterface({ input: child.stdout }).on("line", (line) => {
      if (line === "ready") ready.resolve();
      else orders.answered(line);
    });
  }
  child.once("exit", () => ready.resolve());
  return { child, ready: ready.promise };
};

const tell = ({ child }: Worker, commands: ReadonlyArray<string>): void => {
  for (const command of commands) child.stdin?.write(`${command}\n`);
};

const kill = async ({ child }: Worker): Promise<void> => {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const gone = once(child, "exit");
  child.kill("SIGKILL");
  await gone;
};

/** Each command goes to one of the workers, some to both. */
const feed = (workers: ReadonlyArray<Worker>, orders: Orders, prng: Prng): void => {
  for (const command of orders.unanswered) {
    const first = prng.below(workers.length);
    for (const [index, worker] of workers.entries()) {
      if (index === first || prng.chance(0.3)) tell(worker, [command]);
    }
  }
};

interface World {
  readonly orders: Orders;
  readonly prng: Prng;
  readonly start: () => Worker;
}

/** A round: feed, wait, kill one worker or both at different moments. */
const killRounds = async ({ orders, prng, start }: World, options: KillOptions) => {
  let kills = 0;
  const working: Array<Worker> = [];
  const spare = Array.from({ length: workersAtOnce }, start);
  for (let round = 1; round <= options.rounds; round++) {
    const fresh = spare.splice(0, workersAtOnce - working.length);
    await Promise.all(fresh.map(({ ready }) => ready));
    for (const worker of fresh) tell(worker, ["open"]);
    working.push(...fresh);
    for (let index = 0; index < ordersPerRound; index++) orders.add(prng);
    feed(working, orders, prng);
    // The next ones load their code meanwhile.
    while (spare.length < workersAtOnce) spare.push(start());
    const survivors: Array<Worker> = [];
    await Promise.all(
      working.splice(0).map(async (worker, index) => {
        const spared = index > 0 && prng.chance(0.3);
        const lifeMs = prng.between(0, lifeMsMax);
        if (spared) return void survivors.push(worker);
        await sleep(lifeMs);
        await kill(worker);
        kills++;
      }),
    );
    working.push(...survivors);
    options.onRound?.(round, kills);
  }
  await Promise.all([...working, ...spare].map(kill));
  return kills;
};

/** Lets all come to an end; workers are started anew now and then, as any host would. */
const calm = async (
  { orders, prng, start }: World,
  isOver: () => Promise<boolean>,
): Promise<void> => {
  const endMs = performance.now() + calmMsMax;
  while (performance.now() < endMs) {
    const workers = Array.from({ length: workersAtOnce }, start);
    await Promise.all(workers.map(({ ready }) => ready));
    for (const worker of workers) tell(worker, ["open"]);
    const untilMs = performance.now() + calmWorkerMs;
    let isDone = false;
    while (!isDone && performance.now() < untilMs) {
      feed(workers, orders, prng);
      await sleep(200);
      isDone = orders.unanswered.length === 0 && (await isOver());
    }
    await Promise.all(workers.map(kill));
    if (isDone) return;
  }
};

const haveAllEnded = Effect.fnUntraced(function* (count: number) {
  const journal = yield* Journal;
  for (let id = 0; id < count; id++) {
    const commits = yield* journal.load(yield* Shipment.executionId({ id }), 0);
    if (commits.at(-1)?.events.at(-1)?._tag !== "Completed") return false;
  }
  return true;
});

const isIntact = (journalFile: string): boolean => {
  const database = new DatabaseSync(journalFile);
  const answer = database.prepare("PRAGMA integrity_check").get();
  database.close();
  return answer?.["integrity_check"] === "ok";
};

/** Runs the rounds, and looks at everything afterwards. */
export const killShipments = async (options: KillOptions): Promise<KillResult> => {
  const startedMs = performance.now();
  const journalFile = join(options.directory, "journal.sqlite");
  const outside: Outside = {
    effectsFile: join(options.directory, "effects.ndjson"),
    outputsDirectory: join(options.directory, "outputs"),
  };
  mkdirSync(outside.outputsDirectory, { recursive: true });
  const orders = new Orders();
  const paths = [journalFile, outside.effectsFile, outside.outputsDirectory];
  const world: World = {
    orders,
    prng: new Prng(options.seed),
    start: () => startWorker(paths, orders),
  };
  const kills = await killRounds(world, options);
  const store = ManagedRuntime.make(Layer.fresh(SqliteJournal.layerSqlite(journalFile)));
  await calm(world, () => store.runPromise(haveAllEnded(orders.count)));
  const violations = [...(await store.runPromise(shipmentViolations(outside, orders.count)))];
  await store.dispose();
  if (!isIntact(journalFile)) violations.push("the database is damaged");
  const effects = readEffects(outside);
  return {
    violations,
    report: {
      store: "sqlite",
      rounds: options.rounds,
      violations: violations.length,
      executions: orders.count,
      kills,
      seed: options.seed,
      ms: Math.round(performance.now() - startedMs),
      effects: effects.length,
      effectsRepeated: effects.length - new Set(effects.map(({ key }) => key)).size,
    },
  };
};
