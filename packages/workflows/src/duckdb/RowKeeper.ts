/**
 * Decides which rows a part keeps, called by DuckDB for each of them in their order: blank ones and exact duplicates go, the
 * first of equal rows stays. It counts what it sees, so that the feeder knows when all that it has fed has been looked at.
 *
 * DuckDB gives 96 bits of hash for each row, of its cells. They are the same in every part of a file, and have nothing to do with
 * the stream engine's.
 */
import { HashLog } from "../csv/HashLog.ts";
import { makeRowHash, type RowHash } from "../csv/RowHash.ts";
import { SeenRows } from "../csv/SeenRows.ts";
import type { SpillFile } from "../csv/SpillFile.ts";

/** Of `flags`: the row is blank. The bits above say which date columns are empty. */
const blankFlag = 1;

/** Numbers of a chunk's rows. */
interface Numbers {
  readonly getItem: (row: number) => number | null;
}

/** What DuckDB gives of a chunk of rows. */
export interface RowChunk {
  readonly rows: number;
  readonly flags: Numbers;
  readonly hashes: readonly [Numbers, Numbers, Numbers];
}

/** Keeps the rows of one file, part by part. */
export class RowKeeper {
  /** Rows looked at, of this part. */
  looked = 0;
  kept = 0;
  blank = 0;
  duplicates = 0;
  /** Of each date column, the rows kept that have none. */
  empty: Array<number> = [];
  seen = new SeenRows();
  readonly log = new HashLog();
  readonly #duplicates: "file" | "part" | "none";
  readonly #isLogged: boolean;
  readonly #spill: SpillFile | undefined;
  readonly #hash: RowHash = makeRowHash();
  /** When a part is done again: the rows that it had kept, and those that it has kept again. */
  #before: SeenRows | undefined;
  #again = new SeenRows();
  #wanted = Number.POSITIVE_INFINITY;
  #reached: () => void = () => {};

  constructor(
    duplicates: "file" | "part" | "none",
    isLogged: boolean,
    spill: SpillFile | undefined,
  ) {
    this.#duplicates = duplicates;
    this.#isLogged = isLogged;
    this.#spill = spill;
  }

  /** The next part begins. */
  begin(dateColumns: number): void {
    this.looked = 0;
    this.kept = 0;
    this.blank = 0;
    this.duplicates = 0;
    this.empty = Array.from({ length: dateColumns }, () => 0);
    this.log.take();
    this.#before = undefined;
    if (this.#duplicates === "part") this.seen = new SeenRows();
  }

  /** The part begins anew: rows that it has kept count as not seen. */
  beginAgain(): void {
    const before = new SeenRows();
    const words = this.log.take();
    for (let at = 0; at < words.length; at += 3) before.add(words.subarray(at, at + 3));
    this.begin(this.empty.length);
    this.#before = this.#duplicates === "file" ? before : undefined;
    this.#again = new SeenRows();
  }

  /** Calls back once so many rows of the part have been looked at. */
  whenLooked(rows: number, reached: () => void): void {
    this.#wanted = rows;
    this.#reached = reached;
    this.#tell();
  }

  /** Looks at a chunk, and says of each row whether it is kept. */
  look({ flags, hashes, rows }: RowChunk, keep: (row: number, kept: number) => void): void {
    for (let row = 0; row < rows; row += 1) {
      const flag = flags.getItem(row) ?? 0;
      const isKept = this.#look(flag, hashes, row);
      if (isKept && flag > blankFlag) this.#countEmpty(flag);
      keep(row, isKept ? 1 : 0);
    }
    this.looked += rows;
    this.spill();
    this.#tell();
  }

  /** Moves a full table of hashes to the disk. */
  spill(): void {
    if (this.#spill !== undefined && this.seen.full) this.seen.spill(this.#spill);
  }

  #look(flag: number, [one, two, three]: RowChunk["hashes"], row: number): boolean {
    if ((flag & blankFlag) !== 0) {
      this.blank += 1;
      return false;
    }
    if (this.#duplicates !== "none") {
      const hash = this.#hash;
      hash[0] = one.getItem(row) ?? 0;
      hash[1] = two.getItem(row) ?? 0;
      hash[2] = three.getItem(row) || 1;
      if (!this.#isFirst(hash)) {
        this.duplicates += 1;
        return false;
      }
      // The part may have to be done again.
      if (this.#isLogged || this.#duplicates === "file") this.log.push(hash);
    }
    this.kept += 1;
    return true;
  }

  #isFirst(hash: RowHash): boolean {
    if (this.#before === undefined) return this.seen.add(hash);
    if (!this.#before.add(hash)) return this.#again.add(hash);
    this.#again.add(hash);
    return this.seen.add(hash);
  }

  #countEmpty(flag: number): void {
    for (let column = 0; column < this.empty.length; column += 1)
      if ((flag & (2 << column)) !== 0) this.empty[column] = (this.empty[column] ?? 0) + 1;
  }

  #tell(): void {
    if (this.looked < this.#wanted) return;
    this.#wanted = Number.POSITIVE_INFINITY;
    this.#reached();
  }
}
