/**
 * I10: a stored history, replayed by the code that made it, asks for nothing new and ends as it ended.
 */
import {
  checkReplay,
  type Commit,
  layerLargeValuesOf,
  MessageQueue,
  ObjectStore,
  Tasks,
} from "@millrace/core";
import type { SimulatedJournal, SimulatedLargeValues } from "@millrace/core/testing/simulation";
import { Buckets, layerCsvToParquet, ParquetEncoder } from "@millrace/workflows";
import { layerDailySales } from "@millrace/workflows/DailySales";
import { Cause, Effect, Exit, FileSystem, Layer } from "effect";
import type { Violation } from "./invariants.ts";
import { layerInvoice } from "./invoices.ts";
import { Outside } from "./Ledger.ts";
import { layerOrder, layerPart } from "./orders.ts";
import { layerSalesTransform } from "./sales.ts";
import { bucketNames } from "./simulatedPipelines.ts";

/** A check runs no activity: whoever reaches for one of these has found a bug. */
const untouched = Layer.mergeAll(
  Layer.mock(Outside, {}),
  Layer.mock(ObjectStore, {}),
  Layer.mock(MessageQueue, {}),
  Tasks.layerNone,
  Layer.mock(ParquetEncoder, { name: "untouched" }),
  Layer.succeed(FileSystem.FileSystem, FileSystem.makeNoop({})),
  Layer.succeed(Buckets, bucketNames),
);

/** Replays all histories that the journal holds and that are whole. */
export const checkReplays = async (
  journal: SimulatedJournal,
  values: SimulatedLargeValues,
): Promise<ReadonlyArray<Violation>> => {
  const histories = new Map<string, ReadonlyArray<Commit>>();
  for (const id of journal.executionIds) {
    const history = journal.history(id);
    // A signal to an upload that is superseded waits without a start.
    const isStarted = history.some(({ events }) =>
      events.some(({ _tag }) => _tag === "ExecutionStarted"),
    );
    if (isStarted && !journal.damaged.has(id)) histories.set(id, history);
  }
  const workflows = Layer.mergeAll(
    layerOrder("today"),
    layerPart,
    layerInvoice,
    layerCsvToParquet,
    Layer.orDie(layerDailySales),
    Layer.orDie(layerSalesTransform),
  );
  const stored = layerLargeValuesOf(values.texts);
  const exit = await Effect.runPromiseExit(
    checkReplay(histories, Layer.provide(workflows, untouched)).pipe(Effect.provide(stored)),
  );
  if (Exit.isFailure(exit)) {
    return [{ invariant: "I10", about: "a check", what: Cause.pretty(exit.cause).slice(0, 600) }];
  }
  return exit.value.flatMap(({ executionId, verdict }) =>
    // The history of a child may be the damaged one.
    verdict._tag === "Agrees" || (verdict._tag === "Unknown" && journal.damaged.size > 0)
      ? []
      : [{ invariant: "I10", about: executionId, what: JSON.stringify(verdict).slice(0, 600) }],
  );
};
