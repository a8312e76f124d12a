/**
 * `millrace import <file>`: histories that `millrace export` wrote, into the journal of the stage.
 */
import { HistoryFile } from "@millrace/core";
import { Console, Effect, Stream } from "effect";
import { Argument, Command } from "effect/cli";
import { findStage } from "./Stage.ts";
import { jsonFlag } from "./jsonFlag.ts";
import { makeCounter } from "./Progress.ts";
import { dryRunFlag } from "./rateFlag.ts";
import { readHistories } from "./readHistories.ts";
import { layerStores } from "./stores.ts";

export const importCommand = Command.make(
  "import",
  {
    file: Argument.Path("file").pipe(
      Argument.withDescription("A file that `millrace export` wrote"),
    ),
    dryRun: dryRunFlag,
    json: jsonFlag,
  },
  Effect.fnUntraced(function* ({ dryRun, file, json }) {
    const stage = yield* findStage;
    const read = readHistories(file);
    const counter = yield* makeCounter("histories");
    // All of it is read before any of it is stored: a broken line is no reason to have half of the file.
    yield* Stream.runDrain(read);
    yield* read.pipe(
      Stream.mapEffect((record) =>
        (dryRun ? HistoryFile.checkImport(record) : HistoryFile.importHistory(record)).pipe(
          Effect.map((outcome) => ({ ...record, outcome })),
          Effect.tap(() => counter.advance(1)),
        ),
      ),
      Stream.runForEach(({ executionId, outcome, workflow }) =>
        Console.log(
          json
            ? JSON.stringify({ executionId, workflow, outcome, ...(dryRun && { dryRun }) })
            : `${dryRun && outcome === "imported" ? "would be imported" : outcome} ${workflow} ${executionId}`,
        ),
      ),
      Effect.ensuring(counter.clear),
      Effect.provide(layerStores(stage)),
    );
  }),
).pipe(
  Command.withDescription(
    "Take exported histories into the journal, as they are. One that is there already is left alone (present), one that is there with another history is refused. An execution that had not ended may be run where workers are. Exit codes: 0 all are there; 1 the file is unreadable or a history differs; 2 wrong usage",
  ),
  Command.withShortDescription("Take exported histories into the journal"),
  Command.withExamples([
    {
      command: "millrace import failed.jsonl",
      description: "To look at them with `millrace show`",
    },
    { command: "millrace import failed.jsonl --dry-run", description: "Which are there already" },
  ]),
);
