/**
 * Goal: a bad image ends with a typed error, a dead letter, a quarantined copy and a record that says
 * why.
 * Method: each through the whole system, over the real clients.
 */
import { crc32, deflateSync } from "node:zlib";
import { GetCommand } from "@aws-sdk/lib-dynamodb";
import { assert, layer } from "@effect/vitest";
import { localBuckets, localTables } from "@millrace/local";
import { pipelines } from "@millrace/workflows/topology";
import { Effect, Schema } from "effect";
import sharp from "sharp";
import { layerLocalWorld, LocalWorld } from "./LocalWorld.ts";
import { openTerminal } from "./operatorWorld.ts";

const Failed = Schema.Array(Schema.Struct({ error: Schema.Struct({ _tag: Schema.String }) }));
const decodeFailed = Schema.decodeUnknownEffect(Failed);
const Reason = Schema.fromJsonString(
  Schema.Struct({ error: Schema.String, copied: Schema.Boolean }),
);
const decodeReason = Schema.decodeUnknownEffect(Reason);

const text = (bytes: Uint8Array) => Buffer.from(bytes).toString("utf8");

const pngChunk = (type: string, data: Uint8Array): Buffer => {
  const body = Buffer.concat([Buffer.from(type), data]);
  const length = Buffer.alloc(4);
  const checksum = Buffer.alloc(4);
  length.writeUInt32BE(data.length);
  checksum.writeUInt32BE(crc32(body));
  return Buffer.concat([length, body, checksum]);
};

/** A valid PNG of one bit per pixel: huge to decode, tiny to send. */
const pngBomb = (side: number): Buffer => {
  const header = Buffer.alloc(13);
  header.writeUInt32BE(side, 0);
  header.writeUInt32BE(side, 4);
  header[8] = 1;
  return Buffer.concat([
    Buffer.from("\x89PNG\r\n\x1a\n", "latin1"),
    pngChunk("IHDR", header),
    pngChunk("IDAT", deflateSync(Buffer.alloc((Math.ceil(side / 8) + 1) * side), { level: 9 })),
    pngChunk("IEND", new Uint8Array()),
  ]);
};

/** A picture that does not compress, so that half of its file is half of the picture. */
const photo = (type: "jpeg" | "png") =>
  Effect.promise(() =>
    sharp({
      create: {
        width: 640,
        height: 480,
        channels: 3,
        background: "teal",
        noise: { type: "gaussian", mean: 128, sigma: 40 },
      },
    })
      .toFormat(type)
      .toBuffer(),
  );

const safeSvg =
  '<svg xmlns="http://www.w3.org/2000/svg" width="300" height="100"><rect width="300" height="100" fill="red"/></svg>';
const hostileSvg =
  '<?xml version="1.0"?><!DOCTYPE svg [<!ENTITY x SYSTEM "file:///etc/passwd">]><svg xmlns="http://www.w3.org/2000/svg" width="9" height="9"><text>&x;</text></svg>';

/** Ten to the twelfth rectangles, in two kilobytes. */
const svgBomb = (): Buffer => {
  const levels = Array.from(
    { length: 12 },
    (_, level) => `<g id="g${level + 1}">${`<use href="#g${level}"/>`.repeat(10)}</g>`,
  );
  return Buffer.from(
    `<svg xmlns="http://www.w3.org/2000/svg" width="9" height="9"><defs><rect id="g0" width="1" height="1"/>${levels.join("")}</defs><use href="#g12"/></svg>`,
  );
};

const zip = Buffer.from("PK\x05\x06".padEnd(22, "\0"), "latin1");

const Listed = Schema.Struct({
  images: Schema.Array(
    Schema.Struct({
      imageId: Schema.String,
      status: Schema.String,
      reason: Schema.optionalKey(Schema.String),
      sizes: Schema.Array(Schema.Struct({ key: Schema.String })),
    }),
  ),
});
const decodeListed = Schema.decodeUnknownEffect(Listed);

const world = layerLocalWorld({ timeoutSeconds: 30 });

