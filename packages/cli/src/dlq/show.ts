/**
 * `millrace dlq show <pipeline> <letter>`: one dead letter, its original, and the way back.
 */
import { Operations } from "@millrace/core";
import { Console, Effect } from "effect";
import { Argument, Command } from "effect/cli";
import { findStage } from "../Stage.ts";
import { jsonFlag } from "../jsonFlag.ts";
import { pipelineArgument } from "../pipelineFlag.ts";
import { visitLetters } from "./LetterQueue.ts";
import { chooseLetters, queuesOf, undeliveredFlag } from "./which.ts";

export const show = Command.make(
  "show",
  {
    pipeline: pipelineArgument,
    letter: Argument.String("letter").pipe(
      Argument.withDescription("The letter's id, or its beginning"),
    ),
    undelivered: undeliveredFlag,
    json: jsonFlag,
  },
  Effect.fnUntraced(function* ({ json, letter: name, pipeline, undelivered }) {
    const stage = yield* findStage;
    const queues = yield* queuesOf(stage, pipeline, undelivered);
    const chosen = chooseLetters([name], false);
    const found: Array<Operations.Letter> = [];
    yield* visitLetters(stage, queues.letters, {
      isWanted: chosen.isWanted,
      visit: (raw) =>
        Operations.readLetter(pipeline, raw).pipe(
          Effect.tap((letter) => Effect.sync(() => void found.push(letter))),
          Effect.as("keep" as const),
        ),
    });
    yield* chosen.requireFound(pipeline);
    for (const one of found) {
      const back = Operations.wayBackOf(one);
      yield* Console.log(
        json ? JSON.stringify({ ...one, back: back._tag }) : describe(one, back).join("\n"),
      );
    }
  }),
).pipe(
  Command.withDescription(
    "Show a dead letter: what failed and why, its original, and what a redrive would do. Exit codes: 0 shown; 1 it is not there; 2 wrong usage",
  ),
  Command.withShortDescription("Show a dead letter, its original, and the way back"),
  Command.withExamples([
    { command: "millrace dlq show csv-to-parquet 7c2e", description: "By the beginning of its id" },
  ]),
);

const describe = (letter: Operations.Letter, back: Operations.WayBack): ReadonlyArray<string> => [
  `letter ${letter.id} of ${letter.pipeline}, ${new Date(letter.atEpochMs).toISOString()}`,
  `about ${letter.subject}`,
  `given up by the ${letter.origin}: ${letter.cause.tag}: ${letter.cause.message}`,
  ...(letter.failureClass === undefined ? [] : [`failure class ${letter.failureClass}`]),
  ...(letter.execution
    ? [`execution ${letter.execution.executionId} of ${letter.execution.workflow}`]
    : []),
  describeBack(back),
  "original:",
  letter.original,
];

const describeBack = (back: Operations.WayBack): string => {
  switch (back._tag) {
    case "Redrive":
      return `\`millrace dlq redrive\` redrives execution ${back.executionId}`;
    case "Send":
      return "`millrace dlq redrive` sends the original to the pipeline's queue";
    case "None":
      return `no way back: ${back.reason}`;
  }
};
