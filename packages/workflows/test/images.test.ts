/**
 * Goal: renditions fit, keep what they should and lose what they must.
 * Method: fixtures made with sharp itself, and three real PNGs. What is refused: refusedImages.test.ts.
 */
import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { assert, describe, it } from "@effect/vitest";
import { Effect, Schema } from "effect";
import * as fc from "fast-check";
import sharp from "sharp";
import {
  boxName,
  ImageMetadata,
  renderRenditions,
  renditionBoxes,
  renditionKey,
  type RenditionType,
} from "../src/index.ts";
import { checkRenditions } from "../src/images/renditionTable.ts";
import { failureOf, inspect, make, picture, render, source, svg } from "./imageFixtures.ts";

describe("renditions", () => {
  it.effect("fit their boxes with the aspect ratio kept", () =>
    Effect.gen(function* () {
      const input = yield* make(picture(2000, 1000).jpeg());
      const { metadata, renditions } = yield* render(input);
      assert.deepStrictEqual(
        renditions.map(({ box, dimensions }) => [box, dimensions.width, dimensions.height]),
        [
          ["800x600", 800, 400],
          ["400x300", 400, 200],
          ["150x150", 150, 75],
        ],
      );
      for (const rendition of renditions) {
        const { format, height, width } = yield* inspect(rendition.bytes);
        assert.deepStrictEqual(
          { format, height, width },
          { format: "jpeg", ...rendition.dimensions },
        );
        assert.strictEqual(rendition.mimeType, "image/jpeg");
        assert.strictEqual(rendition.fileSize, rendition.bytes.length);
      }
      assert.deepStrictEqual(metadata.dimensions, { width: 2000, height: 1000 });
      assert.strictEqual(metadata.fileSize, input.length);
      const stored: unknown = JSON.parse(JSON.stringify(metadata));
      assert.deepStrictEqual(yield* Schema.decodeUnknownEffect(ImageMetadata)(stored), metadata);
    }),
  );

  it.effect("never enlarge", () =>
    Effect.gen(function* () {
      const { renditions } = yield* render(yield* make(picture(200, 40).png()));
      assert.deepStrictEqual(
        renditions.map((one) => [one.dimensions.width, one.dimensions.height]),
        [
          [200, 40],
          [200, 40],
          [150, 30],
        ],
      );
    }),
  );

  it.effect("keep the format, and the transparency of PNG and WebP", () =>
    Effect.gen(function* () {
      for (const type of ["png", "webp", "gif"] as const) {
        const { renditions } = yield* render(yield* make(picture(900, 900, true).toFormat(type)));
        for (const { bytes, mimeType } of renditions) {
          const { format, hasAlpha } = yield* inspect(bytes);
          assert.strictEqual(format, type);
          assert.strictEqual(mimeType, `image/${type}`);
          if (type !== "gif") assert.isTrue(hasAlpha);
        }
      }
    }),
  );

  it.effect("stand upright in all eight orientations, and carry no metadata", () =>
    Effect.gen(function* () {
      for (let orientation = 1; orientation <= 8; orientation++) {
        const exif = { IFD0: { Copyright: "me" }, IFD3: { GPSLatitudeRef: "N" } };
        const input = yield* make(
          picture(1000, 500).withExif(exif).withMetadata({ orientation }).jpeg(),
        );
        const { metadata, renditions } = yield* render(input);
        const turned = orientation > 4;
        assert.deepStrictEqual(
          metadata.dimensions,
          turned ? { width: 500, height: 1000 } : { width: 1000, height: 500 },
        );
        assert.deepStrictEqual(
          renditions[0]?.dimensions,
          turned ? { width: 300, height: 600 } : { width: 800, height: 400 },
        );
        const out = yield* inspect(renditions[0]?.bytes ?? new Uint8Array());
        assert.deepStrictEqual(
          [out.exif, out.icc, out.orientation],
          [undefined, undefined, undefined],
        );
      }
    }),
  );

  it.effect("show the first frame of an animation", () =>
    Effect.gen(function* () {
      const frames = yield* Effect.forEach(["red", "blue"], (background) =>
        make(sharp({ create: { width: 64, height: 48, channels: 3, background } }).png()),
      );
      const gif = yield* make(sharp(frames, { join: { animated: true } }).gif());
      const { renditions } = yield* render(gif);
      assert.deepStrictEqual(renditions[0]?.dimensions, { width: 64, height: 48 });
    }),
  );

  it.effect(
    "of an animation are WebPs with all frames and their times, where that is asked for",
    () =>
      Effect.gen(function* () {
        const frames = yield* Effect.forEach(["red", "lime", "blue"], (background) =>
          make(sharp({ create: { width: 640, height: 480, channels: 3, background } }).png()),
        );
        const delay = [100, 200, 300];
        const gif = yield* make(sharp(frames, { join: { animated: true } }).gif({ delay }));
        const { metadata, renditions } = yield* renderRenditions(gif, { source, frames: "all" });
        assert.deepStrictEqual(
          renditions.map(({ dimensions, type }) => [type, dimensions.width, dimensions.height]),
          [
            ["webp", 640, 480],
            ["webp", 400, 300],
            ["webp", 150, 112],
          ],
        );
        assert.deepStrictEqual(metadata.dimensions, { width: 640, height: 480 });
        for (const { bytes } of renditions) {
          const found = yield* Effect.promise(() => sharp(bytes, { animated: true }).metadata());
          assert.deepInclude(found, { pages: 3, delay });
        }
        // A still image stays what it is.
        const still = yield* renderRenditions(yield* make(picture(9, 9).png()), {
          source,
          frames: "all",
        });
        assert.strictEqual(still.renditions[0]?.type, "png");
      }),
  );

  it.effect(
    "are those of the table that is given: any boxes, another format, another quality",
    () =>
      Effect.gen(function* () {
        const noise = Buffer.from(Array.from({ length: 700 * 700 }, (_, i) => (i * 7919) % 251));
        const input = yield* make(
          sharp(noise, { raw: { width: 700, height: 700, channels: 1 } }).jpeg(),
        );
        const { renditions } = yield* renderRenditions(input, {
          source,
          boxes: [
            { width: 100, height: 500 },
            { width: 640, height: 640, type: "webp" },
            { width: 640, height: 640, type: "webp", quality: 10 },
          ],
        });
        assert.deepStrictEqual(
          renditions.map(({ box, dimensions, type }) => [box, type, dimensions.width]),
          [
            ["100x500", "jpeg", 100],
            ["640x640", "webp", 640],
            ["640x640", "webp", 640],
          ],
        );
        const [, fine, coarse] = renditions;
        assert.isBelow(coarse?.fileSize ?? 0, fine?.fileSize ?? 0);
      }),
  );

  it.effect("are refused where two of the table would be one object, or none", () =>
    Effect.gen(function* () {
      const box = { width: 640, height: 640 };
      const tables = [
        [box, box],
        [box, { ...box, quality: 10 }],
        [{ width: 0, height: 10 }],
        [{ ...box, quality: 101 }],
        [],
      ];
      for (const boxes of tables) {
        const failure = yield* Effect.flip(checkRenditions(boxes));
        assert.strictEqual(failure._tag, "RenditionTableInvalid");
      }
      yield* checkRenditions([box, { ...box, type: "webp" }]);
    }),
  );

  it.effect("of an AVIF are AVIFs, by its content and not by its name", () =>
    Effect.gen(function* () {
      const { metadata, renditions } = yield* render(
        yield* make(picture(1000, 500).avif({ effort: 0 })),
      );
      assert.strictEqual(metadata.mimeType, "image/avif");
      for (const { bytes, mimeType } of renditions) {
        assert.strictEqual(mimeType, "image/avif");
        assert.deepInclude(yield* inspect(bytes), { format: "heif", compression: "av1" });
      }
      const heic = Buffer.from("\0\0\0\x18ftypheic\0\0\0\0mif1heic", "latin1");
      assert.strictEqual((yield* failureOf(heic))._tag, "ImageTypeUnsupported");
    }),
  );

  it.effect("are sRGB of eight bits, whatever the colours come in", () =>
    Effect.gen(function* () {
      const red = sharp({ create: { width: 90, height: 60, channels: 3, background: "#ff0000" } });
      const inputs = [
        yield* make(red.clone().toColourspace("cmyk").jpeg()),
        yield* make(red.clone().withIccProfile("p3").png()),
        yield* make(
          sharp(yield* make(red.clone().png()))
            .toColourspace("rgb16")
            .png(),
        ),
      ];
      for (const input of inputs) {
        const { renditions } = yield* render(input);
        const out = renditions[0]?.bytes ?? new Uint8Array();
        assert.deepInclude(yield* inspect(out), {
          space: "srgb",
          depth: "uchar",
          hasProfile: false,
        });
        const [r = 0, g = 0, b = 0] = yield* Effect.promise(() =>
          sharp(out).removeAlpha().raw().toBuffer(),
        );
        assert.isTrue(r > 220 && g < 60 && b < 60, `red came out as ${r}, ${g}, ${b}`);
      }
    }),
  );

  it.effect("hold nothing of what hangs behind an image, or in its comments", () =>
    Effect.gen(function* () {
      const canary = "<script>canary-4711</script>PK\x03\x04";
      const tail = Buffer.from(canary, "latin1");
      for (const type of ["jpeg", "png", "gif", "webp"] as const) {
        const image = picture(300, 300).withExif({ IFD0: { ImageDescription: canary } });
        const polyglot = Buffer.concat([yield* make(image.toFormat(type)), tail]);
        for (const { bytes } of (yield* render(polyglot)).renditions) {
          assert.notInclude(Buffer.from(bytes).toString("latin1"), "canary-4711", type);
        }
      }
    }),
  );

  it.effect("of an SVG are PNGs", () =>
    Effect.gen(function* () {
      const { metadata, renditions } = yield* render(
        Buffer.from(
          `<?xml version="1.0"?><!-- x -->${svg('<defs><linearGradient id="g"/></defs><rect width="300" height="100" fill="url(#g)"/><use xlink:href="#g"/>')}`,
        ),
      );
      assert.strictEqual(metadata.mimeType, "image/svg+xml");
      assert.deepStrictEqual(
        renditions.map((one) => one.mimeType),
        ["image/png", "image/png", "image/png"],
      );
      assert.strictEqual((yield* inspect(renditions[0]?.bytes ?? new Uint8Array())).format, "png");
    }),
  );

  for (const name of ["7zip.png", "ffox.png", "gimp.png"]) {
    it.effect(`of the real ${name} are the same bytes in every run`, () =>
      Effect.gen(function* () {
        const path = fileURLToPath(
          import.meta.resolve(`../../../node_modules/vega-datasets/data/${name}`),
        );
        const input = readFileSync(path);
        const [one, two] = [yield* render(input), yield* render(input)];
        assert.isTrue(
          one.renditions.every((rendition, index) =>
            Buffer.from(rendition.bytes).equals(two.renditions[index]?.bytes ?? new Uint8Array()),
          ),
        );
      }),
    );
  }
});

