/**
 * `millrace fork <execution> --after-event n`: a new execution out of the beginning of another one.
 */
import { fork as forkExecution } from "@millrace/core";
import { CsvToParquet, ImageRenditions } from "@millrace/workflows";
import { Console, Effect, FileSystem, Option, Schema } from "effect";
import { Command, Flag } from "effect/cli";
import { text } from "node:stream/consumers";
import { findStage } from "./Stage.ts";
import { executionArgument, findHistory } from "./findHistory.ts";
import { jsonFlag } from "./jsonFlag.ts";
import { layerOperations, requirePipeline } from "./stores.ts";

/** What was given as input is no JSON. */
export class InputUnreadable extends Schema.TaggedError<InputUnreadable>()("InputUnreadable", {
  file: Schema.String,
  reason: Schema.String,
}) {
  override get message(): string {
    return `${this.file === "-" ? "the standard input" : this.file} is not read as JSON: ${this.reason}`;
  }
}

const decodeJson = Schema.decodeUnknownEffect(Schema.fromJsonString(Schema.Json));

const readInput = Effect.fnUntraced(
  function* (file: string) {
    const fs = yield* FileSystem.FileSystem;
    if (file !== "-") return yield* decodeJson(yield* fs.readFileString(file));
    return yield* decodeJson(yield* Effect.tryPromise(() => text(process.stdin)));
  },
  (effect, file) =>
    Effect.mapError(effect, ({ message }) => new InputUnreadable({ file, reason: message })),
);

export const fork = Command.make(
  "fork",
  {
    execution: executionArgument,
    afterEvent: Flag.Int("after-event").pipe(
      Flag.withDescription(
        "Number of the last event that counts, as `millrace show` prints it; 1: from the start",
      ),
    ),
    input: Flag.String("input").pipe(
      Flag.withDescription(
        "File with the new payload as JSON, - for the standard input; by default the payload stays",
      ),
      Flag.optional,
    ),
    label: Flag.String("label").pipe(
      Flag.withDescription("Why, in a word; the same fork with another label is another execution"),
      Flag.optional,
    ),
    json: jsonFlag,
  },
  Effect.fnUntraced(function* ({ afterEvent, execution, input, json, label }) {
    const stage = yield* findStage;
    const payload = Option.isSome(input) ? yield* readInput(input.value) : undefined;
    const forked = yield* Effect.gen(function* () {
      const { commits, executionId } = yield* findHistory(execution);
      yield* requirePipeline(executionId, commits);
      return yield* forkExecution(executionId, {
        afterEvent,
        label: Option.getOrUndefined(label),
        ...(payload !== undefined && { payload }),
        workflows: [CsvToParquet, ImageRenditions],
      });
    }).pipe(Effect.provide(layerOperations(stage)));
    yield* Console.log(
      json
        ? JSON.stringify(forked)
        : `${forked.created ? "forked" : "there already:"} ${forked.workflow} ${forked.executionId} (after event ${afterEvent} of ${forked.forkedFrom.executionId}, ${forked.facts} facts kept)`,
    );
  }),
).pipe(
  Command.withDescription(
    "Start a new execution from an event of another one, with the same input or a changed one. Forking twice the same makes one. Exit codes: 0 it is there and was asked to run; 1 no such execution or event, or the input is no payload; 2 wrong usage",
  ),
  Command.withShortDescription("Start a new execution from an event of another one"),
  Command.withExamples([
    {
      command: "millrace fork 3f9a --after-event 1",
      description: "Run the same input again from the start, as an execution of its own",
    },
    {
      command: "millrace fork orders.csv --after-event 3 --input payload.json",
      description: "Keep what happened up to event 3, and go on with another input",
    },
  ]),
);
