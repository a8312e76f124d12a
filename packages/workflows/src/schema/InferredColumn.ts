/**
 * What kind of column a file's texts suggest. A proposal for a person to check, never used by a pipeline on its own.
 *
 * A kind is proposed when every text seen fits it, by the very rules that will read the file. In doubt it is text:
 * numbers with leading zeros and whole numbers of more than 15 digits are mostly identifiers, and only ISO dates are
 * certain.
 */
import { type ColumnPlan, decimalPrecisionMax } from "../parquet/ColumnPlan.ts";
import { type CellReader, cellReader } from "./readCell.ts";

/** What a column seems to be. */
export interface InferredColumn {
  readonly plan: ColumnPlan;
  /** Whether a record may lack it, as JSON's may. */
  readonly optional: boolean;
  /** The few texts that a text column holds, if it holds few. */
  readonly texts: ReadonlyArray<string> | undefined;
  /** Cells that were not empty. */
  readonly filled: number;
}

/** More different texts than this are no list to choose from. */
const textsMax = 12;
/** A text in such a list is short, in characters. */
const listedTextMax = 40;
/** Fewer cells than this say nothing about which texts there are. */
const filledMin = 100;
/** Digits beyond which a whole number is taken for an identifier. */
const digitsMax = 15;
/** Digits behind the point beyond which a number is a measurement, and no amount. */
const scaleMax = 6;
/** A tenth of what INT32 holds: the rest of the file may have larger ones. */
const int32Likely = 214_748_364;
/** Room in front of the point for what the sample has not shown. */
const spareDigits = 4;

const leadingZero = /^\s*[+-]?0\d/;
const isoDate = /^\s*\d{4}-\d{2}-\d{2}/;
const whole = /^\s*[+-]?\d+\s*$/;
const jsonText = /^\s*[[{]/;
const number = /^\s*[+-]?(\d*)(?:\.(\d*))?\s*$/;

const readers = {
  boolean: cellReader({ name: "", nullable: true, kind: "boolean" }, "refuse"),
  int64: cellReader({ name: "", nullable: true, kind: "int64" }, "refuse"),
  double: cellReader({ name: "", nullable: true, kind: "double" }, "refuse"),
  date: cellReader({ name: "", nullable: true, kind: "date" }, "refuse"),
  timestamp: cellReader({ name: "", nullable: true, kind: "timestamp" }, "refuse"),
  json: cellReader({ name: "", nullable: true, kind: "json" }, "refuse"),
} satisfies Record<string, CellReader>;

const hasFewDigits = (text: string): boolean => text.replaceAll(/\D/g, "").length <= digitsMax;

type Candidate = keyof typeof readers;

const looksRight: Record<Candidate, (text: string) => boolean> = {
  boolean: () => true,
  int64: (text) => !leadingZero.test(text) && hasFewDigits(text),
  double: (text) => !leadingZero.test(text) && (!whole.test(text) || hasFewDigits(text)),
  date: (text) => isoDate.test(text),
  timestamp: (text) => isoDate.test(text),
  json: (text) => jsonText.test(text),
};

const order: ReadonlyArray<Candidate> = ["boolean", "int64", "double", "date", "timestamp", "json"];

/** Looks at the texts of one column. */
export class ColumnInference {
  readonly #name: string;
  readonly #isJson: boolean;
  #candidates = order;
  #filled = 0;
  #empty = 0;
  #largest = 0;
  #digitsBefore = 0;
  #scale = 0;
  /** Set by a number that is not written with digits and a point only. */
  #hasExponent = false;
  readonly #texts = new Set<string>();

  /** In JSON a key may be missing where a value may be null. */
  constructor(name: string, isJson: boolean) {
    this.#name = name;
    this.#isJson = isJson;
  }

  /** Takes the text of a cell; null for an empty one. */
  add(text: string | null): void {
    if (text === null) {
      this.#empty += 1;
      return;
    }
    this.#filled += 1;
    if (this.#texts.size <= textsMax) this.#texts.add(text);
    if (this.#candidates.length === 0) return;
    this.#candidates = this.#candidates.filter(
      (kind) => looksRight[kind](text) && readers[kind](text) !== undefined,
    );
    if (this.#candidates.includes("double")) this.#measure(text);
  }

  /** What the texts so far suggest. */
  get column(): InferredColumn {
    const nullable = this.#empty > 0 || this.#filled === 0;
    const plan = this.#plan({ name: this.#name, nullable });
    const few =
      plan.kind === "text" &&
      this.#filled >= filledMin &&
      this.#texts.size <= textsMax &&
      [...this.#texts].every((text) => text.length <= listedTextMax);
    return {
      plan,
      optional: this.#isJson && nullable,
      texts: few ? [...this.#texts].toSorted() : undefined,
      filled: this.#filled,
    };
  }

  #plan(of: { readonly name: string; readonly nullable: boolean }): ColumnPlan {
    const kind = this.#filled === 0 ? undefined : this.#candidates[0];
    if (kind === undefined) return { ...of, kind: "text" };
    if (kind === "int64") return { ...of, kind: this.#largest <= int32Likely ? "int32" : "int64" };
    if (kind !== "double" || this.#hasExponent || this.#scale === 0 || this.#scale > scaleMax)
      return { ...of, kind };
    const precision = this.#digitsBefore + spareDigits + this.#scale;
    if (precision > decimalPrecisionMax) return { ...of, kind };
    return { ...of, kind: "decimal", precision, scale: this.#scale };
  }

  #measure(text: string): void {
    this.#largest = Math.max(this.#largest, Math.abs(Number(text)));
    const parts = number.exec(text);
    if (parts === null) {
      this.#hasExponent = true;
      return;
    }
    this.#digitsBefore = Math.max(this.#digitsBefore, parts[1]?.length ?? 0);
    this.#scale = Math.max(this.#scale, parts[2]?.length ?? 0);
  }
}
