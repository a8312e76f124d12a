/**
 * `millrace export`: histories as JSON Lines, to be kept, moved, or replayed against other code.
 */
import { HistoryFile, Operations } from "@millrace/core";
import { Console, Effect, Option } from "effect";
import { Argument, CliError, Command, Flag } from "effect/cli";
import { findStage } from "./Stage.ts";
import { findHistory } from "./findHistory.ts";
import { jsonFlag } from "./jsonFlag.ts";
import { openOutputFile } from "./OutputFile.ts";
import { makeCounter } from "./Progress.ts";
import { isFiltering, type QueryFlags, queryFlags, readQuery } from "./queryFlags.ts";
import { layerStores } from "./stores.ts";

/** What is to be exported has to be said, in one way. */
const requireOneWay = (ways: ReadonlyArray<boolean>) =>
  ways.filter((way) => way).length === 1
    ? Effect.void
    : Effect.fail(
        new CliError.ShowHelp({
          commandPath: ["millrace", "export"],
          errors: [
            new CliError.ValidationError({
              message:
                "say what to export: the names of executions, or filters like --status failed, or --all",
            }),
          ],
        }),
      );

/** Hands the ids of all executions that the filters leave to `use`, page by page. */
const forEachMatching = Effect.fnUntraced(function* <E, R>(
  flags: QueryFlags,
  use: (executionId: string) => Effect.Effect<void, E, R>,
) {
  yield* Operations.rowPages(yield* readQuery(flags), (rows) =>
    Effect.forEach(rows, ({ executionId }) => use(executionId), { discard: true }),
  );
});

const exportTo = Effect.fnUntraced(function* <E, R>(
  asked: { readonly names: ReadonlyArray<string>; readonly flags: QueryFlags },
  writeLine: (line: string) => Effect.Effect<void, E, R>,
) {
  let histories = 0;
  const counter = yield* makeCounter("histories");
  const write = Effect.fnUntraced(function* (executionId: string) {
    const record = yield* HistoryFile.exportHistory(executionId);
    yield* writeLine(HistoryFile.encodeHistory(record));
    histories++;
    yield* counter.advance(1);
  });
  yield* Effect.gen(function* () {
    for (const name of asked.names) {
      const { executionId } = yield* findHistory(name);
      yield* write(executionId);
    }
    if (asked.names.length === 0) yield* forEachMatching(asked.flags, write);
  }).pipe(Effect.ensuring(counter.clear));
  return histories;
});

const exportToFile = Effect.fnUntraced(function* (
  asked: Parameters<typeof exportTo>[0],
  target: string,
) {
  const file = yield* openOutputFile(target);
  const encoder = new TextEncoder();
  const histories = yield* exportTo(asked, (line) => file.write(encoder.encode(`${line}\n`)));
  yield* file.commit;
  return { file: target, histories };
}, Effect.scoped);

export const exportCommand = Command.make(
  "export",
  {
    executions: Argument.String("executions").pipe(
      Argument.withDescription("Execution ids, their beginnings, or parts of objects' keys"),
      Argument.variadic({ min: 0 }),
    ),
    ...queryFlags,
    all: Flag.Boolean("all").pipe(Flag.withDescription("All executions"), Flag.withDefault(false)),
    out: Flag.Path("out").pipe(
      Flag.withAlias("o"),
      Flag.withDescription("File to write, whole or not at all; by default the standard output"),
      Flag.optional,
    ),
    json: jsonFlag,
  },
  Effect.fnUntraced(function* ({ all, executions: names, json, out, ...flags }) {
    yield* requireOneWay([names.length > 0, isFiltering(flags), all]);
    const stage = yield* findStage;
    const stores = layerStores(stage);
    const asked = { names, flags };
    if (Option.isNone(out)) {
      yield* Effect.provide(
        exportTo(asked, (line) => Console.log(line)),
        stores,
      );
      return;
    }
    const written = yield* Effect.provide(exportToFile(asked, out.value), stores);
    yield* Console.log(
      json ? JSON.stringify(written) : `${written.histories} histories in ${written.file}`,
    );
  }),
).pipe(
  Command.withDescription(
    "Write histories as JSON Lines, one execution per line (the lines are JSON with or without --json). Exit codes: 0 written; 1 an execution is not there; 2 wrong usage",
  ),
  Command.withShortDescription("Write histories as JSON Lines"),
  Command.withExamples([
    { command: "millrace export 3f9a 77c0 --out two.jsonl", description: "Two executions" },
    {
      command: "millrace export --status failed --since 7d --out failed.jsonl",
      description: "All that failed in the last week",
    },
  ]),
);
