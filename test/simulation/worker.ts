/**
 * Runs seeds in a thread of its own, over the product as it is or with a mutant's patches in it.
 */
import { registerHooks } from "node:module";
import { type MessagePort, parentPort, workerData } from "node:worker_threads";
import type { Mutant } from "./mutants.ts";
import type { Answer, Task } from "./runSeeds.ts";

const textOf = (source: string | NodeJS.ArrayBufferView | ArrayBuffer | null | undefined) =>
  typeof source === "string" ? source : new TextDecoder().decode(source ?? undefined);

/** Replaces the mutant's texts while its modules are loaded. */
const patch = ({ edits, name }: Mutant): void => {
  registerHooks({
    load: (url, context, nextLoad) => {
      const loaded = nextLoad(url, context);
      const wanted = edits.filter(({ file }) => url.endsWith(`/packages/core/src/${file}`));
      if (wanted.length === 0) return loaded;
      let source = textOf(loaded.source);
      for (const { from, to } of wanted) {
        if (source.split(from).length !== 2) {
          throw new Error(`mutant "${name}": its text is not found once in ${url}: ${from}`);
        }
        source = source.replace(from, () => to);
      }
      return { ...loaded, source };
    },
  });
};

/** A thread's port has no origin to name, unlike a window: it takes a list of things to hand over, which is empty. */
const tell = (port: MessagePort | null, answer: Answer): void => port?.postMessage(answer, []);

const isTask = (data: unknown): data is Task => typeof data === "object" && data !== null;

const work = async (task: Task): Promise<void> => {
  if (task.mutant) patch(task.mutant);
  const { simulate } = await import("./simulate.ts");
  const { planOf } = await import("./planOf.ts");
  for (let seed = task.from; seed < task.to; seed += task.stride) {
    const result = await simulate({
      seed,
      plan: task.plan ?? planOf(seed),
      historyMax: task.historyMax,
    });
    const isBad = result.violations.length > 0;
    const answer: Answer = isBad ? result : { ...result, history: [] };
    tell(parentPort, answer);
    if (isBad && task.stopAtViolation) return;
  }
};

if (isTask(workerData)) await work(workerData);
