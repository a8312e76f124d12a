/**
 * Snappy by snappyjs, into one buffer that is used again: a page's bytes are copied to the file's at once, and a new buffer for
 * each page was most of what a pass allocated.
 */
import library from "snappyjs/snappy_compressor.js";

const outputFirst = 64 * 1024;
/** One page of a long text does not keep its buffer for good. */
const outputKeptMax = 4 * 1024 * 1024;

let output = new Uint8Array(outputFirst);

/** Compresses a page. The result is a view that holds until the next call. */
export const compressSnappy = (input: Uint8Array): Uint8Array => {
  const compressor = new library.SnappyCompressor(input);
  const bytesMax = compressor.maxCompressedLength();
  const target =
    bytesMax <= output.length ? output : new Uint8Array(Math.max(bytesMax, output.length * 2));
  if (target.length <= outputKeptMax) output = target;
  return target.subarray(0, compressor.compressToBuffer(target));
};
