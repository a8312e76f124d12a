/**
 * Goal: secrets, card numbers and unreadable texts do not leave in an error's message, and nothing else is touched.
 * Method: examples with and without; random texts, which must come through as they are.
 */
import { assert, describe, it } from "@effect/vitest";
import { Mask } from "@millrace/core";
import { assert as assertProperty, jsonValue, property } from "fast-check";

const card = "4111111111111111";

describe("a masked text", () => {
  const cards = [card, "4111 1111 1111 1111", "5555-5555-5555-4444", "378282246310005"];
  for (const number of cards) {
    it(`has no card number ${number}`, () => {
      assert.strictEqual(Mask.maskText(`pay ${number}, now`), "pay <card number>, now");
      assert.strictEqual(Mask.maskText(`"${number}"`), '"<card number>"');
    });
  }

  const kept = [
    ["a number with a wrong check digit", "4111111111111112"],
    ["milliseconds since 1970", "1790000000000"],
    ["a hash", `a${card}`],
    ["a longer number", `${card}${card}`],
    ["a decimal", `0.${card}`],
    ["an ETag", "d41d8cd98f00b204e9800998ecf8427e"],
  ] as const;
  for (const [what, text] of kept) {
    it(`still has ${what}`, () => assert.strictEqual(Mask.maskText(text), text));
  }

  it("has no secret that was read, in whatever form", () => {
    const secret = 'p"ss wörd/1';
    const forms = [
      secret,
      JSON.stringify({ secret }),
      encodeURIComponent(secret),
      Buffer.from(secret).toString("base64"),
    ];
    for (const form of forms) assert.strictEqual(Mask.maskText(form), form);
    Mask.learnSecret("vendor", secret);
    for (const form of forms) {
      assert.include(Mask.maskText(form), "<secret vendor>");
      assert.notInclude(Mask.maskText(form), "ss w");
    }
    assert.strictEqual(Mask.secretIn({ a: [secret] }), "vendor");
    assert.isUndefined(Mask.secretIn({ a: ["nothing"] }));
  });

  it("has nothing of what JSON.parse could not read", () => {
    const unreadable = [
      "canary",
      'canary "quoted" and more of it, up to the end',
      `${"[1,".repeat(30)}canary`,
      "\n\ncanary\nin lines",
      '"canary" canary',
    ];
    for (const text of unreadable) {
      let message = "";
      try {
        JSON.parse(text);
      } catch (error) {
        message = String(error);
      }
      assert.notInclude(Mask.maskText(message), "canar", message);
      assert.notInclude(Mask.maskText(JSON.stringify({ message })), "canar", message);
      assert.include(Mask.maskText(message), "SyntaxError");
    }
  });
});

describe("masked JSON", () => {
  it("stays JSON, with its numbers, names and depths", () => {
    const text = JSON.stringify({ a: Number(card), [card]: [{ b: `x ${card}` }], c: 1 });
    assert.deepStrictEqual(JSON.parse(Mask.maskJsonText(text)), {
      a: "<card number>",
      "<card number>": [{ b: "x <card number>" }],
      c: 1,
    });
  });

  it("is the same value when there is nothing to mask", () => {
    assertProperty(
      property(jsonValue({ maxDepth: 3 }), (json) => {
        assert.strictEqual(Mask.maskJson(json), json);
      }),
      { seed: 20_261_120, numRuns: 300 },
    );
  });
});
