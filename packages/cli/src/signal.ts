/**
 * `millrace signal <execution> <deferred>`: gives an execution what it waits for.
 */
import { signal as signalExecution } from "@millrace/core";
import { Console, Effect, Option, Schema } from "effect";
import { Argument, Command, Flag } from "effect/cli";
import { findStage } from "./Stage.ts";
import { executionArgument, findHistory } from "./findHistory.ts";
import { jsonFlag } from "./jsonFlag.ts";
import { layerOperations, requirePipeline } from "./stores.ts";

export const signal = Command.make(
  "signal",
  {
    execution: executionArgument,
    deferred: Argument.String("deferred").pipe(
      Argument.withDescription("Name of the deferred that the workflow waits for"),
    ),
    value: Flag.String("value").pipe(
      Flag.withDescription("JSON, as the deferred's schema has it; nothing when left out"),
      Flag.withSchema(Schema.fromJsonString(Schema.Unknown)),
      Flag.optional,
    ),
    json: jsonFlag,
  },
  Effect.fnUntraced(function* ({ deferred, execution, json, value }) {
    const stage = yield* findStage;
    const signalled = yield* Effect.gen(function* () {
      const { commits, executionId } = yield* findHistory(execution);
      yield* requirePipeline(executionId, commits);
      return yield* signalExecution(executionId, { deferred, value: Option.getOrUndefined(value) });
    }).pipe(Effect.provide(layerOperations(stage)));
    yield* Console.log(
      json
        ? JSON.stringify(signalled)
        : `signalled ${signalled.workflow} ${signalled.executionId}: ${deferred}`,
    );
  }),
).pipe(
  Command.withDescription(
    "Complete a deferred of an execution with a value; the first completion counts. Exit codes: 0 it is stored, and the execution asked to run; 1 it is not there, has ended, or was signalled before; 2 wrong usage",
  ),
  Command.withShortDescription("Complete what an execution waits for, with a value"),
  Command.withExamples([
    { command: "millrace signal 3f9a approval" },
    { command: `millrace signal 3f9a approval --value '{"by":"ada"}'` },
  ]),
);
