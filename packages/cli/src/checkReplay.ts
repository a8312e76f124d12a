/**
 * `millrace check-replay <files>`: exported histories against the code of this checkout, for CI and before a deployment.
 */
import {
  checkReplay,
  type Commit,
  type HistoryFile,
  layerLargeValuesOf,
  type ReplayCheck,
} from "@millrace/core";
import { layerWorkflowsToCheck } from "@millrace/workflows";
import { Console, Effect, Schema, Stream } from "effect";
import { Argument, Command } from "effect/cli";
import { readHistories } from "./readHistories.ts";
import { jsonFlag } from "./jsonFlag.ts";

/** Some histories do not agree with the code. */
export class ReplayDisagrees extends Schema.TaggedError<ReplayDisagrees>()("ReplayDisagrees", {
  histories: Schema.Int,
  disagreeing: Schema.Int,
}) {
  override get message(): string {
    return `${this.disagreeing} of ${this.histories} histories do not agree with this code: deployed, it would park or change what is on its way; guard the change with ExecutionVersion, or let those executions end first`;
  }
}

const describe = ({ executionId, verdict, workflow }: ReplayCheck): string => {
  const name = `${workflow} ${executionId}`;
  switch (verdict._tag) {
    case "Agrees":
      return `agrees    ${name}`;
    case "EndsOtherwise":
      return `DISAGREES ${name}: it ended with ${JSON.stringify(verdict.recorded)}, and would end with ${JSON.stringify(verdict.replayed)}`;
    case "Diverges":
      return `DISAGREES ${name}: ${verdict.reason}`;
    case "Unknown":
      return `unknown   ${name}: ${verdict.reason}`;
  }
};

export const checkReplayCommand = Command.make(
  "check-replay",
  {
    files: Argument.Path("files").pipe(
      Argument.withDescription("Files that `millrace export` wrote"),
      Argument.variadic({ min: 1 }),
    ),
    json: jsonFlag,
  },
  Effect.fnUntraced(function* ({ files, json }) {
    const histories = new Map<string, ReadonlyArray<Commit>>();
    const values = new Map<string, string>();
    for (const file of files) {
      yield* Stream.runForEach(readHistories(file), (record: HistoryFile.HistoryRecord) =>
        Effect.sync(() => {
          histories.set(record.executionId, record.commits);
          for (const [hash, text] of Object.entries(record.values ?? {})) values.set(hash, text);
        }),
      );
    }
    const checks = yield* checkReplay(histories, layerWorkflowsToCheck).pipe(
      Effect.provide(layerLargeValuesOf(values)),
    );
    for (const check of checks) {
      yield* Console.log(json ? JSON.stringify(check) : describe(check));
    }
    const disagreeing = checks.filter(({ verdict }) => verdict._tag !== "Agrees").length;
    if (disagreeing > 0) {
      return yield* new ReplayDisagrees({ histories: checks.length, disagreeing });
    }
    if (!json) yield* Console.log(`all ${checks.length} histories agree with this code`);
  }),
).pipe(
  Command.withDescription(
    "Replay exported histories against the code of this checkout, without running any activity: would executions on their way go on, and those that ended end the same? Children need their histories in the files, too. Exit codes: 0 all agree; 1 one does not, or a file is unreadable; 2 wrong usage",
  ),
  Command.withShortDescription("Replay exported histories against the code of this checkout"),
  Command.withExamples([
    {
      command:
        "millrace export --status running,suspended --out open.jsonl && millrace check-replay open.jsonl",
      description: "Before a deployment",
    },
  ]),
);