describe("renditionKey", () => {
  const box = boxName(renditionBoxes[0] ?? { width: 0, height: 0 });
  it("keeps folders and extension", () => {
    assert.strictEqual(
      renditionKey({ key: "uploads/cats/a.JPG", box, type: "jpeg", prefix: "uploads/" }),
      "resized/800x600/cats/a.JPG",
    );
    assert.strictEqual(
      renditionKey({ key: "logo.svg", box, type: "png" }),
      "resized/800x600/logo.svg.png",
    );
    assert.strictEqual(box, "800x600");
  });

  it("never gives two inputs one output, whatever their names and formats", () => {
    const types: ReadonlyArray<RenditionType> = ["jpeg", "png", "gif", "webp", "avif"];
    const word = fc.constantFrom(
      "a",
      "b",
      "jpg",
      "jpeg",
      "JPG",
      "png",
      "svg",
      "gif",
      "webp",
      "avif",
      "file",
      "",
    );
    const key = fc
      .array(
        fc.array(word, { minLength: 1, maxLength: 4 }).map((words) => words.join(".")),
        { minLength: 1, maxLength: 3 },
      )
      .map((segments) => segments.join("/"));
    fc.assert(
      fc.property(
        key,
        fc.constantFrom(...types),
        key,
        fc.constantFrom(...types),
        (one, oneType, other, otherType) => {
          fc.pre(one !== other);
          assert.notStrictEqual(
            renditionKey({ key: one, box, type: oneType }),
            renditionKey({ key: other, box, type: otherType }),
          );
        },
      ),
      { numRuns: 10_000 },
    );
  });
});
