/**
 * `millrace dlq redrive <pipeline>`: what dead letters are about goes on, and the letters are removed.
 *
 * A letter is removed only after its execution's redrive is in the journal, or its original in the queue.
 */
import { Operations } from "@millrace/core";
import { Console, Effect, Schema } from "effect";
import { Command, Flag } from "effect/cli";
import { reportAlways } from "../carryOut.ts";
import { findStage } from "../Stage.ts";
import { jsonFlag } from "../jsonFlag.ts";
import { pipelineArgument } from "../pipelineFlag.ts";
import { makeProgress } from "../Progress.ts";
import { dryRunFlag, rateFlag } from "../rateFlag.ts";
import { layerOperations } from "../stores.ts";
import { countLetters, visitLetters } from "./LetterQueue.ts";
import {
  allFlag,
  chooseLetters,
  lettersArgument,
  queuesOf,
  requireChoice,
  undeliveredFlag,
} from "./which.ts";

/** Some letters have no way back. */
export class LettersRefused extends Schema.TaggedError<LettersRefused>()("LettersRefused", {
  letters: Schema.Int,
  reason: Schema.String,
}) {
  override get message(): string {
    return `${this.letters} letters were left where they are, the first because ${this.reason}`;
  }
}

export const redrive = Command.make(
  "redrive",
  {
    pipeline: pipelineArgument,
    letters: lettersArgument,
    all: allFlag,
    undelivered: undeliveredFlag,
    reason: Flag.String("reason").pipe(
      Flag.withDescription("Why; kept in the histories"),
      Flag.withDefault("its dead letter was redriven"),
    ),
    rate: rateFlag,
    dryRun: dryRunFlag,
    json: jsonFlag,
  },
  Effect.fnUntraced(function* ({ all, letters: names, pipeline, undelivered, ...options }) {
    yield* requireChoice("redrive", names, all);
    const stage = yield* findStage;
    const queues = yield* queuesOf(stage, pipeline, undelivered);
    const { dryRun, json, rate, reason } = options;
    const counts = { dryRun, selected: 0, redriven: 0, sent: 0, settled: 0, refused: 0 };
    let firstReason = "";
    const chosen = chooseLetters(names, all);
    const total = all ? yield* countLetters(stage, queues.letters) : names.length;
    const progress = yield* makeProgress("redriving letters", total);
    const visit = Effect.fnUntraced(function* (raw: Operations.RawLetter) {
      const letter = yield* Operations.readLetter(pipeline, raw);
      const returned = yield* dryRun
        ? Operations.checkLetter(letter)
        : Operations.returnLetter(letter, { queue: queues.queue, reason });
      counts.selected++;
      counts[returned.outcome]++;
      if (returned.outcome === "refused") firstReason ||= returned.reason ?? "";
      yield* progress.advance(1);
      return dryRun || returned.outcome === "refused" ? "keep" : "remove";
    });
    yield* visitLetters(stage, queues.letters, {
      isWanted: chosen.isWanted,
      ...(!dryRun && { perSecond: rate }),
      visit,
    }).pipe(
      Effect.ensuring(progress.clear),
      reportAlways(
        Effect.suspend(() => Console.log(json ? JSON.stringify(counts) : describe(counts))),
      ),
      Effect.provide(layerOperations(stage)),
    );
    yield* chosen.requireFound(pipeline);
    if (counts.refused > 0) {
      return yield* new LettersRefused({ letters: counts.refused, reason: firstReason });
    }
  }),
).pipe(
  Command.withDescription(
    "Let go on what dead letters are about: an execution that failed goes on from its failed step, anything else is sent to the pipeline's queue again; then the letter is removed. Letters whose execution goes on already are removed as settled. Exit codes: 0 all of them; 1 one is not there or has no way back, or the stores did not answer; 2 wrong usage; 130 stopped",
  ),
  Command.withShortDescription("Let go on what dead letters are about, and remove the letters"),
  Command.withExamples([
    { command: "millrace dlq redrive csv-to-parquet 7c2e", description: "One letter" },
    {
      command: "millrace dlq redrive csv-to-parquet --all --rate 5/s --dry-run",
      description: "What would become of all of them",
    },
  ]),
);

const describe = (counts: Readonly<Record<string, number | boolean>>): string =>
  [
    `${String(counts["selected"])} letters${counts["dryRun"] === true ? " (dry run, nothing is changed)" : ""}:`,
    `${String(counts["redriven"])} executions redriven,`,
    `${String(counts["sent"])} originals sent again,`,
    `${String(counts["settled"])} settled before,`,
    `${String(counts["refused"])} left`,
  ].join(" ");
