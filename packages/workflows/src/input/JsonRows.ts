/**
 * The rows of a JSON file: which key is which column, and the cells of each record in the columns' order.
 *
 * With a declared schema its fields are the columns. Without one they are the keys of the records that end within the
 * first look's bytes (or of the first record), in the order in which they appear; rows wait until those are known. A
 * record with another key is rejected, so that nothing is lost without a word.
 */
import { type CsvFailure, JsonBroken } from "../csv/CsvFailure.ts";
import type { Cell } from "../csv/ColumnBuilder.ts";
import { columnName } from "../csv/Header.ts";
import { sniffBytesMax } from "../csv/Limits.ts";
import type { RecordEnd, Verdict } from "../csv/RecordReader.ts";
import { type Fault, makeReject, type Reject } from "../csv/Reject.ts";
import { toldName } from "../csv/toldName.ts";
import type { DeclaredColumn } from "../schema/columnPlan.ts";
import type { UndeclaredColumns } from "../schema/matchColumns.ts";
import { JsonSplitter } from "./JsonSplitter.ts";
import { type JsonCells, type JsonFault, readJsonRecord } from "./readJsonRecord.ts";

/** Looks at each row in turn. */
export interface JsonVisitor {
  /** The keys that are columns, before the first row. */
  readonly begin: (keys: ReadonlyArray<string>) => CsvFailure | undefined;
  readonly row: (cells: ReadonlyArray<Cell>) => Verdict;
  readonly emptyLine: () => void;
  /** A row that was looked at is rejected. */
  readonly rejected: (reject: Reject) => CsvFailure | undefined;
  /** A record is rejected that has never become a row. */
  readonly unread: (reject: Reject) => CsvFailure | undefined;
  /** A key that is left out. */
  readonly ignored: (key: string) => void;
  /** A part ends here. */
  readonly partEnds: (at: RecordEnd) => void;
}

/** Where another pass over the same file has ended, and the keys that it found to be columns. */
export interface JsonResume {
  readonly keys: ReadonlyArray<string>;
  readonly at: RecordEnd;
}

/** What is declared of the rows. */
export interface JsonRowsOptions {
  readonly columns?: ReadonlyArray<DeclaredColumn> | undefined;
  readonly undeclaredColumns: UndeclaredColumns;
}

const faultDetails: Record<JsonFault, string> = {
  "not-json": "it is no JSON",
  "not-an-object": "it is no JSON object",
  "broken-text": "a text holds half a character (a lone surrogate)",
};

interface Waiting {
  readonly line: number;
  readonly bytes: Uint8Array;
  readonly record: JsonCells | Fault;
  readonly end: RecordEnd;
}

const isCells = (record: JsonCells | Fault): record is JsonCells => Array.isArray(record);

/** More different keys than this are not remembered: a file that has them is rejected row by row. */
const knownKeysMax = 20_000;

/** Reads one file. Give it all bytes through `push`, then call `end`; a failure is final. */
export class JsonRows {
  readonly #source: string;
  readonly #options: JsonRowsOptions;
  readonly #visitor: JsonVisitor;
  readonly #splitter: JsonSplitter<CsvFailure>;
  readonly #keys = new Map<string, number>();
  #width = 0;
  #begun = false;
  #waiting: Array<Waiting> = [];

