/** Failures that differ only in their input have one fingerprint; failures of another kind have another. */
import { assert, describe, it } from "@effect/vitest";
import { errorFingerprint, normalizeMessage } from "../src/errorFingerprint.ts";

const traits = {
  workflow: "CsvToParquet",
  tag: "CsvNotText",
  activity: "validate",
  message: 'source: "raw/in/a.csv@v1", found: "a gzip archive"',
};

describe("a fingerprint", () => {
  it("has twelve hex characters, the same ones for ever", () => {
    assert.strictEqual(errorFingerprint(traits), "84de82a286e8");
  });

  const same: ReadonlyArray<readonly [string, string]> = [
    ["row 17 of 2,048 is broken", "row 3 of 12 is broken"],
    ['no column "amount"', 'no column "total \\" sum"'],
    ["no column 'amount'", "no column 'total'"],
    ["object 9f86d081884c7d65 is gone", "object 60303ae22b998861 is gone"],
    ["id 0b9f4a3e-52f3-4f2f-8a0e-6f1f5cf4a1de", "id 5d8a2c1b-9e4f-4c3d-a1b2-c3d4e5f60718"],
    ["took 1.5 s", "took 12 s"],
    ["line\n  7", "line 8"],
  ];
  it("is the same for messages that differ in values, ids and numbers", () => {
    for (const [one, other] of same) {
      assert.strictEqual(normalizeMessage(one), normalizeMessage(other));
      assert.strictEqual(
        errorFingerprint({ ...traits, message: one }),
        errorFingerprint({ ...traits, message: other }),
      );
    }
  });

  it("differs by workflow, error, failed step and wording", () => {
    const all = [
      traits,
      { ...traits, workflow: "ImageRenditions" },
      { ...traits, tag: "CsvEmpty" },
      { ...traits, activity: "transform" },
      { ...traits, activity: undefined },
      { ...traits, message: "no quoted values" },
    ].map(errorFingerprint);
    assert.strictEqual(new Set(all).size, all.length);
    // Words of the letters a to f are no ids.
    assert.strictEqual(normalizeMessage("defaced feedback"), "defaced feedback");
  });
});
