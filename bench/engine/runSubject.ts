/**
 * Measures one engine in a process of its own: no other engine's heap, and none of its compiled code.
 *
 * Usage: node bench/engine/runSubject.ts <engine> [runs]
 */
import { effectSubjects } from "./effectSubject.ts";
import { measure } from "./measure.ts";

const [name = "", runs = "3"] = process.argv.slice(2);
const make = effectSubjects[name];
if (make) {
  process.stdout.write(`${JSON.stringify(await measure(await make(), Number(runs)))}\n`);
} else {
  process.stderr.write(
    `no such engine: ${name}; there are ${Object.keys(effectSubjects).join(", ")}\n`,
  );
  process.exitCode = 2;
}