  constructor(
    source: string,
    format: "json" | "ndjson",
    options: JsonRowsOptions,
    visitor: JsonVisitor,
    resume?: JsonResume,
  ) {
    this.#source = source;
    this.#options = options;
    this.#visitor = visitor;
    this.#splitter = new JsonSplitter(
      source,
      format,
      (bytes, line, end) => this.#take(bytes, line, end),
      resume?.at,
    );
    if (resume === undefined) return;
    for (const [index, key] of resume.keys.entries()) this.#keys.set(key, index);
    this.#width = resume.keys.length;
    this.#begun = true;
  }

  /** Takes the next bytes. */
  push(bytes: Uint8Array): CsvFailure | undefined {
    return this.#beginDeclared() ?? this.#splitter.push(bytes);
  }

  /** The file ends here. */
  end(): CsvFailure | undefined {
    return this.#splitter.end() ?? this.#begin();
  }

  #beginDeclared(): CsvFailure | undefined {
    const { columns } = this.#options;
    if (columns === undefined || this.#begun) return undefined;
    this.#begun = true;
    this.#width = columns.length;
    const names = columns.map(({ plan }) => columnName(plan.name));
    for (const [index, name] of names.entries()) this.#keys.set(name, index);
    return this.#visitor.begin(names);
  }

  /** The keys seen so far are the columns; the rows that have waited for them go on. */
  #begin(): CsvFailure | undefined {
    if (this.#begun) return undefined;
    this.#begun = true;
    this.#width = this.#keys.size;
    const waiting = this.#waiting;
    this.#waiting = [];
    // Without any key there are no columns: the file is empty, or all of it is broken.
    let failure = this.#width === 0 ? undefined : this.#visitor.begin([...this.#keys.keys()]);
    for (const one of waiting) failure ??= this.#row(one);
    return failure;
  }

  #take(bytes: Uint8Array, line: number, end: RecordEnd): CsvFailure | undefined {
    const text = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString("utf8");
    if (text.trim() === "") {
      this.#visitor.emptyLine();
      return undefined;
    }
    const read = readJsonRecord(text);
    const record = typeof read === "string" ? { reason: read, detail: faultDetails[read] } : read;
    if (!this.#begun && end.textOffset > sniffBytesMax && this.#waiting.length > 0) {
      if (this.#keys.size === 0)
        return new JsonBroken({
          source: this.#source,
          line,
          detail: "none of the records before is an object with keys",
        });
      const failure = this.#begin();
      if (failure !== undefined) return failure;
    }
    if (this.#begun) return this.#row({ bytes, end, line, record });
    if (isCells(record))
      for (const [key] of record) if (!this.#keys.has(key)) this.#keys.set(key, this.#keys.size);
    // The bytes are a view of a chunk that goes on without them.
    this.#waiting.push({ line, bytes: bytes.slice(), record, end });
    return undefined;
  }

  #row({ bytes, end, line, record }: Waiting): CsvFailure | undefined {
    const cells = isCells(record) ? this.#cellsOf(record) : record;
    if (!Array.isArray(cells)) return this.#visitor.unread(makeReject(line, cells, bytes));
    const verdict = this.#visitor.row(cells);
    if (verdict === undefined) return undefined;
    if (verdict === "ends-part") {
      this.#visitor.partEnds(end);
      return undefined;
    }
    return "failure" in verdict
      ? verdict.failure
      : this.#visitor.rejected(makeReject(line, verdict, bytes));
  }

  /** The record's cells in the columns' order, or why it has none. */
  #cellsOf(record: JsonCells): Array<Cell> | Fault {
    const cells: Array<Cell | undefined> = Array.from({ length: this.#width });
    for (const [key, text] of record) {
      const index = this.#indexOf(key);
      if (index === -1) {
        if (this.#options.undeclaredColumns === "refuse" || this.#options.columns === undefined)
          return {
            reason: "unknown-key",
            detail: `the key ${JSON.stringify(toldName(key))} is no column`,
          };
        this.#visitor.ignored(key);
      } else if (cells[index] !== undefined)
        return {
          reason: "does-not-fit",
          detail: `two keys are the column ${JSON.stringify(toldName(columnName(key)))}`,
        };
      else cells[index] = text;
    }
    const missing = this.#options.columns?.find(
      ({ optional }, index) => !optional && cells[index] === undefined,
    );
    if (missing === undefined) return cells.map((cell) => cell ?? null);
    const { name } = missing.plan;
    return {
      reason: "does-not-fit",
      column: name,
      detail: `column ${JSON.stringify(name)} is missing`,
    };
  }

  #indexOf(key: string): number {
    const known = this.#keys.get(key);
    if (known !== undefined) return known;
    if (this.#options.columns === undefined) return -1;
    const index = this.#keys.get(columnName(key)) ?? -1;
    if (this.#keys.size < knownKeysMax) this.#keys.set(key, index);
    return index;
  }
}
