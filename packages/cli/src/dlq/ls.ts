/**
 * `millrace dlq ls <pipeline>`: the dead letters, whoever gave up on them.
 */
import { Operations } from "@millrace/core";
import { Clock, Console, Effect, Struct } from "effect";
import { Command, Flag } from "effect/cli";
import { findStage } from "../Stage.ts";
import { jsonFlag } from "../jsonFlag.ts";
import { pipelineArgument } from "../pipelineFlag.ts";
import { renderTable } from "../table.ts";
import { formatMs } from "../timeline.ts";
import { countLetters, visitLetters } from "./LetterQueue.ts";
import { queuesOf, undeliveredFlag } from "./which.ts";

export const ls = Command.make(
  "ls",
  {
    pipeline: pipelineArgument,
    undelivered: undeliveredFlag,
    limit: Flag.Int("limit").pipe(
      Flag.withDescription("How many at most"),
      Flag.filter(
        (letters) => letters > 0,
        (letters) => `--limit must be at least 1, not ${letters}`,
      ),
      Flag.withDefault(100),
    ),
    json: jsonFlag,
  },
  Effect.fnUntraced(function* ({ json, limit, pipeline, undelivered }) {
    const stage = yield* findStage;
    const queues = yield* queuesOf(stage, pipeline, undelivered);
    const total = yield* countLetters(stage, queues.letters);
    const letters: Array<Operations.Letter> = [];
    yield* visitLetters(stage, queues.letters, {
      lettersMax: limit,
      isWanted: () => true,
      visit: (raw) =>
        Operations.readLetter(pipeline, raw).pipe(
          Effect.tap((letter) => Effect.sync(() => void letters.push(letter))),
          Effect.as("keep" as const),
        ),
    });
    const sorted = letters.toSorted((a, b) => b.atEpochMs - a.atEpochMs);
    if (json) {
      // The originals are as long as messages can be; `show` has them.
      const listed = sorted.map((letter) => Struct.omit(letter, ["original"]));
      return yield* Console.log(JSON.stringify({ pipeline, total, letters: listed }));
    }
    if (sorted.length === 0) return yield* Console.log("no dead letters");
    yield* Console.log(renderLetters(sorted, yield* Clock.currentTimeMillis));
    if (total > sorted.length) yield* Console.log(`about ${total} in all: --limit ${total}`);
  }),
).pipe(
  Command.withDescription(
    "List the dead letters of a pipeline, newest first, and put them back. Exit codes: 0 listed; 1 the queue did not answer; 2 wrong usage",
  ),
  Command.withShortDescription("List the dead letters of a pipeline"),
  Command.withExamples([
    { command: "millrace dlq ls csv-to-parquet", description: "The pipeline's dead letters" },
    {
      command: "millrace dlq ls csv-to-parquet --undelivered --json",
      description: "What its rule could not deliver, as JSON",
    },
  ]),
);

const renderLetters = (letters: ReadonlyArray<Operations.Letter>, nowEpochMs: number): string =>
  renderTable(
    ["LETTER", "GIVEN UP BY", "CLASS", "CAUSE", "AGE", "SUBJECT"],
    letters.map(({ atEpochMs, cause, failureClass, id, origin, subject }) => [
      id,
      origin,
      failureClass ?? "",
      cause.tag,
      formatMs(nowEpochMs - atEpochMs),
      subject,
    ]),
  );
