/**
 * Goal: a compressed file gives exactly what its text gives; a damaged one, or a bomb, ends with a typed failure after
 * bounded work.
 * Method: files made with zlib, whole and damaged at every byte.
 */
import { deflateRawSync, gzipSync } from "node:zlib";
import { assert, describe, it } from "@effect/vitest";
import { Effect } from "effect";
import { sniffCsv } from "../src/index.ts";
import { bytesOf, chunked, processedAtEpochMs, run } from "./support.ts";

const text = `id,date\n${Array.from({ length: 5000 }, (_, i) => `${i},2020-01-0${(i % 9) + 1}\n`).join("")}`;
const zipped = gzipSync(text);

describe("a gzip archive", () => {
  it.effect(
    "gives the bytes that its text gives, however it is chunked and whatever its name",
    () =>
      Effect.gen(function* () {
        const plain = yield* run(text);
        for (const size of [97, 1000, 1_000_000]) {
          const { file, report } = yield* run(chunked(zipped, size));
          assert.isTrue(Buffer.from(file).equals(plain.file));
          const { compressed, ...same } = report;
          assert.deepStrictEqual(same, plain.report);
          assert.deepStrictEqual(compressed, { compression: "gzip", bytes: zipped.length });
        }
      }),
  );

  it.effect("may be of several members", () =>
    Effect.gen(function* () {
      const halves = Buffer.concat([gzipSync("a,b\n1,"), gzipSync("2\n3,4\n")]);
      for (const size of [1, 5, 1000])
        assert.strictEqual((yield* run(chunked(halves, size))).report.rowsOut, 2);
    }),
  );

  it.effect("is looked into by the first look, also when that sees only its beginning", () =>
    Effect.gen(function* () {
      const options = { source: "raw/in", sourceFile: "raw/in", processedAtEpochMs };
      const whole = yield* sniffCsv(options, { first: zipped, bytes: zipped.length });
      const part = yield* sniffCsv(options, {
        first: zipped.subarray(0, 200),
        bytes: zipped.length,
      });
      assert.deepStrictEqual(part, whole);
      assert.deepStrictEqual(
        whole.columns.slice(0, 2).map(({ name }) => name),
        ["id", "date"],
      );
      const empty = gzipSync("");
      const failure = yield* Effect.flip(sniffCsv(options, { first: empty, bytes: empty.length }));
      assert.strictEqual(failure._tag, "CsvEmpty");
    }),
  );

  it.effect("that is cut short, flipped or followed by something else never passes", () =>
    Effect.gen(function* () {
      const small = gzipSync("a,b\n1,2\n3,4\n");
      for (let length = 2; length < small.length; length++) {
        const failure = yield* Effect.flip(run(small.subarray(0, length)));
        assert.strictEqual(failure._tag, "CsvNotInflatable", `cut at ${length}`);
      }
      // Method and reserved flags behind the magic, then the data and the check sums.
      for (const at of [
        2,
        ...Array.from({ length: small.length - 10 }, (_, index) => index + 10),
      ]) {
        const flipped = Buffer.from(small);
        flipped[at] = (flipped[at] ?? 0) ^ 0x41;
        const failure = yield* Effect.flip(run(flipped));
        assert.strictEqual(failure._tag, "CsvNotInflatable", `flipped at ${at}`);
      }
      const followed = yield* Effect.flip(run(Buffer.concat([small, bytesOf("5,6\n")])));
      assert.strictEqual(followed._tag, "CsvNotInflatable");
    }),
  );

  it.effect("in a gzip archive is no text", () =>
    Effect.gen(function* () {
      const failure = yield* Effect.flip(run(gzipSync(zipped)));
      assert.strictEqual(failure._tag, "CsvNotText");
    }),
  );

  it.effect("that holds more than the pipeline's limit ends there", () =>
    Effect.gen(function* () {
      const failure = yield* Effect.flip(run(zipped, { inflatedBytesMax: 10_000 }));
      assert(failure._tag === "CsvInflatesTooFar");
      assert.strictEqual(failure.failureClass, "permanent");
    }),
  );

  it.effect("that is a bomb ends long before it is inflated", () =>
    Effect.gen(function* () {
      // 4 GiB of rows in 4 MB: one deflated block of 1 MiB, again and again.
      const block = deflateRawSync(bytesOf("1,2\n".repeat(262_144)), { finishFlush: 2 });
      let given = 0;
      const bomb = {
        *[Symbol.iterator]() {
          yield gzipSync("a,b\n");
          yield Buffer.from([0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 3]);
          for (; given < 4096; given++) yield block;
        },
      };
      const failure = yield* Effect.flip(run(bomb));
      assert(failure._tag === "CsvInflatesTooFar");
      assert.isBelow(failure.bytesOut, 100 * 1024 * 1024);
      assert.isBelow(given, 200);
    }),
  );
});
