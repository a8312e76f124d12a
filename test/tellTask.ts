/**
 * A history as a sentence: steps, pauses, ends of tasks, and the end of the execution, in their order.
 */
import { type Commit, FargateTask, type HistoryEvent } from "@millrace/core";
import { Schema } from "effect";

const TaskEnded = Schema.Struct({ value: FargateTask.TaskEnd });
const isTaskEnded = Schema.is(TaskEnded);

/** The tag of a recorded failure; nothing of a success. */
const tagOf = (result: unknown): string | undefined => {
  const text = JSON.stringify(result);
  if (!text.includes('"_tag":"Failure"')) return undefined;
  const tags = [...text.matchAll(/"_tag":"(\w+)"/g)].map(([, tag = ""]) => tag);
  return tags.find((tag) => !["Complete", "Failure", "Fail", "Die"].includes(tag)) ?? "Defect";
};

const tellEvent = (event: HistoryEvent): ReadonlyArray<string> => {
  switch (event._tag) {
    case "ActivityCompleted": {
      if (event.name.startsWith("DurableClock/")) return [];
      const tag = tagOf(event.result);
      return [tag === undefined ? event.name : `${event.name} failed: ${tag}`];
    }
    case "ClockScheduled":
      return event.name.startsWith("Task/")
        ? []
        : [`pause of ${(event.wakeAtEpochMs - event.atEpochMs) / 1_000} s`];
    case "DeferredDone": {
      if (!event.name.startsWith("Task/")) return [];
      if (!isTaskEnded(event.exit)) return ["time limit"];
      const { exitCode, stopCode } = event.exit.value;
      return [`task ended: ${exitCode}${stopCode === undefined ? "" : ` ${stopCode}`}`];
    }
    case "Completed": {
      const tag = tagOf(event.result);
      return [tag === undefined ? "completed" : `failed: ${tag}`];
    }
    default:
      return [];
  }
};

export const tellTask = (commits: ReadonlyArray<Commit>): ReadonlyArray<string> =>
  commits.flatMap(({ events }) => events.flatMap(tellEvent));
