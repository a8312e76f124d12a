/**
 * All parts of a large file by the DuckDB engine, as one activity: a crash repeats the file. What it does not take, it
 * says, and leaves nothing behind.
 */
import { Effect } from "effect";
import type { CsvPart } from "../csv/CsvReport.ts";
import { makeRejectsEncoder, rejectsContentType } from "../csv/RejectsFile.ts";
import { DuckDbFailed } from "../duckdb/DuckDb.ts";
import { duckPass } from "../duckdb/duckPass.ts";
import { NotForDuckDb } from "../duckdb/NotForDuckDb.ts";
import { openInput } from "../openInput.ts";
import type { DuckDone } from "./DuckDone.ts";
import {
  bytesOf,
  keysOf,
  lazyObject,
  optionsOf,
  parquetType,
  type PartsJob,
  removeAll,
} from "./partActivities.ts";
import type { PartDone, Written } from "./PartDone.ts";

const isLeft = (error: unknown): error is NotForDuckDb | DuckDbFailed =>
  error instanceof NotForDuckDb || error instanceof DuckDbFailed;

/** Writes all parts. */
export const transformByDuckDb = Effect.fnUntraced(function* (job: PartsJob) {
  const { steps = [] } = job.plan;
  if (steps.length > 0) {
    const names = steps.map(({ step }) => step.name).join(", ");
    const left: DuckDone = { _tag: "Left", reason: `the pipeline has steps: ${names}` };
    return left;
  }
  const keys = keysOf(job);
  const { rejectsFormat } = job.plan;
  const { metadata } = yield* Effect.scoped(openInput(job.object, { bytesMax: 1 }));
  const parts: Array<PartDone> = [];
  const written: Array<Written> = [];
  let next = 1;

  const sinks = Effect.fnUntraced(function* () {
    const index = next;
    next += 1;
    const parquet = yield* lazyObject(keys.parquet(index), parquetType, metadata);
    const contentType = rejectsContentType[rejectsFormat];
    const rejects = yield* lazyObject(keys.rejects(index, rejectsFormat), contentType, metadata);
    const encode = makeRejectsEncoder(rejectsFormat);
    return {
      parquet: Effect.succeed(parquet.write),
      rejects: (rows: Parameters<typeof encode>[0]) => rejects.write(encode(rows)),
      end: Effect.fnUntraced(function* (part: CsvPart | undefined) {
        const rejected = yield* rejects.complete;
        const file = yield* parquet.complete;
        written.push(...[rejected, file].flatMap((one) => one ?? []));
        parts.push({
          ...(part !== undefined && { part: { ...part, index } }),
          ...(file !== undefined && { parquet: file }),
          ...(rejected !== undefined && { rejects: rejected }),
        });
      }),
    };
  });

  const done: DuckDone = yield* duckPass(
    { ...optionsOf(job), keepHashes: false },
    bytesOf(job.object),
    sinks,
    job.plan.duckDb,
  ).pipe(
    Effect.map((report): DuckDone => {
      const last = parts.at(-1);
      return {
        _tag: "Done",
        parts: last === undefined ? [{ report }] : [...parts.slice(0, -1), { ...last, report }],
      };
    }),
    Effect.onError(() => Effect.ignore(removeAll(written))),
    Effect.catchIf(isLeft, (error) =>
      Effect.as(Effect.logInfo(error.message), {
        _tag: "Left" as const,
        reason: error instanceof NotForDuckDb ? error.reason : error.message,
      }),
    ),
  );
  return done;
}, Effect.scoped);
