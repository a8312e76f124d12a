/**
 * Renders one file again and again with the pipeline's own code, and prints what one time costs.
 *
 *   node renderAgain.ts <file> <rounds>
 */
import { readFileSync } from "node:fs";
import { renderRenditions } from "@millrace/workflows";
import { Effect } from "effect";

const [file = "", rounds = "1"] = process.argv.slice(2);
const bytes = readFileSync(file);
const render = Effect.asVoid(renderRenditions(bytes, { source: file }));

await Effect.runPromise(render);
const before = process.cpuUsage();
for (let count = 0; count < Number(rounds); count++) await Effect.runPromise(render);
const { system, user } = process.cpuUsage(before);
const figures = {
  cpuMs: (system + user) / 1_000 / Number(rounds),
  // In kilobytes, as Linux tells it.
  peakMb: process.resourceUsage().maxRSS / 1_000,
};
process.stdout.write(JSON.stringify(figures));
