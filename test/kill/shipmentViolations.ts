/**
 * What is wrong with the shipments after all kills, by the journal, the log of effects and the outputs.
 */
import { type Commit, Journal } from "@millrace/core";
import { Effect, Schema } from "effect";
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { historyViolations } from "./historyViolations.ts";
import {
  activitiesOf,
  EffectLine,
  outputFile,
  outputOf,
  type Outside,
  planOf,
  Shipment,
} from "./Shipment.ts";

type Line = typeof EffectLine.Type;
const decodeLine = Schema.decodeUnknownSync(EffectLine);

const Success = Schema.Struct({
  exit: Schema.Struct({ _tag: Schema.Literal("Success"), value: Schema.String }),
});
const Exit = Schema.Struct({ _tag: Schema.Literal("Success"), value: Schema.String });
const isSuccess = Schema.is(Success);
const isExit = Schema.is(Exit);

/** Every effect that ever happened. */
export const readEffects = ({ effectsFile }: Outside): ReadonlyArray<Line> =>
  existsSync(effectsFile)
    ? readFileSync(effectsFile, "utf8")
        .split("\n")
        .filter((line) => line !== "")
        .map((line) => decodeLine(line))
    : [];

/** The answers that the history holds, by activity and deferred; a refusal has none. */
const answersOf = (commits: ReadonlyArray<Commit>): ReadonlyMap<string, string> => {
  const answers = new Map<string, string>();
  for (const event of commits.flatMap(({ events }) => events)) {
    if (event._tag === "ActivityCompleted" && isSuccess(event.result)) {
      answers.set(event.name, event.result.exit.value);
    }
    if (event._tag === "DeferredDone" && isExit(event.exit)) {
      answers.set(event.name, event.exit.value);
    }
  }
  return answers;
};

const recordedActivities = (commits: ReadonlyArray<Commit>): ReadonlyArray<string> =>
  commits
    .flatMap(({ events }) => events)
    .flatMap((event) => (event._tag === "ActivityCompleted" ? [event.name] : []));

/** Effects are what the plan has, repeated under one key at most, and based on what is recorded. */
const effectViolations = (
  id: number,
  effects: ReadonlyArray<Line>,
  answers: ReadonlyMap<string, string>,
): ReadonlyArray<string> => {
  const planned = activitiesOf(id);
  const keys = new Map<string, string>();
  const wrong: Array<string> = [];
  for (const { activity, answer, basedOn, key } of effects) {
    if (!planned.includes(activity)) wrong.push(`did ${activity}, which it has not`);
    if (keys.has(activity) && keys.get(activity) !== key) wrong.push(`${activity} has two keys`);
    keys.set(activity, key);
    for (const [name, used] of Object.entries(basedOn)) {
      if (answers.get(name) !== used) {
        wrong.push(`${activity} used "${used}", recorded is "${answers.get(name)}"`);
      }
    }
    void answer;
  }
  for (const activity of planned) {
    if (!keys.has(activity)) wrong.push(`recorded ${activity} without its effect`);
    const recorded = answers.get(activity);
    const isOwn = effects.some((line) => line.activity === activity && line.answer === recorded);
    if (activity !== "ship" && recorded !== undefined && !isOwn) {
      wrong.push(`recorded an answer of ${activity} that nobody gave`);
    }
  }
  if (new Set(keys.values()).size !== keys.size) wrong.push("two activities share a key");
  return wrong;
};

/** One output, of the recorded inputs, for an order that was shipped; none for one that was refused. */
const outputViolations = (
  outside: Outside,
  id: number,
  commits: ReadonlyArray<Commit>,
  answers: ReadonlyMap<string, string>,
): ReadonlyArray<string> => {
  const file = outputFile(outside, id);
  const end = commits.at(-1)?.events.at(-1);
  const succeeded = end?._tag === "Completed" && isSuccess(end.result) ? end.result : undefined;
  if (planOf(id).isRefused) {
    return [
      ...(succeeded ? ["succeeded, although it was refused"] : []),
      ...(existsSync(file) ? ["was shipped, although it was refused"] : []),
    ];
  }
  if (!succeeded) return ["did not succeed"];
  if (!existsSync(file)) return ["has no output"];
  const inputs = [...answers].filter(([name]) => name !== "ship");
  const text = outputOf(Object.fromEntries(inputs.filter(([name]) => !name.startsWith("Durable"))));
  return readFileSync(file, "utf8") === text && succeeded.exit.value === text
    ? []
    : ["has another output than its history"];
};

/** Reads everything, and tells what should not be. */
export const shipmentViolations = Effect.fnUntraced(function* (outside: Outside, count: number) {
  const journal = yield* Journal;
  const effects = Map.groupBy(readEffects(outside), ({ id }) => id);
  const wrong: Array<string> = [];
  for (let id = 0; id < count; id++) {
    const executionId = yield* Shipment.executionId({ id });
    const commits = yield* journal.load(executionId, 0);
    const answers = answersOf(commits);
    const activities = recordedActivities(commits).filter((name) => !name.startsWith("Durable"));
    const own = [
      ...historyViolations(commits),
      ...(activities.toSorted().join() === activitiesOf(id).toSorted().join()
        ? []
        : [`recorded ${activities.join()}`]),
      ...effectViolations(id, effects.get(id) ?? [], answers),
      ...outputViolations(outside, id, commits, answers),
    ];
    wrong.push(...own.map((what) => `order ${id} (${executionId}): ${what}`));
  }
  const keys = new Map<string, string>();
  for (const { activity, id, key } of readEffects(outside)) {
    const owner = `${id} ${activity}`;
    if ((keys.get(key) ?? owner) !== owner) wrong.push(`key ${key} of ${owner} is another's too`);
    keys.set(key, owner);
  }
  const unfinished = readdirSync(outside.outputsDirectory).filter(
    (name) => !/^\d+\.json(\..*part)?$/.test(name),
  );
  return [...wrong, ...unfinished.map((name) => `unknown output ${name}`)];
});
