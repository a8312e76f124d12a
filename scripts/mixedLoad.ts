/**
 * `npm run mixed`: small and large files together through local mode; the last line is the report as JSON. Exit code 1:
 * something was wrong, late, or on the wrong path.
 */
import { Effect } from "effect";
import { runMixedLoad } from "../test/mixedLoad/runMixedLoad.ts";
import { readOptions } from "./readOptions.ts";

const usage = `usage: npm run mixed -- [--small 950] [--large 5] [--large-rows 1000000] [--workers 4]

  --small N        Files of 200 rows, for functions
  --large N        Files for tasks
  --large-rows N   Rows of each: 35 bytes a row
  --workers N      Processes at work for functions at the same time
`;

const options = {
  small: { type: "string", default: "950" },
  large: { type: "string", default: "5" },
  "large-rows": { type: "string", default: "1000000" },
  workers: { type: "string", default: "4" },
  help: { type: "boolean", default: false },
} as const;

const values = readOptions(options, usage);
if (values.help) process.stdout.write(usage);
else {
  const report = await Effect.runPromise(
    runMixedLoad({
      small: Number(values.small),
      large: Number(values.large),
      smallRows: 200,
      largeRows: Number(values["large-rows"]),
      thresholdBytes: 1_000_000,
      local: {
        concurrencyMax: Number(values.workers),
        variables: { MILLRACE_TASK_BYTES_MIN: "1000000" },
      },
    }),
  );
  process.stdout.write(`${JSON.stringify(report)}\n`);
  const { failed, late, wrongPath, wrongRows } = report;
  process.exit(failed + late + wrongPath.length + wrongRows.length === 0 ? 0 : 1);
}
