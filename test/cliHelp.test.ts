/**
 * Goal: whoever knows `millrace --help` can find out everything else: every command says what it does, shows how, and
 * documents how it ends.
 * Method: all commands and their subcommands, found by walking the help itself.
 */
import { readFileSync } from "node:fs";
import { assert, describe, it } from "@effect/vitest";
import * as NodeServices from "@effect/platform-node/NodeServices";
import { Console, Effect } from "effect";
import { Command } from "effect/cli";
import { loadMillrace } from "../packages/cli/src/commands.ts";

interface Help {
  readonly words: ReadonlyArray<string>;
  readonly text: string;
  /** Name and one line about each. */
  readonly subcommands: ReadonlyArray<readonly [string, string]>;
}

/** The lines under a heading. */
const section = (text: string, heading: string): string =>
  text.split(`\n${heading}\n`)[1]?.split(/\n(?=[A-Z])/)[0] ?? "";

const helpOf = Effect.fnUntraced(function* (words: ReadonlyArray<string>) {
  const printed: Array<string> = [];
  const console: Console.Console = Object.assign(Object.create(globalThis.console), {
    log: (text: unknown) => void printed.push(String(text)),
  });
  const millrace = yield* Effect.promise(() => loadMillrace(words[0] ?? ""));
  yield* Command.runWith(millrace, { version: "0.0.0" })([...words, "--help"]).pipe(
    Effect.provideService(Console.Console, console),
  );
  const text = `${printed.join("\n")}\n`;
  const subcommands = [...section(text, "SUBCOMMANDS").matchAll(/^ {2}(\S+) {2,}(.+)$/gm)].map(
    ([, name = "", about = ""]) => [name, about] as const,
  );
  const help: Help = { words, text, subcommands };
  return help;
});

type Walk = Effect.Effect<
  ReadonlyArray<Help>,
  Effect.Error<ReturnType<typeof helpOf>>,
  Effect.Services<ReturnType<typeof helpOf>>
>;

/** The help of a command's subcommands, and of theirs. */
const walk = (above: Help): Walk =>
  Effect.map(
    Effect.forEach(above.subcommands, ([name]) =>
      Effect.flatMap(helpOf([...above.words, name]), (help) =>
        Effect.map(walk(help), (below) => [help, ...below]),
      ),
    ),
    (helps) => helps.flat(),
  );

/** A command's exit codes and what they mean, as its help has them. */
const exitCodesOf = (text: string): ReadonlyArray<readonly [code: string, meaning: string]> =>
  (/Exit codes: (?:those of the subcommands: )?(.+)/.exec(text)?.[1] ?? "")
    .split(/; (?=\d)/)
    .map((part) => [part.split(" ")[0] ?? "", part.slice(part.indexOf(" ") + 1).trim()] as const);

/** The rows of the table in docs/operations.md. */
const documented = new Set(
  readFileSync(new URL("../docs/operations.md", import.meta.url), "utf8")
    .split("\n")
    .filter((line) => line.startsWith("| `"))
    .map((line) => line.replaceAll(/\s+/g, " ").trim()),
);

/** What the table has to say of a command; wrong usage ends each of them with 2. */
const rowOf = (name: string, text: string): string => {
  const codes = new Map(exitCodesOf(text));
  const cells = ["0", "1", "130"].map((code) => (codes.get(code) ?? "").replaceAll("|", "\\|"));
  return `| \`${name}\` | ${cells.join(" | ")} |`.replaceAll(/\s+/g, " ");
};

describe("millrace --help", () => {
  it.live("leads to an example and the exit codes of every command", () =>
    Effect.gen(function* () {
      const top = yield* helpOf([]);
      const helps = yield* walk(top);
      const names = helps.map(({ words }) => words.join(" "));
      assert.includeMembers(names, ["dev", "redrive", "dlq", "dlq drop", "replay", "backfill"]);
      const undocumented: Array<string> = [];
      for (const { subcommands, text, words } of helps) {
        const name = words.join(" ");
        const flags = section(text, "FLAGS");
        assert.include(section(text, "EXAMPLES"), `millrace ${name}`, name);
        assert.match(text, /Exit codes: .*\b0 .*; 1 .*; 2 wrong usage/, name);
        if (subcommands.length > 0) continue;
        const row = rowOf(name, text);
        if (!documented.has(row)) undocumented.push(row);
        assert.include(flags, "--json", name);
        // What is paced changes many things: it can be counted first, and stopped.
        if (!flags.includes("--rate")) continue;
        assert.include(flags, "--dry-run", name);
        assert.include(text, "130 stopped", name);
      }
      assert.deepStrictEqual(undocumented, [], "rows for the table in docs/operations.md");
      for (const { subcommands } of [top, ...helps]) {
        for (const [name, about] of subcommands) assert.isAtMost(about.length, 100, name);
      }
    }).pipe(Effect.provide(NodeServices.layer)),
  );
});
