/**
 * `millrace cancel <execution>`: asks an execution to end as interrupted.
 */
import { cancel as cancelExecution } from "@millrace/core";
import { Console, Effect } from "effect";
import { Command, Flag } from "effect/cli";
import { findStage } from "./Stage.ts";
import { executionArgument, findHistory } from "./findHistory.ts";
import { jsonFlag } from "./jsonFlag.ts";
import { layerOperations, requirePipeline } from "./stores.ts";

export const cancel = Command.make(
  "cancel",
  {
    execution: executionArgument,
    now: Flag.Boolean("now").pipe(
      Flag.withDescription("Interrupt the step that runs, too, instead of letting it end"),
      Flag.withDefault(false),
    ),
    json: jsonFlag,
  },
  Effect.fnUntraced(function* ({ execution, json, now }) {
    const stage = yield* findStage;
    const cancelled = yield* Effect.gen(function* () {
      const { commits, executionId } = yield* findHistory(execution);
      yield* requirePipeline(executionId, commits);
      return yield* cancelExecution(executionId, { now });
    }).pipe(Effect.provide(layerOperations(stage)));
    const { again, executionId, status, workflow } = cancelled;
    yield* Console.log(
      json
        ? JSON.stringify(cancelled)
        : `${again ? "asked once more" : "asked"} ${workflow} ${executionId} to end (it is ${status}); its compensations run first`,
    );
  }),
).pipe(
  Command.withDescription(
    "Ask an execution to end as interrupted, where it next waits. Exit codes: 0 it is asked; 1 it is not there, or has ended; 2 wrong usage",
  ),
  Command.withShortDescription("Ask an execution to end as interrupted"),
  Command.withExamples([
    { command: "millrace cancel 3f9a" },
    { command: "millrace cancel 3f9a --now", description: "Without waiting for its step" },
  ]),
);
