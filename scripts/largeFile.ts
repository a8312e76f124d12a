/**
 * `npm run large`: one generated CSV file of any size through the local Fargate path, its task taken back by SIGTERM in
 * the middle; the last line is what was found, as JSON. Exit code 1: rows, parts or versions are wrong.
 */
import { Effect } from "effect";
import { runLargeFile } from "../test/largeFile/runLargeFile.ts";
import { readOptions } from "./readOptions.ts";

const usage = `usage: npm run large -- [--mb 2000] [--interrupt 5,12] [--directory DIR]

  --mb N           Size of the file, in millions of bytes
  --interrupt A,B  The task is taken back when so many parts are stored
  --directory DIR  Where the state of local mode lies; by default in a temporary folder, and in memory
`;

const options = {
  mb: { type: "string", default: "2000" },
  interrupt: { type: "string", default: "5,12" },
  directory: { type: "string" },
  help: { type: "boolean", default: false },
} as const;

const values = readOptions(options, usage);
if (values.help) process.stdout.write(usage);
else {
  const report = await Effect.runPromise(
    runLargeFile({
      bytes: Number(values.mb) * 1_000_000,
      interruptAfterParts: values.interrupt.split(",").filter(Boolean).map(Number),
      local: { directory: values.directory },
    }),
  );
  process.stdout.write(`${JSON.stringify(report)}\n`);
  const { blankRows, duplicates, rewritten, rows, rowsInManifest, wrongParts } = report;
  const isRight =
    [rows, duplicates, blankRows].every(({ found, wanted }) => found === wanted) &&
    rowsInManifest === rows.wanted &&
    wrongParts.length === 0 &&
    rewritten.length === 0;
  process.exit(isRight ? 0 : 1);
}
