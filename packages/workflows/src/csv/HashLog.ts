/**
 * The hashes of a part's rows in their order, so that a later process knows which rows the parts before it held.
 */
import { lanes, type RowHash } from "./RowHash.ts";

const rowsFirst = 2 ** 12;

/** Grows with its rows: 12 bytes each. */
export class HashLog {
  #lanes = new Uint32Array(rowsFirst * lanes);
  #used = 0;

  /** Adds a row's hash. */
  push(hash: RowHash): void {
    this.pushFrom(hash, 0);
  }

  /** Adds the row's hash that stands at that place. */
  pushFrom(hashes: Uint32Array, place: number): void {
    if (this.#used === this.#lanes.length) {
      const larger = new Uint32Array(this.#used * 2);
      larger.set(this.#lanes);
      this.#lanes = larger;
    }
    const log = this.#lanes;
    log[this.#used] = hashes[place] ?? 0;
    log[this.#used + 1] = hashes[place + 1] ?? 0;
    log[this.#used + 2] = hashes[place + 2] ?? 0;
    this.#used += lanes;
  }

  /** The hashes so far; the next part begins without any. */
  take(): Uint32Array {
    const taken = this.#lanes.slice(0, this.#used);
    this.#used = 0;
    return taken;
  }
}
