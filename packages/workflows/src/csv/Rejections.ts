/**
 * The rows of a file that are rejected: counted, the first of them kept, and the judgement when they are too many.
 */
import { CsvTooManyRejects } from "./CsvFailure.ts";
import type { CompleteCsvOptions } from "./CsvOptions.ts";
import { rejectedRowsEarlyLook } from "./Limits.ts";
import type { PassPosition } from "./PassPosition.ts";
import type { Reject } from "./Reject.ts";

/** What of the options decides. */
type RejectionOptions = Pick<
  CompleteCsvOptions,
  "source" | "rejectedRowsKept" | "rejectedRowsMax" | "rejectedRowsTolerated" | "rejectedShareMax"
>;

/** One file's. */
export class Rejections {
  /** Rows rejected. */
  count = 0;
  /** What the first one was rejected for; empty before. */
  first = "";
  readonly #options: RejectionOptions;
  /** In line order, and not yet taken. */
  #kept: Array<Reject> = [];

  constructor(options: RejectionOptions) {
    this.#options = options;
  }

  /** Goes on with what another pass over the same file had come to. */
  resume({ firstReject, rowsRejected }: PassPosition): void {
    this.count = rowsRejected;
    this.first = firstReject;
  }

  /** Adds a row, the last of `rowsIn`; says when the file is hopeless. */
  add(reject: Reject, rowsIn: number): CsvTooManyRejects | undefined {
    this.count += 1;
    if (this.first === "") this.first = `line ${reject.line}: ${reject.detail}`;
    if (this.count <= this.#options.rejectedRowsKept) this.#kept.push(reject);
    if (this.count > this.#options.rejectedRowsMax) return this.failure(rowsIn);
    // A file that is clearly hopeless must not be read to its end.
    return this.count < rejectedRowsEarlyLook ? undefined : this.#tooMany(rowsIn);
  }

  /** Those that were not taken yet. */
  take(): ReadonlyArray<Reject> {
    const taken = this.#kept;
    this.#kept = [];
    return taken;
  }

  /** Judges a file that has ended, of which so many rows are left. */
  judge(rowsIn: number, rowsOut: number | undefined): CsvTooManyRejects | undefined {
    // However small the file: when rows came and every one was rejected, an empty output would be a lie.
    const noneLeft = this.count > 0 && rowsOut === 0;
    return this.#tooMany(rowsIn) ?? (noneLeft ? this.failure(rowsIn) : undefined);
  }

  /** The failure, when so many rows tell that it is one. */
  #tooMany(rowsIn: number): CsvTooManyRejects | undefined {
    const { rejectedRowsTolerated, rejectedShareMax } = this.#options;
    return this.count > rejectedRowsTolerated && this.count > rowsIn * rejectedShareMax
      ? this.failure(rowsIn)
      : undefined;
  }

  /** What a file fails with that has lost too many. */
  failure(rowsIn: number): CsvTooManyRejects {
    return new CsvTooManyRejects({
      source: this.#options.source,
      rowsIn,
      rowsRejected: this.count,
      first: this.first,
    });
  }
}
