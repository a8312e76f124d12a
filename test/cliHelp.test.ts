/**
 * Goal: whoever knows `millrace --help` can find out everything else: every command says what it does, shows how, and
 * documents how it ends.
 * Method: all commands and their subcommands, found by walking the help itself.
 */
import { assert, describe, it } from "@effect/vitest";
import { Effect } from "effect";
import { inFolder, millrace } from "./cliProcess.ts";

interface Help {
  readonly words: ReadonlyArray<string>;
  readonly text: string;
  /** Name and one line about each. */
  readonly subcommands: ReadonlyArray<readonly [string, string]>;
}

/** The lines under a heading. */
const section = (text: string, heading: string): string =>
  text.split(`\n${heading}\n`)[1]?.split(/\n(?=[A-Z])/)[0] ?? "";

const helpOf = Effect.fnUntraced(function* (folder: string, words: ReadonlyArray<string>) {
  const { code, err, out: text } = yield* millrace(folder, ...words, "--help");
  assert.deepStrictEqual({ code, err }, { code: 0, err: "" }, words.join(" "));
  const subcommands = [...section(text, "SUBCOMMANDS").matchAll(/^ {2}(\S+) {2,}(.+)$/gm)].map(
    ([, name = "", about = ""]) => [name, about] as const,
  );
  const help: Help = { words, text, subcommands };
  return help;
});

/** The help of a command's subcommands, and of theirs. */
const walk = (folder: string, above: Help): Effect.Effect<ReadonlyArray<Help>> =>
  Effect.map(
    Effect.forEach(
      above.subcommands,
      ([name]) =>
        Effect.flatMap(helpOf(folder, [...above.words, name]), (help) =>
          Effect.map(walk(folder, help), (below) => [help, ...below]),
        ),
      { concurrency: 2 },
    ),
    (helps) => helps.flat(),
  );

describe("millrace --help", { timeout: 180_000 }, () => {
  it.live("leads to an example and the exit codes of every command", () =>
    inFolder(
      Effect.fnUntraced(function* (folder) {
        const top = yield* helpOf(folder, []);
        const helps = yield* walk(folder, top);
        const names = helps.map(({ words }) => words.join(" "));
        assert.includeMembers(names, ["dev", "redrive", "dlq", "dlq drop", "replay", "backfill"]);
        for (const { subcommands, text, words } of helps) {
          const name = words.join(" ");
          const flags = section(text, "FLAGS");
          assert.include(section(text, "EXAMPLES"), `millrace ${name}`, name);
          assert.match(text, /Exit codes: .*\b0 .*; 1 .*; 2 wrong usage/, name);
          if (subcommands.length > 0) continue;
          assert.include(flags, "--json", name);
          // What is paced changes many things: it can be counted first, and stopped.
          if (!flags.includes("--rate")) continue;
          assert.include(flags, "--dry-run", name);
          assert.include(text, "130 stopped", name);
        }
        for (const { subcommands } of [top, ...helps]) {
          for (const [name, about] of subcommands) assert.isAtMost(about.length, 100, name);
        }
      }),
    ),
  );
});
