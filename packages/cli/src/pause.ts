/**
 * `millrace pause` and `millrace resume`: whether a pipeline takes messages from its queue, or an execution is run.
 */
import {
  IntakePauses,
  pause as pauseExecution,
  type PausedExecution,
  resume as resumeExecution,
} from "@millrace/core";
import { Clock, Console, Effect } from "effect";
import { Command, Flag } from "effect/cli";
import { findStage, type Stage } from "./Stage.ts";
import { findHistory } from "./findHistory.ts";
import { jsonFlag } from "./jsonFlag.ts";
import { layerPauses, namedPipelines, targetArgument } from "./pauses.ts";
import { layerOperations, requirePipeline } from "./stores.ts";

const print = (json: boolean, what: object, text: string) =>
  Console.log(json ? JSON.stringify(what) : text);

/** Finds the execution that is meant, and changes it. */
const withExecution = <A, E, R>(
  stage: Stage,
  name: string,
  use: (executionId: string) => Effect.Effect<A, E, R>,
) =>
  Effect.gen(function* () {
    const { commits, executionId } = yield* findHistory(name);
    yield* requirePipeline(executionId, commits);
    return yield* use(executionId);
  }).pipe(Effect.provide(layerOperations(stage)));

const pausePipelines = Effect.fnUntraced(function* (
  stage: Stage,
  {
    json,
    reason,
    target,
  }: { readonly json: boolean; readonly reason: string; readonly target: string },
) {
  const sinceEpochMs = yield* Clock.currentTimeMillis;
  yield* Effect.gen(function* () {
    const pauses = yield* IntakePauses;
    for (const one of namedPipelines(target)) {
      yield* pauses.pause(one.name, { reason, sinceEpochMs });
      yield* print(
        json,
        { pipeline: one.name, paused: true, reason },
        `paused ${one.name}: its messages wait in the queue, ${one.queue.retentionSeconds / 86_400} days at most`,
      );
    }
  }).pipe(Effect.provide(layerPauses(stage)));
});

const resumePipelines = (
  stage: Stage,
  { json, target }: { readonly json: boolean; readonly target: string },
) =>
  Effect.gen(function* () {
    const pauses = yield* IntakePauses;
    for (const one of namedPipelines(target)) {
      const before = yield* pauses.find(one.name);
      yield* pauses.resume(one.name);
      yield* print(
        json,
        { pipeline: one.name, paused: false, ...(before && { before }) },
        before
          ? `resumed ${one.name} (paused since ${new Date(before.sinceEpochMs).toISOString()}: ${before.reason})`
          : `${one.name} was not paused`,
      );
    }
  }).pipe(Effect.provide(layerPauses(stage)));

const describe = ({ changed, executionId, status, workflow }: PausedExecution, paused: boolean) => {
  const name = `${workflow} ${executionId}`;
  if (paused) {
    return changed
      ? `paused ${name} (it is ${status}): signals and timers are kept, what runs ends its turn`
      : `${name} was paused before`;
  }
  return changed ? `resumed ${name} (it is ${status})` : `${name} was not paused`;
};

export const pause = Command.make(
  "pause",
  {
    target: targetArgument,
    reason: Flag.String("reason").pipe(
      Flag.withDescription("Why; shown to whoever finds it paused"),
      Flag.withDefault("asked for on the command line"),
    ),
    json: jsonFlag,
  },
  Effect.fnUntraced(function* (asked) {
    const { json, reason, target } = asked;
    const stage = yield* findStage;
    if (namedPipelines(target).length > 0) return yield* pausePipelines(stage, asked);
    const paused = yield* withExecution(stage, target, (id) => pauseExecution(id, { reason }));
    yield* print(json, { ...paused, paused: true, reason }, describe(paused, true));
  }),
).pipe(
  Command.withDescription(
    "Let a pipeline, or all of them, take no more messages: events, wakes and timers wait in its queue until it is resumed, or until the queue's retention ends. Or let one execution stand still: its signals and timers are kept. What runs now ends its turn. Exit codes: 0 paused; 1 the queue or the stores did not answer, or the execution is not there or has ended; 2 wrong usage",
  ),
  Command.withShortDescription("Let a pipeline take no more messages, or an execution stand still"),
  Command.withExamples([
    { command: "millrace pause csv-to-parquet --reason 'bad upstream export'" },
    { command: "millrace pause all", description: "The whole intake" },
    { command: "millrace pause 3f9a", description: "One execution" },
  ]),
);

export const resume = Command.make(
  "resume",
  { target: targetArgument, json: jsonFlag },
  Effect.fnUntraced(function* (asked) {
    const { json, target } = asked;
    const stage = yield* findStage;
    if (namedPipelines(target).length > 0) return yield* resumePipelines(stage, asked);
    const resumed = yield* withExecution(stage, target, (id) => resumeExecution(id));
    yield* print(json, { ...resumed, paused: false }, describe(resumed, false));
  }),
).pipe(
  Command.withDescription(
    "Let a paused pipeline, or all of them, take messages again, or a paused execution go on. Exit codes: 0 it takes messages, or is asked to run; 1 the queue or the stores did not answer, or the execution is not there or has ended; 2 wrong usage",
  ),
  Command.withShortDescription("Let a paused pipeline take messages again, or an execution go on"),
  Command.withExamples([
    { command: "millrace resume csv-to-parquet" },
    { command: "millrace resume all" },
    { command: "millrace resume 3f9a", description: "One execution" },
  ]),
);