layer(world, { timeout: "60 seconds", excludeTestServices: true })("an image", (it) => {
  const refused: ReadonlyArray<readonly [string, string, string, Effect.Effect<Uint8Array>]> = [
    ["of 0 bytes", "empty.png", "ImageEmpty", Effect.succeed(new Uint8Array())],
    [
      "that is a truncated JPEG",
      "half.jpg",
      "ImageBroken",
      Effect.map(photo("jpeg"), (whole) => whole.subarray(0, whole.length / 2)),
    ],
    [
      "that is a truncated PNG",
      "half.png",
      "ImageBroken",
      Effect.map(photo("png"), (whole) => whole.subarray(0, whole.length / 2)),
    ],
    ["of 400 megapixels", "huge.png", "ImageTooLarge", Effect.sync(() => pngBomb(20_000))],
    ["that is a hostile SVG", "xxe.svg", "SvgUnsafe", Effect.succeed(Buffer.from(hostileSvg))],
    ["that is an SVG bomb", "bomb.svg", "SvgUnsafe", Effect.sync(svgBomb)],
    ["that is an archive", "zip.png", "ImageTypeUnsupported", Effect.succeed(zip)],
    ["that is text", "text.jpg", "ImageTypeUnsupported", Effect.succeed(Buffer.from("hello"))],
  ];
  for (const [what, name, tag, source] of refused) {
    it.effect(`${what} is refused as ${tag}, quarantined, dead-lettered and recorded`, () =>
      Effect.gen(function* () {
        const { clients, letters: allLetters, process, read, versions } = yield* LocalWorld;
        const bytes = yield* source;
        const key = `images/bad/${name}`;
        const { row, uploaded } = yield* process(key, bytes);
        assert.strictEqual(row.status, "failed");
        const [failure] = yield* decodeFailed(row.result);
        assert.strictEqual(failure?.error._tag, tag);

        const letters = yield* allLetters(
          pipelines.imageRenditions,
          ({ subject }) => subject === uploaded.subject,
        );
        assert.lengthOf(letters, 1);
        assert.strictEqual(letters[0]?.cause.tag, tag);
        assert.include(letters[0]?.cause.message, uploaded.subject);

        const quarantined = `${key}.${uploaded.versionId}`;
        const copy = yield* read(localBuckets.errors, quarantined);
        assert.isTrue(Buffer.from(bytes).equals(copy.bytes));
        const document = yield* read(localBuckets.errors, `${quarantined}.reason.json`);
        assert.deepStrictEqual(yield* decodeReason(text(document.bytes)), {
          error: tag,
          copied: true,
        });

        const { Item } = yield* Effect.promise(() =>
          clients.documents.send(
            new GetCommand({ TableName: localTables.images, Key: { imageId: key } }),
          ),
        );
        assert.deepInclude(Item, { status: "failed", sizes: [] });
        assert.include(Item?.["reason"], uploaded.subject);
        const outputs = yield* versions(localBuckets.clean);
        assert.deepStrictEqual(
          outputs.filter((output) => output.key.includes("/bad/")),
          [],
        );
      }),
    );
  }

  it.effect("that is an honest SVG is rendered as PNG", () =>
    Effect.gen(function* () {
      const { process, read } = yield* LocalWorld;
      const { row } = yield* process("images/logo.svg", safeSvg);
      assert.strictEqual(row.status, "completed");
      const { bytes, contentType } = yield* read(
        localBuckets.clean,
        "resized/150x150/logo.svg.png",
      );
      assert.strictEqual(contentType, "image/png");
      const found = yield* Effect.promise(() => sharp(bytes).metadata());
      assert.deepInclude(found, { format: "png", width: 150, height: 50 });
    }),
  );

  it.effect("is found again by its status, and by its key", () =>
    Effect.gen(function* () {
      const { process } = yield* LocalWorld;
      const { run, text } = yield* openTerminal;
      yield* process("images/found.svg", safeSvg);
      yield* process("images/lost.svg", hostileSvg);
      const failed = yield* Effect.flatMap(run("images", "--status", "failed"), decodeListed);
      const lost = failed.images.find(({ imageId }) => imageId === "images/lost.svg");
      assert.include(lost?.reason, "it declares entities");
      assert.isTrue(failed.images.every(({ status }) => status === "failed"));
      const processed = yield* Effect.flatMap(run("images", "--limit", "1"), decodeListed);
      assert.deepStrictEqual(
        processed.images.map(({ imageId }) => imageId),
        ["images/found.svg"],
      );
      const one = yield* Effect.flatMap(run("images", "images/found.svg"), decodeListed);
      assert.lengthOf(one.images[0]?.sizes ?? [], 3);
      const unknown = yield* text("images", "images/nobody.png");
      assert.strictEqual(unknown.code, 1);
      assert.include(unknown.err, "there is no record of images/nobody.png");
    }),
  );
});
