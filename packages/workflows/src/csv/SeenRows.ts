/**
 * Remembers which rows have been seen, exactly and in bounded memory, so that the first of equal rows wins.
 *
 * Policy, by the number of distinct rows:
 *   up to 1.57 million   a growing table of 96-bit hashes in memory, at most 24 MiB; the disk is not touched
 *   beyond               each full table is written to a temporary file as it is (24 MiB per 1.57 million rows) and a
 *                        filter of 16 MiB remembers what lies there; only rows that the filter cannot rule out (about
 *                        1 in 100, and the real duplicates) are looked up in the file. The filter doubles every time it
 *                        holds a row per 8 bits, up to 128 MiB at 134 million rows
 *   far beyond           still exact, but slower, because the filter rules out less and less
 * The file takes 16 bytes per distinct row: 512 MB of temporary space hold about 33 million.
 */
import { lanes, type RowHash } from "./RowHash.ts";
import { seenFilterBitsMax, seenSlotsMax } from "./Limits.ts";
import type { SpillFile } from "./SpillFile.ts";

const slotBytes = lanes * 4;
const slotsMin = 2 ** 12;
const filterBitsMin = 2 ** 27;
/** Slots read at once from a spilled table: nearly always enough to meet an empty one. */
const probeSlots = 32;
const filterProbes = 6;
/** Words of a table whose bits in the filter are touched before they are set. */
const touchedWords = 2 ** 10 * lanes;

/** Sizes, for tests that want to reach the spilling part with few rows. */
export interface SeenRowsOptions {
  readonly slotsMax?: number;
  readonly filterBitsMin?: number;
}

/** The rows seen so far in one pass. */
export class SeenRows {
  readonly #slotsMax: number;
  #table: Uint32Array;
  #slots: number;
  #used = 0;
  #spilled = 0;
  #runs = 0;
  #file: SpillFile | undefined;
  #filter: Uint32Array | undefined;
  #filterBits: number;
  readonly #probe = new Uint32Array(probeSlots * lanes);
  readonly #probeBytes = new Uint8Array(this.#probe.buffer);

  constructor(options: SeenRowsOptions = {}) {
    this.#slotsMax = options.slotsMax ?? seenSlotsMax;
    this.#filterBits = options.filterBitsMin ?? filterBitsMin;
    this.#slots = Math.min(slotsMin, this.#slotsMax);
    this.#table = new Uint32Array(this.#slots * lanes);
  }

  /** True when `spill` must be called before many more rows come; `add` works on for as many as a chunk can hold. */
  get full(): boolean {
    return this.#slots >= this.#slotsMax && this.#used > this.#slots * 0.75;
  }

  /** Adds a row; false when an equal row was there before. */
  add(hash: RowHash): boolean {
    return this.#addAt(hash, 0);
  }

  /**
   * Adds rows of three words each in their order, and says of each whether it is the first. First all of their slots are touched:
   * the processor fetches them side by side, where one after another each is a wait for memory (a third of the time, measured).
   */
  addAll(hashes: Uint32Array, count: number, isFirst: Uint8Array): void {
    this.#touch(hashes, count);
    for (let row = 0; row < count; row += 1)
      isFirst[row] = this.#addAt(hashes, row * lanes) ? 1 : 0;
  }

  /** What was touched, kept so that the loop is not taken for idle; it means nothing. */
  touched = 0;

  #touch(hashes: Uint32Array, count: number): void {
    const [table, filter] = [this.#table, this.#filter];
    const mask = this.#slots - 1;
    const blocks = this.#filterBits / 512 - 1;
    let touched = 0;
    for (let at = 0; at < count * lanes; at += lanes) {
      touched ^= table[((hashes[at] ?? 0) & mask) * lanes + 2] ?? 0;
      if (filter !== undefined) touched ^= filter[((hashes[at + 1] ?? 0) & blocks) * 16] ?? 0;
    }
    this.touched = touched;
  }

