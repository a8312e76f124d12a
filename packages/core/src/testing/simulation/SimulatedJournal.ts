/**
 * The real SQLite journal behind faulty requests, and what the world remembers of it.
 *
 * The store is the product's own, in memory. Beside it the world keeps who was told "stored" first for each number, so
 * that an overwritten commit is noticed although the store shows only the last one.
 */
import { Context, Effect, Exit, Layer, type Scope } from "effect";
import type { Commit } from "../../HistoryEvent.ts";
import { Journal } from "../../Journal.ts";
import { JournalUnavailable } from "../../JournalError.ts";
import { layerSqlite } from "../../sqlite/SqliteJournal.ts";
import { type Caller, request } from "./request.ts";

const unavailable = (executionId: string, operation: string) => (reason: string) =>
  new JournalUnavailable({ executionId, operation, cause: reason });

export class SimulatedJournal {
  /** Executions of which anything was stored, in the order of their first commit. */
  readonly executionIds = new Set<string>();
  /** Writer that was told first that it holds the number, by execution and number. */
  readonly firstWriters = new Map<string, string>();
  readonly store: Journal["Service"];

  private constructor(store: Journal["Service"]) {
    this.store = store;
  }

  static readonly make: Effect.Effect<SimulatedJournal, never, Scope.Scope> = Effect.map(
    Layer.build(Layer.fresh(layerSqlite(":memory:"))),
    (context) => new SimulatedJournal(Context.get(context, Journal)),
  );

  /** All that is stored of an execution. */
  history(executionId: string): ReadonlyArray<Commit> {
    return Effect.runSync(Effect.orDie(this.store.load(executionId, 0)));
  }

  /** The journal as a process reaches it. */
  layerFor(caller: Caller): Layer.Layer<Journal> {
    return Layer.succeed(Journal, {
      load: (executionId, after) =>
        request(caller, {
          name: `journal load ${executionId.slice(0, 8)} after ${after}`,
          apply: () => Effect.runSyncExit(this.store.load(executionId, after)),
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

  #append(commit: Commit) {
    const exit = Effect.runSyncExit(this.store.append(commit));
    if (Exit.isSuccess(exit)) {
      const key = `${commit.executionId}/${commit.commit}`;
      this.executionIds.add(commit.executionId);
      this.firstWriters.set(key, this.firstWriters.get(key) ?? commit.writer);
    }
    return exit;
  }
}
