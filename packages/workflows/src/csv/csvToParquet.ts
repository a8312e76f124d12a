/**
 * One streaming pass from CSV to Parquet: validate, clean, transform, enrich, output (D1.5, D1.6, D1.7, D3.2).
 *
 * A gzip archive is read as the file in it. Memory is bounded whatever the file's size: one chunk, one row group, the table of row hashes (see SeenRows). The same
 * input and options give the same bytes, however the source is chunked.
 *
 * Decisions:
 *   a header without rows is a valid file: an empty export is a fact, and its Parquet file has the columns and no rows
 *   exact duplicates are compared as text, cell by cell, before dates are parsed; the first one wins
 *   a row whose cells are all empty is dropped, whatever its width; an empty line is no row
 *   too many rejected rows: more than 100 and more than 10 % of all (both can be set); more than a number that can be
 *   set; or every row there is
 */
import { Effect, Scope, type Stream } from "effect";
import type { ByteSink } from "../parquet/ByteSink.ts";
import { type CsvOptions, withDefaults } from "./CsvOptions.ts";
import type { CsvPart } from "./CsvReport.ts";
import { openFilePass } from "./FilePass.ts";
import { makeRejectsEncoder } from "./RejectsFile.ts";

/** Where the results go. */
export interface CsvSinks<E, R> {
  /** Opens the sink of a Parquet file; parts count from 1 and are written one after another. */
  readonly part: (index: number) => Effect.Effect<ByteSink<E, R>, E, R>;
  /** Called when a part is complete. Not called for a part that failed in the middle. */
  readonly endPart: (part: CsvPart) => Effect.Effect<void, E, R>;
  /** Takes the rejects file, in line order; never called when no row is rejected. */
  readonly rejects: ByteSink<E, R>;
}

/**
 * Transforms a CSV file and tells what became of it.
 *
 * On failure what the sinks got so far is to be thrown away: nothing is complete before `endPart` and the report.
 *
 * Fails:  CsvFailure - the file is invalid: permanent
 *         ParquetEncodingFailed - a bug: permanent
 *         SpillFailed - no temporary disk space: worth a retry elsewhere
 *         E - whatever the source and the sinks fail with
 */
export const csvToParquet = Effect.fn("csvToParquet")(function* <E1, R1, E2, R2>(
  options: CsvOptions,
  source: Stream.Stream<Uint8Array, E1, R1>,
  sinks: CsvSinks<E2, R2>,
) {
  const encodeRejects = makeRejectsEncoder(withDefaults(options).rejectsFormat);
  const parts: Array<CsvPart> = [];
  // A scope of its own: the sinks' scope is the caller's, who may close its files long after this pass.
  const scope = yield* Scope.make();
  const run = Effect.gen(function* () {
    const pass = yield* Scope.provide(
      openFilePass(options, () => source),
      scope,
    );
    for (;;) {
      const { next, part } = yield* pass.part(parts.length + 1, {
        parquet: Effect.suspend(() => sinks.part(parts.length + 1)),
        rejects: (rejects) => sinks.rejects(encodeRejects(rejects)),
      });
      if (part !== undefined) {
        parts.push(part);
        yield* sinks.endPart(part);
      }
      if (next === undefined) return yield* pass.report(parts);
    }
  });
  return yield* Effect.onExit(run, (exit) => Scope.close(scope, exit));
});
