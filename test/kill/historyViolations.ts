/**
 * What is wrong with one history, whatever its workflow: the laws that every execution keeps.
 */
import type { Commit, HistoryEvent } from "@millrace/core";

const count = (names: ReadonlyArray<string>): ReadonlyMap<string, number> => {
  const counts = new Map<string, number>();
  for (const name of names) counts.set(name, (counts.get(name) ?? 0) + 1);
  return counts;
};

/** Names a fact that may be recorded once. */
const factOf = (event: HistoryEvent): ReadonlyArray<string> => {
  switch (event._tag) {
    case "ExecutionStarted":
    case "Completed":
      return [event._tag];
    case "ActivityCompleted":
      return [`${event._tag} ${event.name} attempt ${event.attempt}`];
    case "DeferredDone":
    case "ClockScheduled":
      return [`${event._tag} ${event.name}`];
    default:
      return [];
  }
};

/** Gaps are refused by the load already. */
export const historyViolations = (commits: ReadonlyArray<Commit>): ReadonlyArray<string> => {
  const events = commits.flatMap((commit): ReadonlyArray<HistoryEvent> => commit.events);
  const repeated = [...count(events.flatMap(factOf))].filter(([, times]) => times > 1);
  const writers = [...count(commits.map(({ writer }) => writer))].filter(([, times]) => times > 1);
  return [
    ...repeated.map(([fact, times]) => `recorded ${times} times: ${fact}`),
    ...writers.map(([writer, times]) => `writer token ${writer} used ${times} times`),
    ...(events.some(({ _tag }) => _tag === "ExecutionStarted") ? [] : ["has no start"]),
    ...(events.at(-1)?._tag === "Completed" ? [] : [`does not end: ${events.at(-1)?._tag}`]),
  ];
};
