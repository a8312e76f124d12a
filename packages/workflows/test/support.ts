/** What the CSV tests share: running a pass in memory, and reading its Parquet with two readers that are not ours. */
import { readdirSync } from "node:fs";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import { NodeServices } from "@effect/platform-node";
import { Effect, Layer, Stream } from "effect";
import { type CsvOptions, csvToParquet, layerHyparquet, layerParquetjsLite } from "../src/index.ts";

/** Where an installed package lies, whatever it exports. */
export const packageFolder = (name: string): string => {
  const found = createRequire(import.meta.url).resolve.paths(name) ?? [];
  const folder = found
    .map((path) => join(path, name))
    .find((path) => {
      try {
        return readdirSync(path).length > 0;
      } catch {
        return false;
      }
    });
  return folder ?? dirname(name);
};

export const processedAtEpochMs = Date.UTC(2026, 10, 20, 12, 30);

export const bytesOf = (text: string): Uint8Array => Buffer.from(text, "utf8");

/** The same bytes in pieces of a given size. */
export const chunked = (bytes: Uint8Array, size: number): ReadonlyArray<Uint8Array> =>
  Array.from({ length: Math.ceil(bytes.length / size) }, (_, index) =>
    bytes.subarray(index * size, (index + 1) * size),
  );

export const encoders = {
  "hyparquet-writer": layerHyparquet,
  "parquetjs-lite": layerParquetjsLite,
};

/** Runs a pass over bytes in memory. */
export const run = (
  source: Uint8Array | string | Iterable<Uint8Array>,
  options: Partial<CsvOptions> = {},
  encoder: keyof typeof encoders = "hyparquet-writer",
) =>
  Effect.gen(function* () {
    const parts: Array<Array<Uint8Array>> = [];
    const rejects: Array<Uint8Array> = [];
    const chunks =
      typeof source === "string"
        ? [bytesOf(source)]
        : source instanceof Uint8Array
          ? [source]
          : source;
    const report = yield* csvToParquet(
      { source: "raw/in.csv", sourceFile: "raw/in.csv@1", processedAtEpochMs, ...options },
      Stream.fromIterable(chunks, { chunkSize: 1 }),
      {
        part: () =>
          Effect.sync(() => {
            const part: Array<Uint8Array> = [];
            parts.push(part);
            return (bytes: Uint8Array) => Effect.sync(() => void part.push(bytes));
          }),
        endPart: () => Effect.void,
        rejects: (bytes) => Effect.sync(() => void rejects.push(bytes)),
      },
    );
    const files = parts.map((part) => new Uint8Array(Buffer.concat(part)));
    return {
      report,
      files,
      file: files[0] ?? new Uint8Array(),
      rejects: Buffer.concat(rejects)
        .toString("utf8")
        .split("\n")
        .filter((line) => line !== "")
        .map((line): unknown => JSON.parse(line)),
    };
  }).pipe(Effect.provide(Layer.merge(encoders[encoder], NodeServices.layer)));

export { queryDuckDb, readHyparquet } from "../../../test/parquetReaders.ts";
