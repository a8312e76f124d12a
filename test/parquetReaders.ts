/** Parquet as two readers that are not ours see it. */
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { zstdDecompressSync } from "node:zlib";
import { DuckDBInstance } from "@duckdb/node-api";
import { Effect } from "effect";
import { parquetReadObjects } from "hyparquet";

/** Rows as hyparquet reads them: timestamps are `Date`s. */
export const readHyparquet = (file: Uint8Array) =>
  Effect.promise(() =>
    parquetReadObjects({
      file: file.slice().buffer,
      compressors: { ZSTD: (bytes) => new Uint8Array(zstdDecompressSync(bytes)) },
    }),
  );

/** What DuckDB answers to a query over a file, which the query calls `FILE`. */
export const queryDuckDb = (file: Uint8Array, query: string) =>
  Effect.acquireUseRelease(
    Effect.sync(() => mkdtempSync(join(tmpdir(), "millrace-test-"))),
    (folder) =>
      Effect.promise(async () => {
        const path = join(folder, "out.parquet");
        writeFileSync(path, file);
        const instance = await DuckDBInstance.create(":memory:", { threads: "1" });
        const connection = await instance.connect();
        await connection.run("SET TimeZone = 'UTC'");
        const reader = await connection.runAndReadAll(query.replaceAll("FILE", `'${path}'`));
        const rows = reader.getRowObjectsJson();
        connection.closeSync();
        instance.closeSync();
        return rows;
      }),
    (folder) => Effect.sync(() => rmSync(folder, { recursive: true, force: true })),
  );
