/**
 * Every requirement of the reference systems has a row in docs/requirements.md, and what the rows name is there: files,
 * and rules over the stacks.
 */
import { assert, describe, it } from "@effect/vitest";
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { rules } from "./infra/rules.ts";

const root = join(import.meta.dirname, "..");

/** The last number of each system's requirements. */
const last = { D1: 19, D2: 9, D3: 5, D4: 13 } as const;

const ids = Object.entries(last).flatMap(([system, count]) =>
  Array.from({ length: count }, (_, index) => `${system}.${index + 1}`),
);

const rows = readFileSync(join(root, "docs", "requirements.md"), "utf8")
  .split("\n")
  .map((line) => line.split("|").map((cell) => cell.trim()))
  .filter(([, id = ""]) => /^D\d\.\d+$/.test(id))
  .map(([, id = "", what = "", shownBy = ""]) => ({ id, what, shownBy }));

/** What stands between backquotes. */
const named = ({ shownBy }: (typeof rows)[number]): ReadonlyArray<string> =>
  [...shownBy.matchAll(/`([^`]+)`/g)].map(([, name = ""]) => name);

const known = new Set(rules.map(({ name }) => name));

describe("docs/requirements.md", () => {
  it("has a row for every requirement, in their order", () => {
    assert.deepStrictEqual(
      rows.map(({ id }) => id),
      ids,
    );
  });

  it("says of each what shows it, or why nothing does", () => {
    assert.deepStrictEqual(
      rows.filter(({ shownBy, what }) => what === "" || shownBy === "").map(({ id }) => id),
      [],
    );
  });

  it("names files and rules that there are", () => {
    const missing = rows.flatMap((row) =>
      named(row)
        .filter((name) =>
          /^[\w./-]+\.(?:ts|md)$/.test(name)
            ? !existsSync(join(root, name))
            : /^[a-z0-9]+(?:-[a-z0-9]+){2,}$/.test(name) && !known.has(name),
        )
        .map((name) => `${row.id}: ${name}`),
    );
    assert.deepStrictEqual(missing, []);
  });
});
