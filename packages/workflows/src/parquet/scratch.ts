/**
 * Memory of the page that is being made, used again for the next one: pages are made one after another, at once, and their
 * bytes are copied to the file's.
 */
import { ByteWriter } from "hyparquet-writer";

/** So many numbers of rows without a limit of their own are not kept. */
const keptRowsMax = 256 * 1024;

let numbers = new Int32Array(1_024);
let flags = new Uint8Array(1_024);

/** Room for so many numbers, which holds until the next call. */
export const scratchNumbers = (length: number): Int32Array => {
  if (length <= numbers.length) return numbers;
  const larger = new Int32Array(length);
  if (length <= keptRowsMax) numbers = larger;
  return larger;
};

/** Room for so many bytes, which holds until the next call. */
export const scratchBytes = (length: number): Uint8Array => {
  if (length <= flags.length) return flags;
  const larger = new Uint8Array(length);
  if (length <= keptRowsMax) flags = larger;
  return larger;
};

/** A writer that can be emptied. */
export const makeScratchWriter = () => {
  let writer = new ByteWriter();
  return (): ByteWriter => {
    if (writer.view.byteLength > keptRowsMax * 4) writer = new ByteWriter();
    writer.index = 0;
    writer.offset = 0;
    return writer;
  };
};
