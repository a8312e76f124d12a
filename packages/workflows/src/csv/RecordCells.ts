/**
 * The cells of one record, as ranges of UTF-8 bytes: a cell becomes a string only when somebody asks for its text.
 *
 * Most cells repeat what another row of their column holds, so a string each is mostly garbage. What columns need to know
 * a cell again, its bytes and a hash of them, costs nothing more while the bytes are looked at anyway.
 */
import type { Cell } from "./ColumnBuilder.ts";

const cellsFirst = 64;
const scratchFirst = 4_096;

/** So many texts are made one by one; more are cut out of one string, at a fifth of the time. */
const cutSingly = 500;

/** Traits of a cell. */
const notAscii = 1;
const inScratch = 2;
const isNull = 4;

const hashStart = 0x811c9dc5 | 0;

/** One byte more of a cell's hash. It only has to tell cells apart quickly: whoever finds one again compares the bytes. */
export const hashByte = (hash: number, byte: number): number => Math.imul(hash ^ byte, 0x01000193);

/** Its beginning. */
export const emptyHash = hashStart;

/** The cells of the record read last; the next record takes its place. */
export class RecordCells {
  count = 0;
  /** Where each cell begins and ends in its `source`. */
  starts = new Int32Array(cellsFirst);
  ends = new Int32Array(cellsFirst);
  /** Equal for equal cells. */
  hashes = new Int32Array(cellsFirst);
  #traits = new Uint8Array(cellsFirst);
  #bytes: Buffer = Buffer.alloc(0);
  /** All of `#bytes` as latin1, of which texts of plain ASCII are cut. */
  #window: string | undefined;
  /** Texts that were asked for since then. */
  #cut = 0;
  /** Cells that do not stand in the bytes as they are. */
  #scratch: Buffer = Buffer.allocUnsafe(scratchFirst);
  #scratchUsed = 0;
  #texts: ReadonlyArray<Cell> | undefined;

  /** Sets the bytes that cells are ranges of from now on. */
  load(bytes: Buffer): void {
    this.#bytes = bytes;
    this.#window = undefined;
    this.#cut = 0;
    this.clear();
  }

  /** Takes texts, of a JSON record. */
  loadTexts(texts: ReadonlyArray<Cell>): void {
    this.clear();
    this.#texts = texts;
    for (const text of texts) {
      if (text === null) {
        this.#add(0, 0, hashStart, isNull);
        continue;
      }
      const from = this.#scratchUsed;
      // A UTF-16 unit makes at most three bytes.
      this.#reserve(text.length * 3);
      const to = from + this.#scratch.write(text, from, "utf8");
      this.#scratchUsed = to;
      this.#addScratch(from, to, to - from === text.length ? 0 : notAscii);
    }
  }

  clear(): void {
    this.count = 0;
    this.#scratchUsed = 0;
    this.#texts = undefined;
  }

  /** Bytes of all cells. */
  get bytes(): number {
    let bytes = 0;
    for (let index = 0; index < this.count; index += 1)
      bytes += (this.ends[index] ?? 0) - (this.starts[index] ?? 0);
    return bytes;
  }

  /** Adds a cell that stands in the bytes; `seen` has a bit of each of its bytes. */
  add(from: number, to: number, hash: number, seen: number): void {
    this.#add(from, to, hash, seen < 0x80 ? 0 : notAscii);
  }

  /** The same for one in whose bytes every quote is doubled. */
  addUnquoted(from: number, to: number, quote: number, seen: number): void {
    const start = this.#scratchUsed;
    this.#reserve(to - from);
    let at = start;
    for (let index = from; index < to; index += 1) {
      const byte = this.#bytes[index] ?? 0;
      this.#scratch[at] = byte;
      at += 1;
      if (byte === quote) index += 1;
    }
    this.#scratchUsed = at;
    this.#addScratch(start, at, seen < 0x80 ? 0 : notAscii);
  }

  /** The bytes that a cell is a range of. */
  source(index: number): Buffer {
    return ((this.#traits[index] ?? 0) & inScratch) === 0 ? this.#bytes : this.#scratch;
  }

  /** Whether a cell has no text, not even an empty one. So has a cell that the record does not have. */
  isNull(index: number): boolean {
    return index < 0 || index >= this.count || ((this.#traits[index] ?? 0) & isNull) !== 0;
  }

  isEmpty(index: number): boolean {
    return this.starts[index] === this.ends[index];
  }

  isAscii(index: number): boolean {
    return ((this.#traits[index] ?? 0) & notAscii) === 0;
  }

  /** A cell's text. It may be a view of a larger one: copy what is kept for long. */
  text(index: number): Cell {
    if (this.isNull(index)) return null;
    if (this.#texts !== undefined) return this.#texts[index] ?? null;
    const [from, to] = [this.starts[index] ?? 0, this.ends[index] ?? 0];
    const traits = this.#traits[index] ?? 0;
    if (traits !== 0) return this.source(index).toString("utf8", from, to);
    this.#cut += 1;
    if (this.#cut <= cutSingly) return this.#bytes.toString("latin1", from, to);
    this.#window ??= this.#bytes.toString("latin1");
    return this.#window.substring(from, to);
  }

  /** Whether a byte stands in some cell. */
  includes(byte: number): boolean {
    if (this.#texts !== undefined)
      return this.#scratch.subarray(0, this.#scratchUsed).includes(byte);
    for (let index = 0; index < this.count; index += 1) {
      const cell = this.source(index).subarray(this.starts[index], this.ends[index]);
      if (cell.includes(byte)) return true;
    }
    return false;
  }

  /** All texts. */
  texts(): Array<Cell> {
    return Array.from({ length: this.count }, (_, index) => this.text(index));
  }

  #addScratch(from: number, to: number, traits: number): void {
    let hash = hashStart;
    for (let at = from; at < to; at += 1) hash = hashByte(hash, this.#scratch[at] ?? 0);
    this.#add(from, to, hash, traits | inScratch);
  }

  #add(from: number, to: number, hash: number, traits: number): void {
    const index = this.count;
    if (index === this.starts.length) this.#grow();
    this.starts[index] = from;
    this.ends[index] = to;
    this.hashes[index] = hash;
    this.#traits[index] = traits;
    this.count = index + 1;
  }

  #grow(): void {
    const length = this.starts.length * 2;
    const larger = (old: Int32Array) => {
      const grown = new Int32Array(length);
      grown.set(old);
      return grown;
    };
    this.starts = larger(this.starts);
    this.ends = larger(this.ends);
    this.hashes = larger(this.hashes);
    const traits = new Uint8Array(length);
    traits.set(this.#traits);
    this.#traits = traits;
  }

  /** Makes room in the scratch. */
  #reserve(bytes: number): void {
    const needed = this.#scratchUsed + bytes;
    if (needed <= this.#scratch.length) return;
    const larger = Buffer.allocUnsafe(Math.max(needed, this.#scratch.length * 2));
    larger.set(this.#scratch.subarray(0, this.#scratchUsed));
    this.#scratch = larger;
  }
}
