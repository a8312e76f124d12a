/**
 * What DuckDB takes when nobody asks more of it: all cells of salesCsv as text, one thread, to one Parquet file. No blank rows or
 * duplicates dropped, no dates, no parts: the floor of the DuckDB engine. Prints one JSON line.
 *
 * Usage: node duckAlone.ts <file>
 */
import { statSync } from "node:fs";
import { DuckDBInstance } from "@duckdb/node-api";

const [path = ""] = process.argv.slice(2);
const cells = Array.from({ length: 12 }, (_, index) => `'c${index}': 'VARCHAR'`).join(", ");

const instance = await DuckDBInstance.create(":memory:", {
  threads: "1",
  memory_limit: "200MB",
  preserve_insertion_order: "false",
});
const connection = await instance.connect();
await connection.run(
  `COPY (SELECT * FROM read_csv('${path}', columns = {${cells}}, auto_detect = false, header = true, new_line = '\\n', parallel = false, delim = ',', quote = '"', escape = '"')) TO '${path}.alone.parquet' (FORMAT parquet, COMPRESSION snappy)`,
);
const used = process.cpuUsage();
const cpuSeconds = (used.user + used.system) / 1e6;
const MB = statSync(path).size / 1e6;
process.stdout.write(
  `${JSON.stringify({
    bench: "data",
    engine: "DuckDB alone",
    MB: Number(MB.toFixed(1)),
    cpuSeconds: Number(cpuSeconds.toFixed(2)),
    MBPerCpuSecond: Number((MB / cpuSeconds).toFixed(2)),
    peakRssMb: Math.round(process.resourceUsage().maxRSS / 1024),
  })}\n`,
);
