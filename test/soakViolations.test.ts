/**
 * Goal: a soak notices what it says it looks for. Method: stores as they must be, and one thing in them that is wrong.
 */
import { assert, describe, it } from "@effect/vitest";
import type { Told, Written } from "./soak/readStores.ts";
import { judge, type Stores } from "./soak/soakViolations.ts";
import type { SoakUpload } from "./soak/uploadAll.ts";

const good = "millrace-raw/incoming/good.csv@1";
const broken = "millrace-raw/incoming/broken.csv@1";
const folder = "millrace-raw/incoming/folder/@1";
const output = "millrace-clean/processed/good.parquet";

const uploads: ReadonlyArray<SoakUpload> = [
  { subject: good, fate: "completed", ms: 1 },
  { subject: broken, fate: "failed", ms: 1 },
  { subject: folder, fate: "ignored", ms: 1 },
];

const told = (subject: string, status: string, more: Partial<Told> = {}): Told => ({
  subject,
  status,
  commits: 3,
  starts: 1,
  wrong: [],
  ...more,
});
const written = (etag: string): Written => ({ versionId: etag, etag, modifiedEpochMs: 1 });
const result = { outputs: [{ bucket: "millrace-clean", key: "processed/good.parquet" }] };

const journal = new Map([
  ["g", told(good, "completed")],
  ["b", told(broken, "failed")],
]);
const rows: Stores["rows"] = new Map<string, { commit: number; status: string; result?: unknown }>([
  ["g", { commit: 3, status: "completed", result }],
  ["b", { commit: 3, status: "failed" }],
]);
const asItMustBe: Stores = {
  journal,
  rows,
  outputs: new Map([
    [output, [written("a")]],
    ["millrace-errors/incoming/broken.csv.1", [written("q")]],
  ]),
  deadLetters: ["b"],
};

const without = <V>(map: ReadonlyMap<string, V>, key: string): ReadonlyMap<string, V> =>
  new Map([...map].filter(([one]) => one !== key));

describe("what a soak finds", () => {
  it("is nothing when all is as it must be; equal versions and letters sent twice are allowed", () => {
    const judged = judge(uploads, {
      ...asItMustBe,
      outputs: new Map([[output, [written("a"), written("a")]]]),
      deadLetters: ["b", "b"],
    });
    assert.deepStrictEqual(judged, {
      completed: 1,
      failed: 1,
      ignored: 1,
      inFlight: 0,
      deadLettered: 1,
      startsPerUpload: 1,
      outputsRepeated: 1,
      violations: [],
    });
  });

  const wrongs: ReadonlyArray<readonly [string, Partial<Stores>, RegExp]> = [
    ["an upload without an execution", { journal: without(journal, "g") }, /good.*no execution/u],
    [
      "an execution of an object that no pipeline wants",
      { journal: new Map([...journal, ["f", told(folder, "completed")]]) },
      /folder.*no pipeline wants it/u,
    ],
    [
      "an execution of nobody's upload",
      { journal: new Map([...journal, ["x", told("elsewhere@1", "completed")]]) },
      /elsewhere.*nobody has uploaded it/u,
    ],
    [
      "one that is still in flight",
      { journal: new Map([...journal, ["g", told(good, "in flight")]]) },
      /conservation: .* 1 in flight/u,
    ],
    [
      "a broken file that completed",
      { journal: new Map([...journal, ["b", told(broken, "completed")]]) },
      /broken.*is completed, and not failed/u,
    ],
    [
      "a history that breaks a law",
      { journal: new Map([...journal, ["g", told(good, "completed", { wrong: ["two starts"] })]]) },
      /good.*two starts/u,
    ],
    [
      "a row that is behind",
      { rows: new Map([...rows, ["g", { commit: 2, status: "completed", result }]]) },
      /good.*its row tells of completed at commit 2, not 3/u,
    ],
    ["an output that is gone", { outputs: new Map() }, /good\.parquet is not there/u],
    [
      "an output that was rewritten with other bytes",
      { outputs: new Map([[output, [written("a"), written("b")]]]) },
      /2 versions that differ/u,
    ],
    [
      "an output that nobody names",
      { outputs: new Map([...asItMustBe.outputs, ["millrace-clean/x", [written("a")]]]) },
      /millrace-clean\/x: nobody names it/u,
    ],
    ["a dead letter that is missing", { deadLetters: [] }, /broken.*no dead letter/u],
    ["a dead letter of a good file", { deadLetters: ["b", "g"] }, /good.*has a dead letter/u],
    ["a dead letter of nobody", { deadLetters: ["b", "z"] }, /of nobody: z/u],
  ];
  for (const [name, change, expected] of wrongs) {
    it(`is ${name}`, () => {
      const { violations } = judge(uploads, { ...asItMustBe, ...change });
      assert.isTrue(
        violations.some((violation) => expected.test(violation)),
        violations.join("; "),
      );
    });
  }
});
