/**
 * `millrace dlq`: the dead-letter queues, as people work on them.
 */
import { Command } from "effect/cli";
import { drop } from "./drop.ts";
import { ls } from "./ls.ts";
import { redrive } from "./redrive.ts";
import { show } from "./show.ts";

export const dlq = Command.make("dlq").pipe(
  Command.withDescription(
    "Look at dead letters, bring back what they are about, or drop them. Exit codes: those of the subcommands: 0 done; 1 not all was; 2 wrong usage",
  ),
  Command.withShortDescription(
    "Look at dead letters, bring back what they are about, or drop them",
  ),
  Command.withExamples([
    { command: "millrace dlq ls csv-to-parquet", description: "What lies there" },
    { command: "millrace dlq redrive csv-to-parquet --all", description: "All of it goes on" },
  ]),
  Command.withSubcommands([ls, show, redrive, drop]),
);
