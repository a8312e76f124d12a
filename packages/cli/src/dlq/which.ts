/**
 * Which queue a `dlq` command works on, and which of its letters.
 */
import { type Operations } from "@millrace/core";
import { Effect, Schema } from "effect";
import { Argument, CliError, Flag } from "effect/cli";
import type { Stage } from "../Stage.ts";

/** A name that is no letter's, or the beginning of several. */
export class LetterNotFound extends Schema.TaggedError<LetterNotFound>()("LetterNotFound", {
  pipeline: Schema.String,
  names: Schema.Array(Schema.String),
}) {
  override get message(): string {
    return `no letter of ${this.pipeline} is called ${this.names.join(", ")}: \`millrace dlq ls ${this.pipeline}\` shows them; one that somebody else looks at is hidden for up to two minutes`;
  }
}

export const undeliveredFlag = Flag.Boolean("undelivered").pipe(
  Flag.withDescription(
    "The queue of what the pipeline's rule or a schedule could not deliver, instead of its dead letters",
  ),
  Flag.withDefault(false),
);

export const allFlag = Flag.Boolean("all").pipe(
  Flag.withDescription("All letters that are there now"),
  Flag.withDefault(false),
);

export const lettersArgument = Argument.String("letters").pipe(
  Argument.withDescription("Ids of letters, or their beginnings"),
  Argument.variadic({ min: 0 }),
);

/** The queue whose letters are meant, and the name of the queue that they may go back to. */
export const queuesOf = Effect.fnUntraced(function* (
  stage: Stage,
  name: string,
  undelivered: boolean,
) {
  const queues = yield* stage.queuesOf({ name });
  return { queue: name, letters: undelivered ? queues.undelivered : queues.deadLetters };
});

/** Names or all of them has to be said: nothing is done to letters that nobody meant. */
export const requireChoice = (command: string, names: ReadonlyArray<string>, all: boolean) =>
  names.length > 0 === all
    ? Effect.fail(
        new CliError.ShowHelp({
          commandPath: ["millrace", "dlq", command],
          errors: [
            new CliError.ValidationError({ message: "say which letters: their ids, or --all" }),
          ],
        }),
      )
    : Effect.void;

/** Which letters are wanted, and which of their names were nobody's. */
export const chooseLetters = (names: ReadonlyArray<string>, all: boolean) => {
  const found = new Set<string>();
  return {
    isWanted: ({ id }: Operations.RawLetter): boolean => {
      const named = names.filter((name) => name !== "" && id.startsWith(name));
      for (const name of named) found.add(name);
      return all || named.length > 0;
    },
    /** Fails when a name was no letter's. */
    requireFound: (pipeline: string) =>
      Effect.suspend(() => {
        const missing = names.filter((name) => !found.has(name));
        return missing.length > 0 ? new LetterNotFound({ pipeline, names: missing }) : Effect.void;
      }),
  };
};
