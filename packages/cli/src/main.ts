/**
 * The `millrace` command.
 *
 * Exit codes: 0 done; 1 it failed, with the reason on stderr; 2 wrong usage.
 */
import { NodeRuntime, NodeServices } from "@effect/platform-node";
import { Effect } from "effect";
import { Command } from "effect/cli";
import { dev } from "./dev.ts";
import { ls } from "./ls.ts";
import { show } from "./show.ts";
import { upload } from "./upload.ts";

const millrace = Command.make("millrace").pipe(
  Command.withDescription("Durable pipelines: files in, results out, nothing lost and nothing done twice"),
  Command.withSubcommands([dev, upload, ls, show]),
);

Command.run(millrace, { version: "0.0.0" }).pipe(
  Effect.provide(NodeServices.layer),
  NodeRuntime.runMain,
);
