/**
 * Goal: EventPattern answers as AWS's own matcher does.
 *
 * Method: a table of pattern, event and AWS's answer (fixtures/eventPatterns.json; the answers are those of
 * aws/event-ruler 2.0.1), further claims about what the table does not reach, and properties over generated events.
 */
import { assert, describe, it } from "@effect/vitest";
import { EventPattern } from "@millrace/core";
import { Effect, Schema } from "effect";
import * as fc from "fast-check";
import { readFileSync } from "node:fs";

const Case = Schema.Struct({
  category: Schema.String,
  title: Schema.String,
  pattern: Schema.String,
  event: Schema.optionalKey(Schema.String),
  expected: Schema.Literals(["match", "no match", "refused"]),
});
type Case = typeof Case.Type;

const cases = Schema.decodeSync(Schema.fromJsonString(Schema.Array(Case)))(
  readFileSync(new URL("fixtures/eventPatterns.json", import.meta.url), "utf8"),
);

const answer = (pattern: string, event: string) =>
  EventPattern.compile(pattern).pipe(
    Effect.map(({ matches }) => (matches(event) ? "match" : "no match")),
    Effect.catchTag("InvalidEventPattern", () => Effect.succeed("refused")),
  );

const matches = (pattern: unknown, event: unknown) =>
  Effect.runSync(EventPattern.compile(JSON.stringify(pattern))).matches(JSON.stringify(event));

const byCategory: ReadonlyMap<string, ReadonlyArray<Case>> = Map.groupBy(
  cases,
  (one) => one.category,
);

describe("the table of AWS's answers", () => {
  for (const [category, members] of byCategory) {
    it.effect(`${category}: ${members.length} cases`, () =>
      Effect.forEach(members, ({ title, pattern, event = "{}", expected }) =>
        Effect.map(answer(pattern, event), (given) =>
          assert.strictEqual(given, expected, `${title}: ${pattern} against ${event}`),
        ),
      ),
    );
  }
});

const row = (title: string, pattern: string, event: string, expected: Case["expected"]) => ({
  title,
  pattern,
  event,
  expected,
});

