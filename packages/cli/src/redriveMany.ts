/**
 * Redrives all executions of a query: chosen first, then one by one at a rate.
 *
 * They are chosen from the index, which may be late; whether each may be redriven is decided by its journal, in a dry
 * run as in earnest.
 */
import { type ExecutionStatus, Operations, planRedrive, redrive } from "@millrace/core";
import { Console, Effect, Schema } from "effect";
import { carryOut } from "./carryOut.ts";
import { type QueryFlags, readQuery } from "./queryFlags.ts";
import { isTaskWork, requirePipelineOf } from "./stores.ts";

/** Some of the chosen executions may not be redriven. */
export class SomeRefused extends Schema.TaggedError<SomeRefused>()("SomeRefused", {
  refused: Schema.Array(Schema.Struct({ executionId: Schema.String, reason: Schema.String })),
}) {
  override get message(): string {
    const [first] = this.refused;
    return `${this.refused.length} may not be redriven, the first: ${first?.reason ?? ""}`;
  }
}

const stopped: ReadonlyArray<ExecutionStatus> = ["failed", "parked"];

/** Ids of what failed or is parked and passes the filters, newest first; the work of tasks goes on with its pipeline's. */
export const selectFailed = Effect.fnUntraced(function* (flags: QueryFlags) {
  const query = yield* readQuery({
    ...flags,
    status: flags.status.length > 0 ? flags.status : stopped,
  });
  const ids: Array<string> = [];
  yield* Operations.rowPages(query, (rows) =>
    Effect.sync(() => {
      const own = rows.filter(({ workflow }) => !isTaskWork(workflow));
      ids.push(...own.map(({ executionId }) => executionId));
    }),
  );
  return ids;
});

/** What became of the chosen executions. */
interface Counts {
  readonly dryRun: boolean;
  readonly selected: number;
  redriven: number;
  /** Redriven meanwhile, or never failed. */
  notFailed: number;
  refused: number;
}

/** Redrives them, or finds out which would be. */
export const redriveMany = Effect.fnUntraced(function* (
  ids: ReadonlyArray<string>,
  options: {
    readonly dryRun: boolean;
    readonly json: boolean;
    readonly perSecond: number;
    readonly reason: string;
  },
) {
  const { dryRun, json, perSecond, reason } = options;
  const counts: Counts = {
    dryRun,
    selected: ids.length,
    redriven: 0,
    notFailed: 0,
    refused: 0,
  };
  const refused: Array<{ readonly executionId: string; readonly reason: string }> = [];
  const refuse = (executionId: string) => (error: Error) =>
    Effect.sync(() => {
      counts.refused++;
      refused.push({ executionId, reason: error.message });
    });
  const act = (executionId: string) =>
    requirePipelineOf(executionId).pipe(
      Effect.andThen(
        dryRun
          ? Effect.asVoid(planRedrive(executionId, reason))
          : Effect.asVoid(redrive(executionId, { reason })),
      ),
      Effect.andThen(Effect.sync(() => void counts.redriven++)),
      Effect.catchTags({
        NotFailed: () => Effect.sync(() => void counts.notFailed++),
        ExecutionCompensated: refuse(executionId),
        ExecutionUnknown: refuse(executionId),
        NoPipelineForWorkflow: refuse(executionId),
      }),
    );
  yield* carryOut(ids, {
    label: dryRun ? "counting" : "redriving",
    // Reads need no pacing against what they would set in motion.
    perSecond: dryRun ? Math.max(perSecond, readsPerSecond) : perSecond,
    act,
    report: Effect.suspend(() => Console.log(json ? JSON.stringify(counts) : describe(counts))),
  });
  const [first, ...rest] = refused;
  if (first) return yield* new SomeRefused({ refused: [first, ...rest] });
});

/** Histories that a dry run loads a second. */
const readsPerSecond = 200;

const describe = ({ dryRun, notFailed, redriven, refused, selected }: Counts): string =>
  [
    `${selected} selected: ${redriven} ${dryRun ? "would be redriven" : "redriven"}`,
    `${notFailed} not failed any more`,
    `${refused} refused`,
  ].join(", ");