  #addAt(hash: Uint32Array, place: number): boolean {
    const one = hash[place] ?? 0;
    const two = hash[place + 1] ?? 0;
    const three = hash[place + 2] ?? 0;
    let slot = one & (this.#slots - 1);
    const table = this.#table;
    for (;;) {
      const at = slot * lanes;
      if (table[at + 2] === 0) {
        if (this.#isSpilled(one, two, three)) return false;
        table[at] = one;
        table[at + 1] = two;
        table[at + 2] = three;
        this.#used += 1;
        if (this.#used > this.#slots * (this.#slots < this.#slotsMax ? 0.6 : 0.9)) this.#grow();
        return true;
      }
      if (table[at] === one && table[at + 1] === two && table[at + 2] === three) return false;
      slot = (slot + 1) & (this.#slots - 1);
    }
  }

  /** Moves everything to the file and starts over with an empty table. */
  spill(file: SpillFile): void {
    this.#file = file;
    file.append(new Uint8Array(this.#table.buffer));
    // A table that outgrew its limit within one chunk keeps that size only for its own run.
    this.#runSlots.push(this.#slots);
    this.#runs += 1;
    this.#spilled += this.#used;
    this.#refilter();
    this.#used = 0;
    // The same memory again: a new table would lie beside the old one until the garbage collector comes.
    if (this.#slots === this.#slotsMax) this.#table.fill(0);
    else this.#table = new Uint32Array(this.#slotsMax * lanes);
    this.#slots = this.#slotsMax;
  }

  readonly #runSlots: Array<number> = [];

  #grow(): void {
    const old = this.#table;
    this.#slots *= 2;
    this.#table = new Uint32Array(this.#slots * lanes);
    for (let at = 0; at < old.length; at += lanes) {
      if (old[at + 2] === 0) continue;
      let slot = (old[at] ?? 0) & (this.#slots - 1);
      while (this.#table[slot * lanes + 2] !== 0) slot = (slot + 1) & (this.#slots - 1);
      this.#table[slot * lanes] = old[at] ?? 0;
      this.#table[slot * lanes + 1] = old[at + 1] ?? 0;
      this.#table[slot * lanes + 2] = old[at + 2] ?? 0;
    }
  }

  #refilter(): void {
    const wanted = Math.min(seenFilterBitsMax, this.#filterBitsFor(this.#spilled));
    if (this.#filter !== undefined && wanted === this.#filterBits) {
      this.#remember(this.#table);
      return;
    }
    this.#filterBits = wanted;
    this.#filter = new Uint32Array(wanted / 32);
    let offset = 0;
    for (const slots of this.#runSlots) {
      this.#rememberRun(offset, slots);
      offset += slots * slotBytes;
    }
  }

  #filterBitsFor(rows: number): number {
    let bits = this.#filterBits;
    while (bits < rows * 8) bits *= 2;
    return bits;
  }

  #rememberRun(offset: number, slots: number): void {
    const piece = new Uint32Array(Math.min(slots, 2 ** 14) * lanes);
    const bytes = new Uint8Array(piece.buffer);
    for (let at = 0; at < slots * slotBytes; at += bytes.length) {
      this.#file?.read(offset + at, bytes);
      this.#remember(piece);
    }
  }

  #remember(table: Uint32Array): void {
    const [filter, blocks] = [this.#filter, this.#filterBits / 512 - 1];
    if (filter === undefined) return;
    for (let from = 0; from < table.length; from += touchedWords) {
      const to = Math.min(from + touchedWords, table.length);
      let touched = 0;
      for (let at = from; at < to; at += lanes)
        touched ^= filter[((table[at + 1] ?? 0) & blocks) * 16] ?? 0;
      this.touched = touched;
      for (let at = from; at < to; at += lanes)
        if (table[at + 2] !== 0)
          this.#filterVisit(table[at] ?? 0, table[at + 1] ?? 0, table[at + 2] ?? 0, "set");
    }
  }

  /**
   * Sets or tests a row's bits: `filterProbes` of them in one 512-bit block, so that a test costs one cache line.
   * The block comes from the second lane, the bits from the first and third.
   */
  #filterVisit(one: number, two: number, three: number, mode: "set" | "test"): boolean {
    const filter = this.#filter;
    if (filter === undefined) return false;
    const block = (two & (this.#filterBits / 512 - 1)) * 16;
    for (let probe = 0; probe < filterProbes; probe++) {
      const bits = probe < 3 ? three >>> (probe * 9) : one >>> ((probe - 3) * 9 + 5);
      const word = block + ((bits >>> 5) & 15);
      const mask = 1 << (bits & 31);
      if (mode === "set") filter[word] = (filter[word] ?? 0) | mask;
      else if (((filter[word] ?? 0) & mask) === 0) return false;
    }
    return true;
  }

  #isSpilled(one: number, two: number, three: number): boolean {
    if (this.#runs === 0) return false;
    if (!this.#filterVisit(one, two, three, "test")) return false;
    let offset = 0;
    for (const slots of this.#runSlots) {
      if (this.#isInRun(offset, slots, one, two, three)) return true;
      offset += slots * slotBytes;
    }
    return false;
  }

  /** The same walk as in memory, over the file: from the row's slot to the first empty one. */
  #isInRun(offset: number, slots: number, one: number, two: number, three: number): boolean {
    let slot = one & (slots - 1);
    for (;;) {
      const count = Math.min(probeSlots, slots - slot);
      this.#file?.read(offset + slot * slotBytes, this.#probeBytes.subarray(0, count * slotBytes));
      for (let at = 0; at < count * lanes; at += lanes) {
        const probe = this.#probe;
        if (probe[at + 2] === 0) return false;
        if (probe[at] === one && probe[at + 1] === two && probe[at + 2] === three) return true;
      }
      slot = (slot + count) & (slots - 1);
    }
  }
}
