/**
 * The `millrace` command.
 *
 * Exit codes: 0 done; 1 it failed, with the reason on stderr; 2 wrong usage.
 */
import { NodeRuntime, NodeServices } from "@effect/platform-node";
import { Cause, Console, Effect, Exit } from "effect";
import { CliError, Command } from "effect/cli";
import { demo } from "./demo/demo.ts";
import { dev } from "./dev.ts";
import { ls } from "./ls.ts";
import { renditions } from "./renditions.ts";
import { show } from "./show.ts";
import { transform } from "./transform.ts";
import { upload } from "./upload.ts";

const millrace = Command.make("millrace").pipe(
  Command.withDescription(
    "Durable pipelines: files in, results out, nothing lost and nothing done twice",
  ),
  Command.withSubcommands([demo, dev, upload, ls, show, transform, renditions]),
);

// Before the run: help and wrong usage end it synchronously.
const exitCodeOf = (exit: Exit.Exit<unknown, unknown>): number => {
  if (Exit.isSuccess(exit) || Cause.hasInterruptsOnly(exit.cause)) return 0;
  const error = Cause.squash(exit.cause);
  return CliError.isCliError(error) && error._tag !== "UserError" ? 2 : 1;
};

Command.run(millrace, { version: "0.0.0" }).pipe(
  Effect.tapCause((cause) => {
    const error = Cause.squash(cause);
    // What is wrong with the command line has been explained already, with the command's help.
    if (CliError.isCliError(error) || Cause.hasInterruptsOnly(cause)) return Effect.void;
    return Console.error(`millrace: ${error instanceof Error ? error.message : String(error)}`);
  }),
  Effect.provide(NodeServices.layer),
  NodeRuntime.runMain({
    disableErrorReporting: true,
    teardown: (exit, onExit) => onExit(exitCodeOf(exit)),
  }),
);
