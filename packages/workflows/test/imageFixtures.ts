/** Pictures and hostile files for the tests of images. */
import { crc32, deflateSync } from "node:zlib";
import { Effect } from "effect";
import sharp, { type Sharp } from "sharp";
import { renderRenditions } from "../src/index.ts";

export const source = "uploads/a.jpg";
export const render = (bytes: Uint8Array) => renderRenditions(bytes, { source });
export const failureOf = (bytes: Uint8Array | string) => Effect.flip(render(Buffer.from(bytes)));
export const picture = (width: number, height: number, alpha = false) =>
  sharp({
    create: {
      width,
      height,
      channels: alpha ? 4 : 3,
      background: { r: 200, g: 30, b: 60, alpha: alpha ? 0.5 : 1 },
    },
  });
export const make = (image: Sharp) => Effect.promise(() => image.toBuffer());
export const inspect = (bytes: Uint8Array) => Effect.promise(() => sharp(bytes).metadata());

const pngChunk = (type: string, data: Uint8Array): Buffer => {
  const body = Buffer.concat([Buffer.from(type), data]);
  const frame = Buffer.alloc(8);
  frame.writeUInt32BE(data.length, 0);
  frame.writeUInt32BE(crc32(body), 4);
  return Buffer.concat([frame.subarray(0, 4), body, frame.subarray(4)]);
};

/** A valid PNG of one bit per pixel: huge to decode, tiny to send. */
export const pngBomb = (side: number): Buffer => {
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

export const svg = (inside: string, attributes = 'width="300" height="100"') =>
  `<svg xmlns="http://www.w3.org/2000/svg" xmlns:xlink="http://www.w3.org/1999/xlink" ${attributes}>${inside}</svg>`;
