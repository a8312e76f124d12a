/**
 * `millrace dlq drop <pipeline>`: removes dead letters, after writing them to a file.
 */
import { type Operations } from "@millrace/core";
import { Clock, Console, Effect, FileSystem, Option, Schema, Semaphore } from "effect";
import { Command, Flag } from "effect/cli";
import { reportAlways } from "../carryOut.ts";
import { findStage } from "../Stage.ts";
import { jsonFlag } from "../jsonFlag.ts";
import { pipelineArgument } from "../pipelineFlag.ts";
import { makeProgress } from "../Progress.ts";
import { dryRunFlag } from "../rateFlag.ts";
import { countLetters, visitLetters } from "./LetterQueue.ts";
import {
  allFlag,
  chooseLetters,
  lettersArgument,
  queuesOf,
  requireChoice,
  undeliveredFlag,
} from "./which.ts";

/** Dropping has to be confirmed. */
export class DropNotConfirmed extends Schema.TaggedError<DropNotConfirmed>()("DropNotConfirmed", {
  pipeline: Schema.String,
}) {
  override get message(): string {
    return `dropped letters of ${this.pipeline} are gone from its queue: count them with --dry-run, then say --yes`;
  }
}

export const drop = Command.make(
  "drop",
  {
    pipeline: pipelineArgument,
    letters: lettersArgument,
    all: allFlag,
    undelivered: undeliveredFlag,
    out: Flag.Path("out").pipe(
      Flag.withAlias("o"),
      Flag.withDescription(
        "File that the letters are written to, one JSON per line; must not exist; by default named after the pipeline and the time",
      ),
      Flag.optional,
    ),
    yes: Flag.Boolean("yes").pipe(Flag.withDescription("Yes, drop them"), Flag.withDefault(false)),
    dryRun: dryRunFlag,
    json: jsonFlag,
  },
  Effect.fnUntraced(function* ({ all, dryRun, json, letters: names, out, pipeline, ...options }) {
    yield* requireChoice("drop", names, all);
    if (!dryRun && !options.yes) return yield* new DropNotConfirmed({ pipeline });
    const stage = yield* findStage;
    const queues = yield* queuesOf(stage, pipeline, options.undelivered);
    const now = yield* Clock.currentTimeMillis;
    const file = Option.getOrElse(out, () => `dropped-${pipeline}-${now}.jsonl`);
    const append = dryRun ? () => Effect.void : yield* openDropFile(file);
    const chosen = chooseLetters(names, all);
    let dropped = 0;
    const total = all ? yield* countLetters(stage, queues.letters) : names.length;
    const progress = yield* makeProgress("dropping letters", total);
    yield* visitLetters(stage, queues.letters, {
      isWanted: chosen.isWanted,
      visit: Effect.fnUntraced(function* (raw) {
        yield* append(raw);
        dropped++;
        yield* progress.advance(1);
        return dryRun ? "keep" : "remove";
      }),
    }).pipe(
      Effect.ensuring(progress.clear),
      reportAlways(
        Effect.suspend(() => {
          const where = dryRun ? {} : { file };
          return Console.log(
            json
              ? JSON.stringify({ dryRun, dropped, ...where })
              : `${dropped} letters ${dryRun ? "would be dropped" : `dropped; they are in ${file}`}`,
          );
        }),
      ),
    );
    yield* chosen.requireFound(pipeline);
  }, Effect.scoped),
).pipe(
  Command.withDescription(
    "Remove dead letters from their queue; each is on disk in a file before it is removed. Exit codes: 0 dropped; 1 one is not there, the file exists, or --yes is missing; 2 wrong usage; 130 stopped",
  ),
  Command.withShortDescription("Remove dead letters, after writing them to a file"),
  Command.withExamples([
    {
      command: "millrace dlq drop csv-to-parquet 7c2e --yes --out dropped.jsonl",
      description: "One letter",
    },
    { command: "millrace dlq drop csv-to-parquet --all --dry-run", description: "How many" },
  ]),
);

/** Appends letters to a new file; each is on the disk when its append has ended. */
const openDropFile = Effect.fnUntraced(function* (path: string) {
  const fs = yield* FileSystem.FileSystem;
  const file = yield* fs.open(path, { flag: "wx" });
  const encoder = new TextEncoder();
  // Letters are visited side by side, and their lines may not mix.
  const oneByOne = yield* Semaphore.make(1);
  return (letter: Operations.RawLetter) =>
    oneByOne.withPermit(
      Effect.andThen(file.writeAll(encoder.encode(`${JSON.stringify(letter)}\n`)), file.sync),
    );
});
