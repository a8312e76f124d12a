/**
 * CSV to Parquet, end to end on one core: how many MB per second of processor time, and how much memory.
 *
 * Usage: node bench/csv.ts [MB, default 100] [encoder: hyparquet-writer or parquetjs-lite]
 * Prints one JSON line. Processor seconds (user + system) are the figure to compare: they do not depend on who else uses
 * the machine. The input is generated into a temporary file first, by a process of its own, so that neither its time nor
 * its memory counts.
 */
import { execFileSync } from "node:child_process";
import * as NodeRuntime from "@effect/platform-node/NodeRuntime";
import * as NodeServices from "@effect/platform-node/NodeServices";
import { csvToParquet, layerHyparquet, layerParquetjsLite } from "@millrace/workflows";
import { Console, Effect, FileSystem, Layer, Stream } from "effect";
import { salesCsv } from "./data-plane/salesCsv.ts";

const [megabytesText = "100", encoder = "hyparquet-writer", generateInto] = process.argv.slice(2);
const megabytes = Number(megabytesText);

const generate = Effect.fnUntraced(function* (path: string) {
  const fileSystem = yield* FileSystem.FileSystem;
  const { bytes, figures } = salesCsv(megabytes * 1e6);
  yield* Stream.run(bytes, fileSystem.sink(path));
  yield* Console.log(JSON.stringify(figures));
});

const transform = Effect.fnUntraced(function* (path: string) {
  const fileSystem = yield* FileSystem.FileSystem;
  let sinkBytes = 0;
  const output = yield* fileSystem.open(`${path}.parquet`, { flag: "w" });
  const before = process.cpuUsage();
  const report = yield* csvToParquet(
    { source: path, sourceFile: "bench", processedAtEpochMs: 0 },
    fileSystem.stream(path, { chunkSize: 256 * 1024 }),
    {
      part: () =>
        Effect.succeed((bytes) => {
          sinkBytes += bytes.length;
          return output.writeAll(bytes);
        }),
      endPart: () => Effect.void,
      rejects: () => Effect.void,
    },
  );
  const used = process.cpuUsage(before);
  const cpuSeconds = (used.user + used.system) / 1e6;
  return { report, cpuSeconds, sinkBytes };
});

const bench = Effect.gen(function* () {
  const fileSystem = yield* FileSystem.FileSystem;
  const path = yield* fileSystem.makeTempFileScoped({ prefix: "millrace-bench-" });
  const generated = execFileSync(process.execPath, [
    import.meta.filename,
    megabytesText,
    encoder,
    path,
  ]);
  const { cpuSeconds, report, sinkBytes } = yield* transform(path);
  yield* fileSystem.remove(`${path}.parquet`);
  const MB = report.bytesIn / 1e6;
  yield* Console.log(
    JSON.stringify({
      bench: "csv",
      encoder,
      MB: Number(MB.toFixed(1)),
      cpuSeconds: Number(cpuSeconds.toFixed(2)),
      MBPerCpuSecond: Number((MB / cpuSeconds).toFixed(2)),
      peakRssMb: Math.round(process.resourceUsage().maxRSS / 1024),
      rowsIn: report.rowsIn,
      rowsOut: report.rowsOut,
      duplicates: report.duplicates,
      blankRows: report.blankRows,
      bytesOut: sinkBytes,
      generated: JSON.parse(generated.toString()),
    }),
  );
}).pipe(Effect.scoped);

(generateInto === undefined ? bench : generate(generateInto)).pipe(
  Effect.provide(
    Layer.merge(
      encoder === "parquetjs-lite" ? layerParquetjsLite : layerHyparquet,
      NodeServices.layer,
    ),
  ),
  NodeRuntime.runMain,
);
