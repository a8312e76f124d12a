/**
 * One cold start: imports a bundle and invokes its handler once, in a process of its own, as Lambda would.
 *
 *   node invoke.mjs <bundle> [<file with an event>]
 *
 * Prints one line of JSON: milliseconds of the import, on the clock and of the processor, and of the first invocation when there is an event.
 */
import { readFileSync } from "node:fs";
import { pathToFileURL } from "node:url";

const [bundle, eventFile] = process.argv.slice(2);
const timeoutMs = 60_000;

const cpuMs = (since) => {
  const { system, user } = process.cpuUsage(since);
  return (system + user) / 1_000;
};

const cpuBefore = process.cpuUsage();
const began = performance.now();
const { handler } = await import(pathToFileURL(bundle));
const imported = performance.now();
const figures = { importMs: imported - began, importCpuMs: cpuMs(cpuBefore) };
if (eventFile) {
  const event = JSON.parse(readFileSync(eventFile, "utf8"));
  const answer = await handler(event, {
    awsRequestId: crypto.randomUUID(),
    getRemainingTimeInMillis: () => timeoutMs - (performance.now() - imported),
  });
  Object.assign(figures, {
    firstMs: performance.now() - imported,
    firstCpuMs: cpuMs(cpuBefore) - figures.importCpuMs,
    answer,
  });
}
process.stdout.write(`\nFIGURES ${JSON.stringify(figures)}\n`);
process.exit();
