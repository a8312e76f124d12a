/**
 * `millrace pause <pipeline>` and `millrace resume <pipeline>`: whether a pipeline takes messages from its queue.
 */
import { IntakePauses } from "@millrace/core";
import { Clock, Console, Effect } from "effect";
import { Command, Flag } from "effect/cli";
import { findConnection } from "./Connection.ts";
import { jsonFlag } from "./jsonFlag.ts";
import { layerPauses, namedPipelines, pipelinesArgument, queueOf } from "./pauses.ts";

const print = (json: boolean, what: object, text: string) =>
  Console.log(json ? JSON.stringify(what) : text);

export const pause = Command.make(
  "pause",
  {
    pipeline: pipelinesArgument,
    reason: Flag.String("reason").pipe(
      Flag.withDescription("Why; shown to whoever finds it paused"),
      Flag.withDefault("asked for on the command line"),
    ),
    json: jsonFlag,
  },
  ({ json, pipeline, reason }) =>
    Effect.gen(function* () {
      const connection = yield* findConnection;
      const sinceEpochMs = yield* Clock.currentTimeMillis;
      yield* Effect.gen(function* () {
        const pauses = yield* IntakePauses;
        for (const one of namedPipelines(pipeline)) {
          yield* pauses.pause(queueOf(one), { reason, sinceEpochMs });
          yield* print(
            json,
            { pipeline: one.name, paused: true, reason },
            `paused ${one.name}: its messages wait in the queue, ${one.queue.retentionSeconds / 86_400} days at most`,
          );
        }
      }).pipe(Effect.provide(layerPauses(connection)));
    }),
).pipe(
  Command.withDescription(
    "Let a pipeline, or all of them, take no more messages: events, wakes and timers wait in its queue until it is resumed, or until the queue's retention ends. What runs now ends its turn. Exit codes: 0 paused; 1 the queue did not answer; 2 wrong usage",
  ),
  Command.withShortDescription("Let a pipeline, or all of them, take no more messages"),
  Command.withExamples([
    { command: "millrace pause csv-to-parquet --reason 'bad upstream export'" },
    { command: "millrace pause all", description: "The whole intake" },
  ]),
);

export const resume = Command.make(
  "resume",
  { pipeline: pipelinesArgument, json: jsonFlag },
  ({ json, pipeline }) =>
    Effect.gen(function* () {
      const connection = yield* findConnection;
      yield* Effect.gen(function* () {
        const pauses = yield* IntakePauses;
        for (const one of namedPipelines(pipeline)) {
          const before = yield* pauses.find(queueOf(one));
          yield* pauses.resume(queueOf(one));
          yield* print(
            json,
            { pipeline: one.name, paused: false, ...(before && { before }) },
            before
              ? `resumed ${one.name} (paused since ${new Date(before.sinceEpochMs).toISOString()}: ${before.reason})`
              : `${one.name} was not paused`,
          );
        }
      }).pipe(Effect.provide(layerPauses(connection)));
    }),
).pipe(
  Command.withDescription(
    "Let a paused pipeline, or all of them, take messages again. Exit codes: 0 it takes messages; 1 the queue did not answer; 2 wrong usage",
  ),
  Command.withShortDescription("Let a paused pipeline, or all of them, take messages again"),
  Command.withExamples([
    { command: "millrace resume csv-to-parquet" },
    { command: "millrace resume all" },
  ]),
);
