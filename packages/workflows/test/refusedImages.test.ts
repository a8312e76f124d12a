/**
 * Goal: whatever is no honest image is refused with a typed failure, in bounded time and memory; nothing else happens.
 * Method: hostile files made by hand, honest ones cut and damaged.
 */
import { assert, describe, it } from "@effect/vitest";
import { Cause, Effect, Exit } from "effect";
import sharp from "sharp";
import { imageBytesMax, toFailure } from "../src/images/openImage.ts";
import { failureOf, make, pngBomb, render, source, svg } from "./imageFixtures.ts";

describe("refused", () => {
  it.effect("are an empty image, text under an image's name, and formats not on the list", () =>
    Effect.gen(function* () {
      assert.strictEqual((yield* failureOf(""))._tag, "ImageEmpty");
      for (const text of ["hello", "<html></html>", "%PDF-1.7", "II*\0\0\0\0\0", "BM\0\0\0\0"]) {
        const failure = yield* failureOf(text);
        assert.strictEqual(failure._tag, "ImageTypeUnsupported");
        assert.include(failure.message, source);
      }
    }),
  );

  it.effect("are truncated images of every format", () =>
    Effect.gen(function* () {
      const noise = Buffer.from(Array.from({ length: 300 * 300 * 3 }, (_, i) => (i * 7919) % 251));
      for (const type of ["jpeg", "png", "gif", "webp"] as const) {
        const whole = yield* make(
          sharp(noise, { raw: { width: 300, height: 300, channels: 3 } }).toFormat(type),
        );
        for (const length of [20, whole.length >> 1]) {
          const failure = yield* failureOf(whole.subarray(0, length));
          assert.strictEqual(failure._tag, "ImageBroken", `${type} of ${length} bytes`);
        }
      }
    }),
  );

  it.effect("or rendered, and nothing else, are images with bits turned over", () =>
    Effect.gen(function* () {
      const noise = Buffer.from(Array.from({ length: 120 * 90 * 3 }, (_, i) => (i * 7919) % 251));
      for (const type of ["jpeg", "png", "gif", "webp", "avif"] as const) {
        const image = sharp(noise, { raw: { width: 120, height: 90, channels: 3 } });
        const whole = yield* make(image.toFormat(type));
        for (let seed = 1; seed <= 40; seed++) {
          const damaged = Buffer.from(whole);
          for (let bit = 0; bit < 3; bit++) {
            const at = (seed * 2_654_435_761 + bit * 40_503) % damaged.length;
            damaged[at] = (damaged[at] ?? 0) ^ (1 << ((seed + bit) % 8));
          }
          const exit = yield* Effect.exit(render(damaged));
          if (Exit.isSuccess(exit)) assert.lengthOf(exit.value.renditions, 3);
          else assert.isTrue(Cause.hasFails(exit.cause), `${type}, seed ${seed}: a defect`);
        }
      }
    }),
  );

  it.effect("are files that are too large to be held, before they are looked at", () =>
    Effect.gen(function* () {
      const failure = yield* Effect.flip(render(Buffer.alloc(imageBytesMax + 1)));
      assert.strictEqual(failure._tag, "ImageFileTooLarge");
      assert.include(failure.message, source);
    }),
  );

  it("are images whose rendering takes for ever, by what sharp says then", () => {
    const failure = toFailure(source)(new Error("timeout: 42% complete"));
    assert.strictEqual(failure._tag, "ImageTooSlow");
  });

  it.effect(
    "are images of more than 50 megapixels, a 400-megapixel PNG of 50 KB first of all",
    () =>
      Effect.gen(function* () {
        for (const side of [20_000, 16_000, 7072]) {
          const bomb = pngBomb(side);
          assert.isBelow(bomb.length, 100_000);
          assert.strictEqual((yield* failureOf(bomb))._tag, "ImageTooLarge");
        }
        assert.strictEqual((yield* render(pngBomb(2000))).renditions.length, 3);
      }),
  );

  const hazards: ReadonlyArray<readonly [string, string]> = [
    ["entities", `<!DOCTYPE svg [<!ENTITY a "b">]>${svg("<text>&a;</text>")}`],
    ["a local image", svg('<image xlink:href="file:///etc/hostname" width="9" height="9"/>')],
    ["a relative image", svg('<image href="secret.png" width="9" height="9"/>')],
    [
      "an image hidden behind character references",
      svg('<image href="&#102;ile:///x" width="9" height="9"/>'),
    ],
    ["an embedded image", svg('<image href="data:image/png;base64,AAAA" width="9" height="9"/>')],
    ["a remote style", svg('<style>@import url("http://x/y.css");</style>')],
    ["a remote fill", svg('<rect fill="url(http://x/y#z)" width="9" height="9"/>')],
    ["a style sheet", `<?xml-stylesheet href="http://x/y.css"?>${svg("")}`],
    ["a script", svg("<script>1</script>")],
    ["another encoding", `<?xml version="1.0" encoding="UTF-7"?>${svg("")}`],
  ];
  for (const [name, text] of hazards) {
    it.effect(`is an SVG with ${name}`, () =>
      Effect.gen(function* () {
        assert.strictEqual((yield* failureOf(text))._tag, "SvgUnsafe");
      }),
    );
  }

  it.effect("are SVGs that blow up: too large on paper, or by references to references", () =>
    Effect.gen(function* () {
      assert.strictEqual(
        (yield* failureOf(svg("", 'width="100000" height="100000"')))._tag,
        "ImageTooLarge",
      );
      const uses = Array.from(
        { length: 12 },
        (_, level) => `<g id="g${level + 1}">${`<use href="#g${level}"/>`.repeat(10)}</g>`,
      ).join("");
      const bomb = svg(
        `<defs><rect id="g0" width="1" height="1"/>${uses}</defs><use href="#g12"/>`,
      );
      const circle = svg('<g id="a"><use href="#b"/></g><g id="b"><use href="#a"/></g>');
      const deep = svg(
        Array.from({ length: 20_000 }, (_, level) => `<g id="d${level}">`).join("") +
          "</g>".repeat(20_000),
      );
      for (const text of [bomb, circle, deep]) {
        assert.strictEqual((yield* failureOf(text))._tag, "SvgUnsafe");
      }
      const honest = Array.from({ length: 200 }, () => '<use href="#g0"/>').join("");
      const drawn = yield* render(
        Buffer.from(svg(`<defs><rect id="g0" width="9" height="9"/></defs>${honest}`)),
      );
      assert.lengthOf(drawn.renditions, 3);
    }),
  );
});
