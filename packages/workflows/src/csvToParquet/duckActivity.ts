/**
 * A part of a large file by the DuckDB engine. What it does not take, it says, and removes the parts that it has written before.
 */
import { Effect } from "effect";
import { DuckDbFailed } from "../duckdb/DuckDb.ts";
import { openDuckPass } from "../duckdb/DuckFilePass.ts";
import { NotForDuckDb } from "../duckdb/NotForDuckDb.ts";
import { openInput } from "../openInput.ts";
import type { DuckDone } from "./DuckDone.ts";
import type { LivePass } from "./LivePass.ts";
import {
  bytesOf,
  discardParts,
  hashesOf,
  optionsOf,
  type PartsJob,
  writePart,
} from "./partActivities.ts";
import type { PartDone } from "./PartDone.ts";

const isLeft = (error: unknown): error is NotForDuckDb | DuckDbFailed =>
  error instanceof NotForDuckDb || error instanceof DuckDbFailed;

/** Opens the file where the part begins. */
const openPass = Effect.fnUntraced(function* (job: PartsJob, before: ReadonlyArray<PartDone>) {
  const { steps = [] } = job.plan;
  if (steps.length > 0) {
    const names = steps.map(({ step }) => step.name).join(", ");
    return yield* new NotForDuckDb({ reason: `the pipeline has steps: ${names}` });
  }
  const position = before.at(-1)?.next;
  const { metadata } = yield* Effect.scoped(openInput(job.object, { bytesMax: 1 }));
  const pass = yield* openDuckPass(
    optionsOf(job),
    bytesOf(job.object),
    job.plan.duckDb,
    position && { position, hashes: hashesOf(before) },
  );
  return { metadata, pass };
});

/** A pass that is open. */
export type OpenDuckPass = Effect.Success<ReturnType<typeof openPass>>;

/** Writes the next part. */
export const transformPartByDuckDb = Effect.fnUntraced(function* (
  job: PartsJob,
  before: ReadonlyArray<PartDone>,
  live: LivePass<OpenDuckPass>,
) {
  return yield* live
    .use(before.length + 1, openPass(job, before), ({ metadata, pass }) =>
      writePart(job, before, {
        metadata,
        part: (index, sinks) => pass.part(index, sinks),
        report: pass.report,
      }),
    )
    .pipe(
      Effect.map((part): DuckDone => ({ _tag: "Done", part })),
      Effect.catchIf(isLeft, (error) =>
        Effect.gen(function* () {
          yield* Effect.logInfo(error.message);
          // The stream engine begins anew: of its parts, none may lie among these.
          yield* Effect.ignore(discardParts(before));
          const left: DuckDone = {
            _tag: "Left",
            reason: error instanceof NotForDuckDb ? error.reason : error.message,
          };
          return left;
        }),
      ),
    );
});
