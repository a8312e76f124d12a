/**
 * The real SQLite journal behind faulty requests, and what the world remembers of it.
 *
 * The store is the product's own, in memory. Beside it the world keeps who was told "stored" first for each number, so
 * that an overwritten commit is noticed although the store shows only the last one.
 */
import { Context, Effect, Exit, Layer, type Scope } from "effect";
import type { DatabaseSync } from "node:sqlite";
import type { Commit, ExecutionStarted } from "../../HistoryEvent.ts";
import { Journal } from "../../Journal.ts";
import { JournalUnavailable } from "../../JournalError.ts";
import { openJournal } from "../../sqlite/SqliteJournal.ts";
import { type Caller, request } from "./request.ts";

const unavailable = (executionId: string, operation: string) => (reason: string) =>
  new JournalUnavailable({ executionId, operation, cause: reason });

/** What was done to a history, and how it had begun. */
export interface Damage {
  readonly kind: "flip" | "drop" | "swap";
  readonly started: typeof ExecutionStarted.Type | undefined;
}

export class SimulatedJournal {
  /** Executions of which anything was stored, in the order of their first commit. */
  readonly executionIds = new Set<string>();
  /** Writer that was told first that it holds the number, by execution and number. */
  readonly firstWriters = new Map<string, string>();
  /** Executions whose end is stored, and that were not redriven since. */
  readonly ended = new Set<string>();
  /** Executions of which a stored commit was damaged. */
  readonly damaged = new Map<string, Damage>();
  /** Commits that were read back from the store before, by execution: each is read once, for an eighth of a run's time. */
  readonly #read = new Map<string, ReadonlyArray<Commit>>();
  /** Highest number that is stored, by execution. */
  readonly #stored = new Map<string, number>();
  readonly store: Journal["Service"];
  readonly #database: DatabaseSync;

  private constructor(store: Journal["Service"], database: DatabaseSync) {
    this.store = store;
    this.#database = database;
  }

  static readonly make: Effect.Effect<SimulatedJournal, never, Scope.Scope> = Effect.map(
    openJournal(":memory:"),
    ({ database, services }) => new SimulatedJournal(Context.get(services, Journal), database),
  );

  /** Damages a stored commit, as a disk or a person with a tool does: a byte, a row that is lost, two that changed places. */
  damage(executionId: string, commit: number, kind: Damage["kind"]): void {
    const events = this.history(executionId).flatMap((stored) => stored.events);
    const started = events.find((event) => event._tag === "ExecutionStarted");
    this.damaged.set(executionId, { kind, started });
    this.#read.delete(executionId);
    const at = `WHERE execution_id = ? AND "commit" = ?`;
    const set = (from: number, to: number) =>
      this.#database.prepare(`UPDATE journal SET "commit" = ? ${at}`).run(to, executionId, from);
    if (kind === "drop") {
      this.#database.prepare(`DELETE FROM journal ${at}`).run(executionId, commit);
    } else if (kind === "flip") {
      this.#database
        .prepare(
          `UPDATE journal SET events = replace(events, 'atEpochMs":1', 'atEpochMs":2') ${at}`,
        )
        .run(executionId, commit);
    } else {
      set(commit, 0);
      set(commit + 1, commit);
      set(0, commit + 1);
    }
  }

  /** Whether a damaged history can be read. A lost commit may be there again, when its own writer's answer was late. */
  isTakenForWhole(executionId: string): boolean {
    const loaded = Effect.runSyncExit(this.store.load(executionId, 0));
    if (Exit.isFailure(loaded)) return false;
    const isHealed =
      this.damaged.get(executionId)?.kind === "drop" &&
      loaded.value.every(
        ({ commit, writer }) => this.firstWriters.get(`${executionId}/${commit}`) === writer,
      );
    return !isHealed;
  }

  /** All that is stored of an execution; nothing of one that is damaged. */
  history(executionId: string): ReadonlyArray<Commit> {
    const loaded = this.#load(executionId, 0);
    return Exit.isSuccess(loaded) ? loaded.value : [];
  }

  /** The journal as a process reaches it. */
  layerFor(caller: Caller): Layer.Layer<Journal> {
    return Layer.succeed(Journal, {
      load: (executionId, after) =>
        request(caller, {
          name: `journal load ${executionId.slice(0, 8)} after ${after}`,
          apply: () => this.#load(executionId, after),
          unavailable: unavailable(executionId, "load"),
        }),
      append: (commit) =>
        request(caller, {
          name: `journal append ${commit.executionId.slice(0, 8)} ${commit.commit} ${commit.events.map((event) => event._tag).join()}`,
          apply: () => this.#append(commit),
          unavailable: unavailable(commit.executionId, "append"),
        }),
    });
  }

  #load(executionId: string, after: number) {
    if (this.damaged.has(executionId)) {
      return Effect.runSyncExit(this.store.load(executionId, after));
    }
    const read = this.#read.get(executionId) ?? [];
    if (read.length > 0 && read.length === this.#stored.get(executionId)) {
      return Exit.succeed(read.slice(after));
    }
    return Exit.map(Effect.runSyncExit(this.store.load(executionId, read.length)), (fresh) => {
      const whole = fresh.length === 0 ? read : [...read, ...fresh];
      this.#read.set(executionId, whole);
      return whole.slice(after);
    });
  }

  #append(commit: Commit) {
    const exit = Effect.runSyncExit(this.store.append(commit));
    if (Exit.isSuccess(exit)) {
      const key = `${commit.executionId}/${commit.commit}`;
      this.executionIds.add(commit.executionId);
      const stored = this.#stored.get(commit.executionId) ?? 0;
      this.#stored.set(commit.executionId, Math.max(stored, commit.commit));
      // A number that was stored before: the writer's own, once more, or (in a broken journal) another one's.
      if (commit.commit <= stored) this.#read.delete(commit.executionId);
      for (const { _tag } of commit.events) {
        if (_tag === "Completed") this.ended.add(commit.executionId);
        if (_tag === "Redriven") this.ended.delete(commit.executionId);
      }
      this.firstWriters.set(key, this.firstWriters.get(key) ?? commit.writer);
    }
    return exit;
  }
}
