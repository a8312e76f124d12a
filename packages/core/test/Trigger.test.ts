/**
 * Goal: the rule outside and the test inside agree on every object, so that nothing is started that no rule names and
 * nothing delivered is thrown away.
 * Method: EventPattern, which speaks EventBridge's language, against `refusalOf`, by property.
 */
import { assert, describe, it } from "@effect/vitest";
import { EventPattern, refusalOf, toEventPattern, type Trigger } from "@millrace/core";
import { Effect } from "effect";
import * as fc from "fast-check";

const bucket = "stage-raw";

const eventText = (key: string, sizeBytes: number, bucketName = bucket) =>
  JSON.stringify({
    source: "aws.s3",
    "detail-type": "Object Created",
    detail: { bucket: { name: bucketName }, object: { key, size: sizeBytes } },
  });

const objectOf = (key: string, sizeBytes: number, bucketName = bucket) => ({
  bucket: bucketName,
  key,
  etag: "e",
  sizeBytes,
  sequencer: "s",
  eventEpochMs: 0,
});

/** What both say of an object. */
const bothSay = (trigger: Trigger, key: string, sizeBytes: number, bucketName?: string) => {
  const pattern = Effect.runSync(EventPattern.compile(toEventPattern(trigger, bucket)));
  return {
    rule: pattern.matches(eventText(key, sizeBytes, bucketName)),
    worker: refusalOf(trigger, bucket, objectOf(key, sizeBytes, bucketName)) === undefined,
  };
};

// Few characters, so that keys come close to triggers; among them those that wildcards give a meaning.
const piece = fc.string({
  unit: fc.constantFrom("a", "B", ".", "*", "\\", "?", "[", "é", "😀"),
  maxLength: 5,
});
const nonEmpty = piece.filter((text) => text !== "");
const size = fc.constantFrom(0, 1, 9, 10, 11, 1_000_000);

const isRange = ({ sizeBytesMax, sizeBytesMin }: Trigger) =>
  (sizeBytesMin ?? 0) <= (sizeBytesMax ?? Number.POSITIVE_INFINITY);

const triggers = fc
  .record({
    prefix: nonEmpty,
    suffix: nonEmpty,
    other: nonEmpty,
    sizeBytesMin: fc.option(size, { nil: undefined }),
    sizeBytesMax: fc.option(size, { nil: undefined }),
  })
  .map(({ other, prefix, sizeBytesMax, sizeBytesMin, suffix }) => {
    const bounds = {
      ...(sizeBytesMin !== undefined && { sizeBytesMin }),
      ...(sizeBytesMax !== undefined && { sizeBytesMax }),
    };
    return Object.assign(bounds, { bucket: "raw", prefix, suffixes: [suffix, other] as const });
  })
  .filter(isRange);

describe("a trigger", () => {
  it("agrees with its rule on every key and size", () => {
    fc.assert(
      fc.property(
        triggers,
        piece,
        piece,
        piece,
        size,
        fc.nat(6),
        (trigger, before, middle, after, sizeBytes, form) => {
          const { prefix, suffixes } = trigger;
          const key = [
            `${prefix}${middle}${suffixes[0]}`,
            `${prefix}${middle}${suffixes[1]}`,
            `${prefix}${middle}${suffixes[0].toUpperCase()}`,
            `${prefix.slice(0, -1)}${suffixes[0]}`,
            `${before}${prefix}${middle}${suffixes[0]}`,
            `${prefix}${middle}${suffixes[0]}${after}`,
            `${before}${middle}${after}`,
          ][form];
          const { rule, worker } = bothSay(trigger, key ?? "", sizeBytes);
          assert.strictEqual(worker, rule, key);
        },
      ),
      { numRuns: 2_000 },
    );
  });

  const csv: Trigger = { bucket: "raw", prefix: "incoming/", suffixes: [".csv"] };
  const cases: ReadonlyArray<readonly [string, string, number, boolean]> = [
    ["what begins and ends as it says", "incoming/a.csv", 1, true],
    ["its suffix in upper case", "incoming/A.CSV", 1, true],
    ["folders below its prefix", "incoming/2026/11/a.csv", 1, true],
    ["an empty object", "incoming/a.csv", 0, true],
    ["a name that is only the suffix", "incoming/.csv", 1, true],
    ["another suffix", "incoming/a.csv.gz", 1, false],
    ["another prefix", "Incoming/a.csv", 1, false],
    ["its prefix in the middle", "x/incoming/a.csv", 1, false],
  ];
  for (const [what, key, sizeBytes, taken] of cases) {
    it(`${taken ? "takes" : "refuses"} ${what}`, () => {
      assert.deepStrictEqual(bothSay(csv, key, sizeBytes), { rule: taken, worker: taken });
    });
  }

  it("refuses a key in which prefix and suffix overlap", () => {
    const trigger: Trigger = { bucket: "raw", prefix: "a/b.", suffixes: [".csv"] };
    assert.deepStrictEqual(bothSay(trigger, "a/b.csv", 1), { rule: false, worker: false });
  });

  it("refuses another bucket", () => {
    assert.deepStrictEqual(bothSay(csv, "incoming/a.csv", 1, "other"), {
      rule: false,
      worker: false,
    });
  });

  it("takes sizes between its bounds, bounds included", () => {
    const bounded: Trigger = { ...csv, sizeBytesMin: 10, sizeBytesMax: 20 };
    for (const [sizeBytes, taken] of [
      [9, false],
      [10, true],
      [20, true],
      [21, false],
    ] as const) {
      assert.deepStrictEqual(bothSay(bounded, "incoming/a.csv", sizeBytes), {
        rule: taken,
        worker: taken,
      });
    }
  });

  it("refuses a folder marker, though its rule lets one through", () => {
    const folders: Trigger = { bucket: "raw", prefix: "in/", suffixes: ["/"] };
    assert.strictEqual(refusalOf(folders, bucket, objectOf("in/x/", 0)), "a folder marker");
  });
});
