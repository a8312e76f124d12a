/**
 * Every mutant still fits the source that it patches: a mutant whose text is gone would silently prove nothing.
 */
import { assert, describe, it } from "@effect/vitest";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { mutants } from "./mutants.ts";

const source = (file: string): string =>
  readFileSync(join(import.meta.dirname, "../../packages/core/src", file), "utf8");

describe("mutants", () => {
  it("are at least 25, each with a name of its own", () => {
    assert.isAtLeast(mutants.length, 25);
    assert.strictEqual(new Set(mutants.map(({ name }) => name)).size, mutants.length);
  });

  it.each(mutants)("$name: its text stands in the source exactly once", ({ edits }) => {
    for (const { file, from, to } of edits) {
      assert.strictEqual(source(file).split(from).length - 1, 1, `${file}: ${from}`);
      assert.notStrictEqual(from, to);
    }
  });
});