const claims: ReadonlyArray<ReturnType<typeof row>> = [
  row(
    "a key repeated in a matcher is two operators",
    '{"a":[{"prefix":"x","prefix":"y"}]}',
    "{}",
    "refused",
  ),
  row(
    "a range whose bounds meet is refused",
    '{"a":[{"numeric":[">=",5,"<=",5]}]}',
    "{}",
    "refused",
  ),
  row(
    "a numeric bound beyond double precision is refused",
    '{"a":[{"numeric":[">",9007199254740993]}]}',
    "{}",
    "refused",
  ),
  row(
    "anything-but a number beyond double range is refused",
    '{"a":[{"anything-but":1e400}]}',
    "{}",
    "refused",
  ),
  row("an empty anything-but list is refused", '{"a":[{"anything-but":[]}]}', "{}", "refused"),
  row("text after the pattern is refused", '{"a":["x"]} x', "{}", "refused"),
  row("a trailing comma is refused", '{"a":["x",]}', "{}", "refused"),
  row("a control character in a string is refused", '{"a":["\u0001"]}', "{}", "refused"),
  row("one branch in $or is refused", '{"$or":[{"a":["x"]}]}', "{}", "refused"),
  row(
    "an operator's name below a field inside $or is refused",
    '{"$or":[{"a":{"prefix":["x"]}},{"b":["y"]}]}',
    "{}",
    "refused",
  ),
  row("an IPv6 mask of 128 is refused", '{"a":[{"cidr":"2001:db8::/128"}]}', "{}", "refused"),
  row(
    "an IPv6 block holds its addresses",
    '{"a":[{"cidr":"2001:db8::/33"}]}',
    '{"a":"2001:db8:7fff::1"}',
    "match",
  ),
  row(
    "an IPv6 block ends where its mask says",
    '{"a":[{"cidr":"2001:db8::/33"}]}',
    '{"a":"2001:db8:8000::1"}',
    "no match",
  ),
  row(
    "an IPv4-mapped address is the IPv4 address",
    '{"a":["1.2.3.4"]}',
    '{"a":"::ffff:102:304"}',
    "match",
  ),
  row(
    "a field repeated inside $or replaces the outer test",
    '{"a":["x"],"$or":[{"a":["y"]},{"b":[1]}]}',
    '{"a":"y"}',
    "match",
  ),
  row(
    "a field after $or replaces the test of its branches",
    '{"$or":[{"a":["y"]},{"b":[1]}],"a":["x"]}',
    '{"a":"y"}',
    "no match",
  ),
  row(
    "absence is judged in the chosen element when its name sorts later",
    '{"i":{"a":[1],"z":[{"exists":false}]}}',
    '{"i":[{"a":1},{"a":2,"z":1}]}',
    "match",
  ),
  row(
    "absence is judged in the whole array when its name sorts first",
    '{"i":{"z":[1],"a":[{"exists":false}]}}',
    '{"i":[{"z":1},{"z":2,"a":1}]}',
    "no match",
  ),
  row(
    "keys that look like numbers keep their order",
    '{"$or":[{"2":["x"]},{"1":["y"]}],"2":["z"]}',
    '{"2":"z"}',
    "match",
  ),
  row(
    "a case-insensitive ß may be written SS",
    '{"a":[{"equals-ignore-case":"straße"}]}',
    '{"a":"STRASSE"}',
    "match",
  ),
  row(
    "anything-but suffix lists exclude each",
    '{"a":[{"anything-but":{"suffix":["x","y"]}}]}',
    '{"a":"by"}',
    "no match",
  ),
  row(
    "an array of arrays keeps its elements apart",
    '{"a":{"x":[1],"y":[2]}}',
    '{"a":[[{"x":1},{"y":2}]]}',
    "no match",
  ),
  row("text that is no object matches nothing", '{"a":[{"exists":false}]}', "[]", "no match"),
  row("text that is no JSON matches nothing", '{"a":[{"exists":false}]}', "{", "no match"),
];

describe("what the table leaves open", () => {
  it.effect.each(claims)("$title", ({ pattern, event, expected }) =>
    Effect.map(answer(pattern, event), (given) => assert.strictEqual(given, expected)),
  );

  it.effect("a refusal names the field and the reason", () =>
    Effect.gen(function* () {
      const pattern = '{"detail":{"object":{"key":[{"prefix":1}]}}}';
      const error = yield* Effect.flip(EventPattern.compile(pattern));
      assert.strictEqual(error._tag, "InvalidEventPattern");
      assert.strictEqual(error.message, "detail.object.key: prefix takes a string");
    }),
  );

  it.effect("$or that multiplies beyond a thousand combinations is refused at once", () => {
    const choice = '"$or":[{"a":["x"]},{"b":["y"]}]';
    const pattern = `{${Array.from({ length: 60 }, () => choice).join(",")}}`;
    return Effect.map(answer(pattern, "{}"), (given) => assert.strictEqual(given, "refused"));
  });

  it.effect("nesting deeper than a thousand levels is refused, not a stack overflow", () =>
    Effect.map(answer('{"a":'.repeat(200_000), "{}"), (given) =>
      assert.strictEqual(given, "refused"),
    ),
  );
});

/** Operations are counted in size, not in time: each of these would run for hours with backtracking. */
describe("hostile patterns and events", () => {
  it("a wildcard of many stars against a long near miss ends", () => {
    const pattern = { a: [{ wildcard: `${"a*".repeat(900)}b` }] };
    assert.isFalse(matches(pattern, { a: "a".repeat(500_000) }));
  });

  it("an array of 50,000 objects is joined by element, not pair by pair", () => {
    const items = Array.from({ length: 50_000 }, (_, n) => ({ a: 1, rows: [{ b: n }], z: 1 }));
    assert.isTrue(matches({ items: { a: [1], rows: { b: [49_999] }, z: [1] } }, { items }));
    assert.isFalse(matches({ items: { a: [1], rows: { b: [50_000] }, z: [1] } }, { items }));
    assert.isFalse(matches({ items: { a: [1], n: [{ exists: false }], z: [2] } }, { items }));
  });

  it("many independent arrays are not combined with each other", () => {
    const names = Array.from({ length: 12 }, (_, index) => `f${index}`);
    const pattern = Object.fromEntries(names.map((name) => [name, { x: [1] }]));
    const event = Object.fromEntries(
      names.map((name) => [name, Array.from({ length: 300 }, () => ({ x: 1 }))]),
    );
    assert.isTrue(matches(pattern, event));
    assert.isFalse(matches({ ...pattern, z: [1] }, event));
  });
});

