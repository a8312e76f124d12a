/**
 * Decides which rows a part keeps: exact duplicates go, the first of equal rows stays. It counts what it sees.
 *
 * A row is 96 bits of hash of its cells. They are the same in every part of a file, and have nothing to do with the stream engine's.
 */
import { HashLog } from "../csv/HashLog.ts";
import { lanes, type RowHash } from "../csv/RowHash.ts";
import { SeenRows } from "../csv/SeenRows.ts";
import type { SpillFile } from "../csv/SpillFile.ts";

/** Rows that are to be decided about. */
interface Rows {
  readonly count: number;
  readonly hashes: Uint32Array;
  /** Filled in: 1 for each that is kept. */
  readonly kept: Uint8Array;
}

/** Keeps the rows of one file, part by part. */
export class RowKeeper {
  /** Rows kept and dropped, of this part. */
  kept = 0;
  duplicates = 0;
  seen = new SeenRows();
  readonly log = new HashLog();
  /** Whether it needs the rows' hashes. */
  readonly isAsked: boolean;
  readonly #duplicates: "file" | "part" | "none";
  readonly #isLogged: boolean;
  readonly #spill: SpillFile | undefined;
  /** When a part is done again: the rows that it had kept, and those that it has kept again. */
  #before: SeenRows | undefined;
  #again = new SeenRows();

  constructor(
    duplicates: "file" | "part" | "none",
    isLogged: boolean,
    spill: SpillFile | undefined,
  ) {
    this.#duplicates = duplicates;
    this.isAsked = duplicates !== "none";
    // The part may have to be done again.
    this.#isLogged = this.isAsked && (isLogged || duplicates === "file");
    this.#spill = spill;
  }

  /** The next part begins. */
  begin(): void {
    this.kept = 0;
    this.duplicates = 0;
    this.log.take();
    this.#before = undefined;
    if (this.#duplicates === "part") this.seen = new SeenRows();
  }

  /** The part begins anew: rows that it has kept count as not seen. */
  beginAgain(): void {
    const before = new SeenRows();
    const words = this.log.take();
    for (let at = 0; at < words.length; at += lanes) before.add(words.subarray(at, at + lanes));
    this.begin();
    this.#before = this.#duplicates === "file" ? before : undefined;
    this.#again = new SeenRows();
  }

  /** Decides about rows, in their order. */
  decide({ count, hashes, kept }: Rows): void {
    if (this.#before === undefined) this.seen.addAll(hashes, count, kept);
    else this.#decideAgain(this.#before, { count, hashes, kept });
    let dropped = 0;
    for (let row = 0; row < count; row += 1) {
      if (kept[row] === 0) dropped += 1;
      else if (this.#isLogged) this.log.pushFrom(hashes, row * lanes);
    }
    this.duplicates += dropped;
    this.kept += count - dropped;
    this.spill();
  }

  /** Moves a full table of hashes to the disk. */
  spill(): void {
    if (this.#spill !== undefined && this.seen.full) this.seen.spill(this.#spill);
  }

  #decideAgain(before: SeenRows, { count, hashes, kept }: Rows): void {
    for (let row = 0; row < count; row += 1) {
      const hash = hashes.subarray(row * lanes, (row + 1) * lanes);
      kept[row] = this.#isFirst(before, hash) ? 1 : 0;
    }
  }

  #isFirst(before: SeenRows, hash: RowHash): boolean {
    if (!before.add(hash)) return this.#again.add(hash);
    this.#again.add(hash);
    return this.seen.add(hash);
  }
}
