/**
 * The two engines over one file, and what they are compared by: row count, a hash of each column and of the rows, rejects as they
 * are, and the figures.
 */
import { NodeServices } from "@effect/platform-node";
import { assert } from "@effect/vitest";
import { Effect, Layer, Result, Schema, Stream } from "effect";
import { hashParquet } from "../../../test/parquetHash.ts";
import { openFilePass, type PartEnd } from "../src/csv/FilePass.ts";
import { openDuckPass } from "../src/duckdb/DuckFilePass.ts";
import { duckPass } from "../src/duckdb/duckPass.ts";
import {
  Column,
  columnPlan,
  type CsvOptions,
  type CsvPart,
  layerHyparquet,
  type Reject,
} from "../src/index.ts";
import { chunked, processedAtEpochMs } from "./support.ts";

const optionsWith = (options: Partial<CsvOptions>): CsvOptions => ({
  source: "raw/in.csv",
  sourceFile: "raw/it's in.csv@1",
  processedAtEpochMs,
  ...options,
});

const chunkBytes = 997;
const open = (file: Uint8Array) => (fromByte: number) =>
  Stream.fromIterable(chunked(file.subarray(fromByte), chunkBytes));

const byStream = (file: Uint8Array, options: Partial<CsvOptions>) =>
  Effect.gen(function* () {
    const pass = yield* openFilePass(optionsWith(options), open(file));
    const files: Array<Uint8Array> = [];
    const rejects: Array<unknown> = [];
    let next: PartEnd["next"];
    do {
      const bytes: Array<Uint8Array> = [];
      const end = yield* pass.part(files.length + 1, {
        parquet: Effect.succeed((piece: Uint8Array) => Effect.sync(() => void bytes.push(piece))),
        rejects: (rows) => Effect.sync(() => void rejects.push(...rows)),
      });
      if (end.part !== undefined) files.push(Buffer.concat(bytes));
      next = end.next;
    } while (next !== undefined);
    return { files, rejects, report: yield* pass.report([]) };
  }).pipe(Effect.scoped);

/** By DuckDB. */
export const byDuckDb = (file: Uint8Array, options: Partial<CsvOptions>) =>
  Effect.gen(function* () {
    const files: Array<Uint8Array> = [];
    const rejects: Array<unknown> = [];
    const report = yield* duckPass(optionsWith(options), open(file), () =>
      Effect.sync(() => {
        const bytes: Array<Uint8Array> = [];
        return {
          parquet: Effect.succeed((piece: Uint8Array) => Effect.sync(() => void bytes.push(piece))),
          rejects: (rows: ReadonlyArray<Reject>) => Effect.sync(() => void rejects.push(...rows)),
          end: (part: CsvPart | undefined) =>
            Effect.sync(() => {
              if (part !== undefined) files.push(Buffer.concat(bytes));
            }),
        };
      }),
    );
    return { files, rejects, report };
  });

/** Each part by a pass of its own, which knows what the history would hold. */
export const byPieces = (file: Uint8Array, options: Partial<CsvOptions>) =>
  Effect.gen(function* () {
    const files: Array<Uint8Array> = [];
    const rejects: Array<unknown> = [];
    const hashes: Array<Uint8Array> = [];
    let position: PartEnd["next"];
    for (;;) {
      const resume = position && { position, hashes: Stream.fromIterable(hashes) };
      const { end, report } = yield* Effect.gen(function* () {
        const pass = yield* openDuckPass(optionsWith(options), open(file), {}, resume);
        const bytes: Array<Uint8Array> = [];
        const end = yield* pass.part(files.length + 1, {
          parquet: Effect.succeed((piece: Uint8Array) => Effect.sync(() => void bytes.push(piece))),
          rejects: (found) => Effect.sync(() => void rejects.push(...found)),
        });
        if (end.part !== undefined) files.push(Buffer.concat(bytes));
        return { end, report: yield* pass.report([]) };
      }).pipe(Effect.scoped);
      if (end.hashes !== undefined) hashes.push(end.hashes);
      position = end.next;
      if (position === undefined) return { files, rejects, report };
    }
  });

/** What both need. */
export const services = Layer.merge(layerHyparquet, NodeServices.layer);

const failureOf = <A, E>(result: Result.Result<A, E>): unknown =>
  Result.isFailure(result) ? result.failure : "none";

/** Nothing when both took the file and agree; else why DuckDB left it. */
export const compare = (file: Uint8Array, options: Partial<CsvOptions>) =>
  Effect.gen(function* () {
    const stream = yield* Effect.result(byStream(file, options));
    const duck = yield* Effect.result(byDuckDb(file, options));
    if (Result.isFailure(duck) && duck.failure._tag === "NotForDuckDb") return duck.failure.reason;
    if (Result.isFailure(stream) || Result.isFailure(duck)) {
      assert.deepStrictEqual(failureOf(duck), failureOf(stream));
      return "fails alike";
    }
    const [one, other] = [stream.success, duck.success];
    assert.deepStrictEqual(other.rejects, one.rejects);
    const { bytesOut: _1, parts: _2, stages: first, ...figures } = one.report;
    const { bytesOut: _3, parts: _4, stages: second, ...others } = other.report;
    assert.deepStrictEqual(others, figures);
    assert.deepStrictEqual({ ...second, output: 0 }, { ...first, output: 0 });
    assert.deepStrictEqual(yield* hashParquet(other.files), yield* hashParquet(one.files));
    return undefined;
  }).pipe(Effect.provide(services));

/** A column of every kind. */
export const declared = Result.getOrThrow(
  columnPlan(
    Schema.Struct({
      id: Column.int64,
      n: Schema.NullOr(Column.int32),
      x: Schema.NullOr(Column.double),
      amount: Schema.NullOr(Column.decimal(38, 4)),
      small: Schema.NullOr(Column.decimal(5, 2)),
      day: Schema.NullOr(Column.date),
      at: Schema.NullOr(Column.timestamp),
      ok: Schema.NullOr(Column.boolean),
      note: Column.text,
      gone: Schema.optionalKey(Column.text),
    }),
  ),
);

/** Lines. */
export const rows = (count: number, row: (index: number) => string) =>
  Array.from({ length: count }, (_, index) => row(index)).join("\n");

/** 500 rows, 400 of them different. */
export const base = `id,order date,name\n${rows(500, (index) => `${index % 400},2024-0${(index % 9) + 1}-1${index % 10},"n, ${index % 400}"`)}\n`;
