/**
 * Goal: renditions fit, keep what they should and lose what they must; whatever is no honest image is refused.
 * Method: fixtures made with sharp itself, three real PNGs, and hostile files made by hand.
 */
import { readFileSync } from "node:fs";
import { crc32, deflateSync } from "node:zlib";
import { fileURLToPath } from "node:url";
import { assert, describe, it } from "@effect/vitest";
import { Effect, Schema } from "effect";
import * as fc from "fast-check";
import sharp, { type Sharp } from "sharp";
import {
  boxName,
  ImageMetadata,
  renderRenditions,
  renditionBoxes,
  renditionKey,
  type RenditionType,
} from "../src/index.ts";

const source = "uploads/a.jpg";
const render = (bytes: Uint8Array) => renderRenditions(bytes, { source });
const failureOf = (bytes: Uint8Array | string) => Effect.flip(render(Buffer.from(bytes)));
const picture = (width: number, height: number, alpha = false) =>
  sharp({
    create: {
      width,
      height,
      channels: alpha ? 4 : 3,
      background: { r: 200, g: 30, b: 60, alpha: alpha ? 0.5 : 1 },
    },
  });
const make = (image: Sharp) => Effect.promise(() => image.toBuffer());
const inspect = (bytes: Uint8Array) => Effect.promise(() => sharp(bytes).metadata());

const pngChunk = (type: string, data: Uint8Array): Buffer => {
  const body = Buffer.concat([Buffer.from(type), data]);
  const frame = Buffer.alloc(8);
  frame.writeUInt32BE(data.length, 0);
  frame.writeUInt32BE(crc32(body), 4);
  return Buffer.concat([frame.subarray(0, 4), body, frame.subarray(4)]);
};

/** A valid PNG of one bit per pixel: huge to decode, tiny to send. */
const pngBomb = (side: number): Buffer => {
  const header = Buffer.alloc(13);
  header.writeUInt32BE(side, 0);
  header.writeUInt32BE(side, 4);
  header[8] = 1;
  const rows = deflateSync(Buffer.alloc((Math.ceil(side / 8) + 1) * side), { level: 9 });
  return Buffer.concat([
    Buffer.from("\x89PNG\r\n\x1a\n", "latin1"),
    pngChunk("IHDR", header),
    pngChunk("IDAT", rows),
    pngChunk("IEND", new Uint8Array()),
  ]);
};

const svg = (inside: string, attributes = 'width="300" height="100"') =>
  `<svg xmlns="http://www.w3.org/2000/svg" xmlns:xlink="http://www.w3.org/1999/xlink" ${attributes}>${inside}</svg>`;

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
      const failure = yield* failureOf(
        svg(`<defs><rect id="g0" width="1" height="1"/>${uses}</defs><use href="#g12"/>`),
      );
      assert.strictEqual(failure._tag, "ImageBroken");
    }),
  );
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
    const types: ReadonlyArray<RenditionType> = ["jpeg", "png", "gif", "webp"];
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