const word = fc.string({ maxLength: 12 });
const letters = fc.string({ unit: fc.constantFrom("a", "b", "c"), maxLength: 14 });

describe("properties", () => {
  it("prefix, suffix and exact values agree with the text itself", () => {
    fc.assert(
      fc.property(word, word, (part, text) => {
        fc.pre(!/^[0-9a-fA-F:.]+$/.test(part + text) && part.isWellFormed() && text.isWellFormed());
        assert.strictEqual(matches({ a: [text] }, { a: text }), true);
        assert.strictEqual(matches({ a: [{ prefix: text }] }, { a: text + part }), true);
        assert.strictEqual(matches({ a: [{ suffix: text }] }, { a: part + text }), true);
        assert.strictEqual(matches({ a: [{ "anything-but": part }] }, { a: text }), part !== text);
      }),
    );
  });

  it("wildcards agree with the regular expression that they stand for", () => {
    const pieces = fc.array(
      fc.string({ unit: fc.constantFrom("a", "b"), minLength: 1, maxLength: 3 }),
      {
        minLength: 1,
        maxLength: 4,
      },
    );
    fc.assert(
      fc.property(pieces, fc.boolean(), letters, (parts, open, text) => {
        const wildcard = parts.join("*") + (open ? "*" : "");
        const expected = new RegExp(`^${wildcard.replaceAll("*", ".*")}$`).test(text);
        assert.strictEqual(matches({ a: [{ wildcard }] }, { a: text }), expected);
      }),
    );
  });

  it("numeric ranges agree with comparison", () => {
    const number = fc.double({ noNaN: true, noDefaultInfinity: true });
    fc.assert(
      fc.property(number, number, (bound, value) => {
        assert.strictEqual(
          matches({ a: [{ numeric: [">", bound] }] }, { a: value }),
          value > bound,
        );
        assert.strictEqual(
          matches({ a: [{ numeric: ["<=", bound] }] }, { a: value }),
          value <= bound,
        );
      }),
    );
  });

  it("two fields of an array match exactly when one element has both", () => {
    const element = fc.record({
      x: fc.integer({ min: 0, max: 2 }),
      y: fc.integer({ min: 0, max: 2 }),
    });
    fc.assert(
      fc.property(fc.array(element), (items) => {
        assert.strictEqual(
          matches({ items: { x: [1], y: [2] } }, { items }),
          items.some(({ x, y }) => x === 1 && y === 2),
        );
      }),
    );
  });

  it("nested arrays agree with choosing elements by hand", () => {
    const bit = fc.integer({ min: 0, max: 1 });
    const rows = fc.array(fc.record({ x: bit, y: bit }), { maxLength: 3 });
    const items = fc.array(fc.record({ a: bit, rows, z: bit }), { maxLength: 4 });
    fc.assert(
      fc.property(items, (items) => {
        const pattern = { items: { a: [1], rows: { x: [1], y: [0] }, z: [1] } };
        const expected = items.some(
          ({ a, rows, z }) => a === 1 && z === 1 && rows.some(({ x, y }) => x === 1 && y === 0),
        );
        assert.strictEqual(matches(pattern, { items }), expected);
      }),
    );
  });

  it("no text makes compile or matches throw", () => {
    fc.assert(
      fc.property(fc.oneof(fc.string(), fc.json()), fc.json(), (pattern, event) => {
        const given = Effect.runSync(answer(pattern, event));
        assert.include(["match", "no match", "refused"], given);
      }),
    );
  });
});
