/**
 * Goal: one text per JSON value, and never one text for two values.
 * Method: the RFC's own example, random JSON in random order, and what JSON.stringify confuses.
 */
import { assert, describe, it } from "@effect/vitest";
import * as fc from "fast-check";
import { canonicalHash, canonicalJson, parseJsonExact } from "../src/CanonicalJson.ts";

/** The same value with the members of all objects in the opposite order. */
const reversed = (value: unknown): unknown => {
  if (Array.isArray(value)) return value.map(reversed);
  if (typeof value !== "object" || value === null) return value;
  const members = Object.entries(value).toReversed();
  return Object.fromEntries(members.map(([key, member]) => [key, reversed(member)]));
};

describe("canonicalJson", () => {
  it("gives the text of the RFC's example", () => {
    // RFC 8785, section 3.2.2 and 3.2.3.
    const text = String.raw`{
      "numbers": [333333333.33333329, 1E30, 4.50, 2e-3, 0.000000000000000000000000001],
      "string": "\u20ac$\u000F\u000aA'\u0042\u0022\u005c\\\"\/",
      "literals": [null, true, false]
    }`;
    const value: unknown = JSON.parse(text);
    assert.strictEqual(
      canonicalJson(value),
      String.raw`{"literals":[null,true,false],"numbers":[333333333.3333333,1e+30,4.5,0.002,1e-27],"string":"€$\u000f\nA'B\"\\\\\"/"}`,
    );
  });

  it("sorts members by UTF-16 code unit", () => {
    // RFC 8785, section 3.2.3.
    const names = ["\u20ac", "\r", "\ufb33", "1", "\ud83d\ude00", "\u0080", "\u00f6"];
    const value = Object.fromEntries(names.map((name, index) => [name, index]));
    assert.strictEqual(
      canonicalJson(value),
      `{"\\r":1,"1":3,"\u0080":5,"\u00f6":6,"\u20ac":0,"\ud83d\ude00":4,"\ufb33":2}`,
    );
  });

  it("is the same for every order of members, and another one for every other value", () => {
    fc.assert(
      fc.property(fc.jsonValue(), fc.jsonValue(), (one, other) => {
        assert.strictEqual(canonicalJson(reversed(one)), canonicalJson(one));
        // What comes back from the text has the text again.
        assert.strictEqual(canonicalJson(JSON.parse(canonicalJson(one))), canonicalJson(one));
        const isSame = canonicalHash(one) === canonicalHash(other);
        assert.strictEqual(isSame, canonicalJson(one) === canonicalJson(other));
      }),
    );
  });

  it("refuses what would have the text of something else", () => {
    const opaque = [new Map([[1, 2]]), new Set([1]), /x/, new Error("x"), Promise.resolve(1)];
    for (const value of [...opaque, Number.NaN, Number.POSITIVE_INFINITY, () => 1, Symbol("x")]) {
      assert.throws(() => canonicalJson({ value }), "has no JSON form");
    }
    assert.notStrictEqual(canonicalJson(new Date(1)), canonicalJson(new Date(2)));
  });
});

describe("parseJsonExact", () => {
  it("keeps numbers that a double holds as they are, however they are written", () => {
    const text = `[0, -0, 1.50, 1e2, 0.1, -7, 9007199254740992, 1E30, 5e-324, 1.7976931348623157e308]`;
    const parsed = parseJsonExact(text);
    assert.deepStrictEqual(parsed, JSON.parse(text));
  });

  it("tells numbers apart that a double does not", () => {
    const pairs = [
      ["9007199254740992", "9007199254740993"],
      ["0.1", "0.10000000000000000555"],
      ["1e400", "1e401"],
      ["-123456789012345678901234567890", "-123456789012345678901234567891"],
      ["1e-400", "0"],
    ] as const;
    for (const [one, other] of pairs) {
      assert.strictEqual(JSON.stringify(JSON.parse(one)), JSON.stringify(JSON.parse(other)));
      const texts = [one, other].map((text) => canonicalJson(parseJsonExact(text)));
      assert.notStrictEqual(texts[0], texts[1]);
    }
  });

  it("a number has one text, with whatever zeros and exponent, and as a bigint too", () => {
    const same = ["9007199254740993", "9007199254740993.000", "9007199254740.993e3"];
    for (const text of same) {
      assert.strictEqual(canonicalJson(parseJsonExact(text)), "9007199254740993");
    }
    assert.strictEqual(canonicalJson(9007199254740993n), "9007199254740993");
    assert.strictEqual(canonicalJson(12300n), canonicalJson(12300));
    assert.strictEqual(canonicalJson(-12300n), canonicalJson(-12300));
    assert.strictEqual(canonicalJson(0n), canonicalJson(-0));
  });
});
