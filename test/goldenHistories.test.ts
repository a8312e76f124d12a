/**
 * Histories that earlier versions left behind, against the code of today: what they hold must stay readable, and
 * executions on their way at a deployment must go on.
 *
 * Each file of test/histories is what `millrace export --all` wrote on its day: a CSV file, an image, and a broken file
 * that was redriven and failed again; since 2026-11-30 also a file of parts in a task, paused and resumed meanwhile, and a
 * day's sales, good and invalid. A file is never changed; a new event shape brings a new file.
 */
import { assert, describe, it } from "@effect/vitest";
import { checkReplay, type Commit, HistoryFile, type ReplayCheck } from "@millrace/core";
import { layerWorkflowsToCheck } from "@millrace/workflows";
import { Effect } from "effect";
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";

const folder = join(import.meta.dirname, "histories");

const check = (text: string): Effect.Effect<ReadonlyArray<ReplayCheck>, unknown> =>
  Effect.gen(function* () {
    const lines = text.split("\n").filter((line) => line !== "");
    const histories = new Map<string, ReadonlyArray<Commit>>();
    for (const [index, line] of lines.entries()) {
      const { commits, executionId } = yield* HistoryFile.decodeHistory(line, index + 1);
      histories.set(executionId, commits);
    }
    return yield* checkReplay(histories, layerWorkflowsToCheck);
  });

describe("histories of earlier versions", () => {
  for (const file of readdirSync(folder)) {
    const text = readFileSync(join(folder, file), "utf8");

    it.live(`${file} agrees with the code of today`, () =>
      Effect.gen(function* () {
        const checks = yield* check(text);
        assert.isAbove(checks.length, 0);
        assert.deepStrictEqual(
          checks.filter(({ verdict }) => verdict._tag !== "Agrees"),
          [],
        );
      }),
    );

    it.live(`${file} would tell of a renamed step`, () =>
      Effect.gen(function* () {
        const checks = yield* check(text.replaceAll('"name":"validate"', '"name":"checked"'));
        assert.isTrue(checks.some(({ verdict }) => verdict._tag === "Diverges"));
      }),
    );
  }
});
