/**
 * One engine over one CSV file, in parts of 500,000 rows into a folder that is thrown away. Prints one JSON line.
 *
 * Usage: node engine.ts <stream|duckdb> <file> <none|part|file> [declared: with a schema, else everything but dates is text]
 */
import * as NodeRuntime from "@effect/platform-node/NodeRuntime";
import * as NodeServices from "@effect/platform-node/NodeServices";
import { layerHyparquet } from "@millrace/workflows/layerHyparquet";
import { Console, Effect, FileSystem, Layer, Schema } from "effect";
import { Duplicates } from "../../packages/workflows/src/csv/CsvOptions.ts";
import { csvToParquet } from "../../packages/workflows/src/csv/csvToParquet.ts";
import * as Column from "../../packages/workflows/src/schema/Column.ts";
import { columnPlan } from "../../packages/workflows/src/schema/columnPlan.ts";

const [engine = "stream", path = "", duplicatesText = "file", declared] = process.argv.slice(2);

/** The columns of salesCsv. */
const Sale = Schema.Struct({
  order_id: Column.int64,
  order_date: Column.date,
  customer_name: Column.text,
  city: Column.text,
  product_sku: Column.text,
  quantity: Column.int32,
  unit_price: Column.decimal(12, 2),
  discount: Schema.NullOr(Column.decimal(4, 2)),
  total_amount: Column.decimal(14, 2),
  status: Column.text,
  is_member: Column.boolean,
  note: Schema.NullOr(Column.text),
});

/** Each engine is measured with the modules that it needs: the package as a whole takes 25 MB more, sharp most of them. */
const loadDuckPass = Effect.promise(
  () => import("../../packages/workflows/src/duckdb/duckPass.ts"),
);

/** What starting Node and loading the modules took: much of a small file's, little of a large one's. */
const started = process.cpuUsage();

const main = Effect.gen(function* () {
  const fileSystem = yield* FileSystem.FileSystem;
  const duplicates = yield* Schema.decodeUnknownEffect(Duplicates)(duplicatesText);
  const options = {
    source: path,
    sourceFile: "bench",
    processedAtEpochMs: 0,
    partRowsMax: 500_000,
    duplicates,
    ...(declared === "declared" && { columns: yield* Effect.fromResult(columnPlan(Sale)) }),
  };
  let parts = 0;
  const source = fileSystem.stream(path, { chunkSize: 256 * 1024 });
  const part = (index: number) =>
    Effect.map(
      fileSystem.open(`${path}.${index}.parquet`, { flag: "w" }),
      (file) => (bytes: Uint8Array) => file.writeAll(bytes),
    );
  const report = yield* engine === "duckdb"
    ? Effect.flatMap(loadDuckPass, ({ duckPass }) =>
        duckPass(
          options,
          () => source,
          () =>
            Effect.sync(() => {
              parts += 1;
              return {
                parquet: part(parts),
                rejects: () => Effect.void,
                end: () => Effect.void,
              };
            }),
        ),
      )
    : csvToParquet(options, source, {
        part,
        endPart: () => Effect.void,
        rejects: () => Effect.void,
      });
  const used = process.cpuUsage();
  const cpuSeconds = (used.user + used.system) / 1e6;
  const MB = report.bytesIn / 1e6;
  yield* Console.log(
    JSON.stringify({
      bench: "data",
      engine,
      duplicates,
      columns: declared === "declared" ? "declared" : "text",
      MB: Number(MB.toFixed(1)),
      cpuSeconds: Number(cpuSeconds.toFixed(2)),
      startCpuSeconds: Number(((started.user + started.system) / 1e6).toFixed(2)),
      MBPerCpuSecond: Number((MB / cpuSeconds).toFixed(2)),
      peakRssMb: Math.round(process.resourceUsage().maxRSS / 1024),
      rowsIn: report.rowsIn,
      rowsOut: report.rowsOut,
      duplicatesDropped: report.duplicates,
      bytesOut: report.bytesOut,
    }),
  );
}).pipe(Effect.scoped);

main.pipe(Effect.provide(Layer.merge(layerHyparquet, NodeServices.layer)), NodeRuntime.runMain);
