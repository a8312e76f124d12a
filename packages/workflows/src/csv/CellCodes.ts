/**
 * Numbers the different cells of a column in a row group, in the order of their first appearance, by their bytes.
 *
 * A hash table over one block of bytes: a cell that is known costs a comparison, and no string is ever made. The block is
 * what Parquet's encoder writes (PackedTexts).
 */
import { type PackedTexts, textPerRow } from "../parquet/PackedTexts.ts";
import { keptBytesMax, Lent, lentBytesMin } from "./Lent.ts";
import type { RecordCells } from "./RecordCells.ts";
import type { RowsTaken } from "./RowCodes.ts";

const lengthBytes = 4;
/** Small, as a file may have 10,000 columns. */
const bytesFirst = 256;
const codesFirst = 32;
/** Below this, copying byte by byte is faster than a call. */
const shortBytes = 24;

const twice = (numbers: Int32Array): Int32Array<ArrayBuffer> => {
  const larger = new Int32Array(numbers.length * 2);
  larger.set(numbers);
  return larger;
};

const slotOf = (hash: number, mask: number): number =>
  // FNV is poor in its low bits.
  (Math.imul(hash ^ (hash >>> 15), 0x9e3779b1) >>> 7) & mask;

/**
 * Steps of one search. Cells in disorder need a few; cells made to collide would need as many as there are, and then
 * searching ends.
 */
const stepsMax = 256;

/** Cells of one column and their codes. */
export class CellCodes {
  /** Different cells so far. */
  count = 0;
  /** Set when searching is of no use any more: the cells collide. */
  crowded = false;
  #bytes: Buffer = Buffer.allocUnsafe(bytesFirst);
  #used = 0;
  #ends = new Int32Array(codesFirst);
  readonly #lentBytes = new Lent<Buffer>();
  readonly #lentEnds = new Lent<Int32Array<ArrayBuffer>>();
  /** Of the cells that were looked for, not of those that were only added. */
  #hashes = new Int32Array(codesFirst);
  /** Codes plus one, by hash; 0 where there is none. At most half of it is used. */
  #table = new Int32Array(codesFirst * 2);

  /** The code of a cell that is not null. */
  of(cells: RecordCells, index: number): number {
    if (this.count * 2 >= this.#table.length) this.#growTable();
    const table = this.#table;
    const hash = cells.hashes[index] ?? 0;
    const source = cells.source(index);
    const from = cells.starts[index] ?? 0;
    const to = cells.ends[index] ?? 0;
    const mask = table.length - 1;
    let slot = slotOf(hash, mask);
    for (let steps = 0; steps < stepsMax; steps += 1) {
      const code = (table[slot] ?? 0) - 1;
      if (code === -1) {
        table[slot] = this.count + 1;
        if (this.count === this.#hashes.length) this.#hashes = twice(this.#hashes);
        this.#hashes[this.count] = hash;
        return this.#append(source, from, to);
      }
      if (this.#hashes[code] === hash && this.#isText(code, source, from, to)) return code;
      slot = (slot + 1) & mask;
    }
    this.crowded = true;
    return this.#append(source, from, to);
  }

  /** A code of its own for a cell, whether it is known or not. */
  add(cells: RecordCells, index: number): number {
    const [from, to] = [cells.starts[index] ?? 0, cells.ends[index] ?? 0];
    return this.#append(cells.source(index), from, to);
  }

  /** The cells that rows hold, until they are released; then all cells are forgotten. */
  take({ codes, release: releaseCodes }: RowsTaken): PackedTexts {
    const [bytes, ends] = [this.#bytes, this.#ends];
    const lendsBytes = this.#used >= lentBytesMin;
    const lendsEnds = this.count * 4 >= lentBytesMin;
    const taken: PackedTexts = {
      kind: "packed",
      bytes: lendsBytes
        ? bytes.subarray(0, this.#used)
        : Buffer.from(bytes.subarray(0, this.#used)),
      ends: lendsEnds ? ends.subarray(0, this.count) : ends.slice(0, this.count),
      codes,
      ...((lendsBytes || lendsEnds || releaseCodes !== undefined) && {
        release: () => {
          releaseCodes?.();
          if (lendsBytes) this.#lentBytes.back(bytes);
          if (lendsEnds) this.#lentEnds.back(ends);
        },
      }),
    };
    if (lendsBytes) this.#bytes = this.#lentBytes.next(() => Buffer.allocUnsafe(bytesFirst));
    if (lendsEnds) this.#ends = this.#lentEnds.next(() => new Int32Array(codesFirst));
    this.clear();
    return taken;
  }

  /** Gives each row a code of its own, in their order: for a column whose cells do not repeat. From then on cells are only added. */
  spread(codes: Int32Array): void {
    const spread = textPerRow({ kind: "packed", bytes: this.#bytes, ends: this.#ends, codes });
    codes.set(spread.codes);
    this.#used = 0;
    this.#reserve(spread.bytes.length);
    this.#bytes.set(spread.bytes);
    this.#used = spread.bytes.length;
    this.count = spread.ends.length;
    while (this.#ends.length <= this.count) this.#growEnds();
    this.#ends.set(spread.ends);
  }

  /** Forgets all cells. */
  clear(): void {
    this.count = 0;
    this.#used = 0;
    this.crowded = false;
    this.#table.fill(0);
    if (this.#bytes.length > keptBytesMax) this.#bytes = Buffer.allocUnsafe(bytesFirst);
  }

  #isText(code: number, source: Buffer, from: number, to: number): boolean {
    const bytes = this.#bytes;
    const start = (code === 0 ? 0 : (this.#ends[code - 1] ?? 0)) + lengthBytes;
    if ((this.#ends[code] ?? 0) - start !== to - from) return false;
    for (let at = from, known = start; at < to; at += 1, known += 1)
      if (bytes[known] !== source[at]) return false;
    return true;
  }

  #append(source: Buffer, from: number, to: number): number {
    const length = to - from;
    this.#reserve(length + lengthBytes);
    const bytes = this.#bytes;
    let used = this.#used;
    bytes[used] = length & 0xff;
    bytes[used + 1] = (length >>> 8) & 0xff;
    bytes[used + 2] = (length >>> 16) & 0xff;
    bytes[used + 3] = length >>> 24;
    used += lengthBytes;
    if (length > shortBytes) source.copy(bytes, used, from, to);
    else for (let at = 0; at < length; at += 1) bytes[used + at] = source[from + at] ?? 0;
    this.#used = used + length;
    const code = this.count;
    this.#ends[code] = this.#used;
    this.count = code + 1;
    if (this.count === this.#ends.length) this.#growEnds();
    return code;
  }

  #growEnds(): void {
    this.#ends = twice(this.#ends);
  }

  #growTable(): void {
    const table = new Int32Array(this.#table.length * 2);
    const mask = table.length - 1;
    for (let code = 0; code < this.count; code += 1) {
      let slot = slotOf(this.#hashes[code] ?? 0, mask);
      while (table[slot] !== 0) slot = (slot + 1) & mask;
      table[slot] = code + 1;
    }
    this.#table = table;
  }

  #reserve(bytes: number): void {
    const needed = this.#used + bytes;
    if (needed <= this.#bytes.length) return;
    const larger = Buffer.allocUnsafe(Math.max(needed, this.#bytes.length * 2));
    larger.set(this.#bytes.subarray(0, this.#used));
    this.#bytes = larger;
  }
}
