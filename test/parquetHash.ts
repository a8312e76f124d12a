/**
 * What two Parquet files, or sets of parts, must agree in, whatever wrote them: rows, a hash of each column's values, and
 * a hash of the rows as wholes, both without regard to their order.
 *
 * A value counts by its logical type: timestamps as milliseconds, decimals and integers as digits, dates as days.
 */
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DuckDBInstance } from "@duckdb/node-api";
import { Effect, Schema } from "effect";

const decodeTexts = Schema.decodeUnknownSync(
  Schema.Array(Schema.Record(Schema.String, Schema.NullOr(Schema.String))),
);

/** The hashes of a dataset. */
export interface DatasetHash {
  readonly rows: string;
  readonly columns: Readonly<Record<string, string>>;
  readonly whole: string;
}

const quoted = (name: string): string => `"${name.replaceAll('"', '""')}"`;

/** A value as text, the same for the same value of either unit; what is null is told from every text. */
const canonical = (name: string, type: string): string => {
  const value = quoted(name);
  if (type.startsWith("TIMESTAMP")) return `coalesce(epoch_ms(${value})::VARCHAR, chr(0))`;
  if (type === "DOUBLE") return `coalesce(printf('%.17g', ${value} + 0.0), chr(0))`;
  return `coalesce(${value}::VARCHAR, chr(0))`;
};

/** Hashes the rows of all files together. */
export const hashParquet = (files: ReadonlyArray<Uint8Array>): Effect.Effect<DatasetHash> =>
  Effect.acquireUseRelease(
    Effect.sync(() => mkdtempSync(join(tmpdir(), "millrace-test-"))),
    (folder) =>
      Effect.promise(async () => {
        for (const [index, file] of files.entries())
          writeFileSync(join(folder, `${index}.parquet`), file);
        const instance = await DuckDBInstance.create(":memory:", { threads: "1" });
        const connection = await instance.connect();
        await connection.run("SET TimeZone = 'UTC'");
        const from = `read_parquet('${folder}/*.parquet')`;
        const rows = async (sql: string) =>
          decodeTexts((await connection.runAndReadAll(sql)).getRowObjectsJson());
        const columns = (await rows(`DESCRIBE SELECT * FROM ${from}`)).map((row) => ({
          name: row["column_name"] ?? "",
          value: canonical(row["column_name"] ?? "", row["column_type"] ?? ""),
          type: row["column_type"] ?? "",
        }));
        const sums = columns.map(
          ({ value }, index) => `sum(hash(${value})::HUGEINT)::VARCHAR AS h${index}`,
        );
        const whole = columns.map(({ value }) => value).join(", ");
        const [row = {}] = await rows(
          `SELECT count(*)::VARCHAR AS n, ${sums.join(", ")}, sum(hash(${whole})::HUGEINT)::VARCHAR AS w FROM ${from}`,
        );
        connection.closeSync();
        instance.closeSync();
        return {
          rows: row["n"] ?? "",
          columns: Object.fromEntries(
            columns.map(({ name, type }, index) => [`${name} ${type}`, row[`h${index}`] ?? ""]),
          ),
          whole: row["w"] ?? "",
        };
      }),
    (folder) => Effect.sync(() => rmSync(folder, { recursive: true, force: true })),
  );
