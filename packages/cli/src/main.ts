/**
 * The `millrace` command.
 *
 * Exit codes: 0 done; 1 it failed, with the reason on stderr; 2 wrong usage; 130 stopped in the middle of many changes.
 */
// Not from the package's root, which brings servers and clients that no command needs: a fifth of a second.
import * as NodeRuntime from "@effect/platform-node/NodeRuntime";
import * as NodeServices from "@effect/platform-node/NodeServices";
import { Cause, Console, Effect } from "effect";
import { CliError, Command } from "effect/cli";
import { exitCodeOf, loadMillrace } from "./commands.ts";

const [name = ""] = process.argv.slice(2);

Command.run(await loadMillrace(name), { version: "0.0.0" }).pipe(
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
