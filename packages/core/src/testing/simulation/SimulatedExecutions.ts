/**
 * The index of executions: forward only, and as late as an index is allowed to be.
 */
import { Effect, Exit, Layer } from "effect";
import { pageOf } from "../../ExecutionQuery.ts";
import { type ExecutionRow, Executions, IndexUnavailable, isLater } from "../../Executions.ts";
import { type Caller, request } from "./request.ts";

/** A lagging read shows the rows as they were up to this long ago, in milliseconds. */
const lagMsMax = 60_000;

export class SimulatedExecutions {
  readonly #rows = new Map<string, Array<{ readonly atMs: number; readonly row: ExecutionRow }>>();

  /** The rows as a reader sees them who sees nothing younger than the instant. */
  rowsAt(atMs: number): ReadonlyArray<ExecutionRow> {
    return [...this.#rows.values()].flatMap(
      (rows) => rows.findLast((entry) => entry.atMs <= atMs)?.row ?? [],
    );
  }

  /** The index as a process reaches it. */
  layerFor(caller: Caller): Layer.Layer<Executions> {
    const { faults, process } = caller;
    const { world } = process;
    const readAtMs = () =>
      faults.strikes("index-lag", 3) ? world.nowMs - world.prng.between(0, lagMsMax) : world.nowMs;
    const ask = <A>(operation: string, apply: () => A) =>
      Effect.suspend(() =>
        faults.strikes("index-lag")
          ? Effect.fail(new IndexUnavailable({ operation, cause: "asked for patience" }))
          : request(caller, {
              name: `index ${operation}`,
              apply: () => Exit.succeed(apply()),
              unavailable: (reason) => new IndexUnavailable({ operation, cause: reason }),
            }),
      );
    return Layer.succeed(Executions, {
      record: (row, instead) => ask("record", () => this.#record(row, world.nowMs, instead)),
      find: (executionId) =>
        ask("find", () => this.rowsAt(readAtMs()).find((row) => row.executionId === executionId)),
      list: (query) =>
        Effect.flatMap(
          ask("list", () => this.rowsAt(readAtMs())),
          (rows) => pageOf(rows, query),
        ),
    });
  }

  #record(row: ExecutionRow, atMs: number, instead?: ExecutionRow): void {
    const rows = this.#rows.get(row.executionId) ?? [];
    const before = rows.at(-1)?.row;
    const isReplaced =
      instead && before?.commit === instead.commit && before.redrives === instead.redrives;
    if (before && isLater(before, row) && !isReplaced) return;
    this.#rows.set(row.executionId, [...rows, { atMs, row }]);
  }
}
