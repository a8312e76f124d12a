/**
 * The `millrace` command.
 *
 * Exit codes: 0 done; 1 it failed, with the reason on stderr; 2 wrong usage.
 */
import { NodeRuntime, NodeServices } from "@effect/platform-node";
import { Cause, Console, Effect, Exit } from "effect";
import { CliError, Command } from "effect/cli";
import { dev } from "./dev.ts";
import { ls } from "./ls.ts";
import { show } from "./show.ts";
import { upload } from "./upload.ts";

const millrace = Command.make("millrace").pipe(
  Command.withDescription(
    "Durable pipelines: files in, results out, nothing lost and nothing done twice",
  ),
  Command.withSubcommands([dev, upload, ls, show]),
);

Command.run(millrace, { version: "0.0.0" }).pipe(
  Effect.tapError((error) =>
    // Wrong usage has been explained by the command line itself, with the help of the command.
    CliError.isCliError(error) ? Effect.void : Console.error(`millrace: ${error.message}`),
  ),
  Effect.provide(NodeServices.layer),
  NodeRuntime.runMain({
    disableErrorReporting: true,
    teardown: (exit, onExit) => onExit(exitCodeOf(exit)),
  }),
);

const exitCodeOf = (exit: Exit.Exit<unknown, unknown>): number => {
  if (Exit.isSuccess(exit) || Cause.hasInterruptsOnly(exit.cause)) return 0;
  const usage = Cause.findError(exit.cause);
  return usage._tag === "Success" && CliError.isCliError(usage.success) ? 2 : 1;
};
