/**
 * The synchronous heart of a pass over CSV or JSON: bytes in, row groups and rejects out, figures kept. No I/O, except look-ups of
 * row hashes in the spill file.
 *
 * Stages, per row: validate (width, characters), clean (blank rows and exact duplicates go), transform and enrich
 * (RowGroupBuilder). Nothing depends on where the source's chunks begin and end.
 */
import { Result } from "effect";
import { formatOf, type InputFormat } from "../input/InputFormat.ts";
import { JsonRows } from "../input/JsonRows.ts";
import { matchColumns } from "../schema/matchColumns.ts";
import type { Cell } from "./ColumnBuilder.ts";
import {
  CsvEmpty,
  type CsvFailure,
  CsvHeaderBroken,
  CsvNoColumns,
  CsvNotText,
  CsvTooManyColumns,
  CsvTooManyRejects,
} from "./CsvFailure.ts";
import type { CompleteCsvOptions } from "./CsvOptions.ts";
import { type CsvDelimiter, sniffDelimiter } from "./Delimiter.ts";
import { binaryKind, byteOrderMark } from "./Encoding.ts";
import { columnNames, type RenamedColumn } from "./Header.ts";
import { columnsMax, rejectedRowsEarlyLook, sniffBytesMax } from "./Limits.ts";
import { RecordReader, type Verdict } from "./RecordReader.ts";
import type { Reject } from "./Reject.ts";
import { hashRow, makeRowHash } from "./RowHash.ts";
import { RowGroupBuilder } from "./RowGroupBuilder.ts";
import { SeenRows } from "./SeenRows.ts";
import { toldName } from "./toldName.ts";
import { Utf8Stream } from "./Utf8Stream.ts";

/** Names of left-out keys in a report. */
const ignoredKeysMax = 20;

const isDateName = (name: string): boolean => name.includes("fecha") || name.includes("date");

const isEmptyLine = (cells: ReadonlyArray<string>): boolean =>
  cells.length === 1 && cells[0] === "";

/** A file's text side, known once its first bytes have been looked at. */
interface Opened {
  readonly text: Utf8Stream;
  readonly reader: RecordReader | JsonRows;
  readonly format: InputFormat;
  /** Of CSV only. */
  readonly delimiter: CsvDelimiter | undefined;
}

/** What a report says of a file's text. */
export const textKind = ({ delimiter, format }: Opened) => ({
  ...(format !== "csv" && { format }),
  ...(delimiter !== undefined && { delimiter }),
});

/** One file's pass. Give it all bytes through `push`, then call `end`; the first failure is final. */
export class CsvPass {
  readonly seen = new SeenRows();
  /** Set when the header has been read. */
  groups: RowGroupBuilder | undefined;
  renamed: ReadonlyArray<RenamedColumn> = [];
  /** The file's columns that the declared schema leaves out. */
  ignored: ReadonlyArray<string> = [];
  rowsIn = 0;
  rowsRejected = 0;
  duplicates = 0;
  blankRows = 0;
  emptyLines = 0;
  bytesIn = 0;
  /** Rows rejected and not yet taken, in line order. */
  rejects: Array<Reject> = [];
  readonly #options: CompleteCsvOptions;
  readonly #hash = makeRowHash();
  #first: Array<Uint8Array> = [];
  #firstBytes = 0;
  #opened: Opened | undefined;
  #firstReject = "";
  #nulSeen = false;

  constructor(options: CompleteCsvOptions) {
    this.#options = options;
  }

  get opened(): Opened | undefined {
    return this.#opened;
  }

  /** Takes the file's next bytes. */
  push(bytes: Uint8Array): CsvFailure | undefined {
    this.bytesIn += bytes.length;
    if (this.#opened !== undefined) return this.#read(this.#opened, bytes);
    this.#first.push(bytes);
    this.#firstBytes += bytes.length;
    return this.#firstBytes < sniffBytesMax ? undefined : this.open();
  }

  /** The file ends here. */
  end(): CsvFailure | undefined {
    const early = this.open();
    if (early !== undefined || this.#opened === undefined) return early;
    const { reader, text } = this.#opened;
    const rest = text.end();
    if (Result.isFailure(rest)) return rest.failure;
    const failure = reader.push(rest.success) ?? reader.end();
    if (failure !== undefined) return failure;
    if (this.groups === undefined)
      return this.rowsRejected > 0 ? this.#rejectsFailure() : this.#empty();
    this.groups.cut(false);
    return this.#tooManyRejects() ?? this.#noRowLeft();
  }

  #empty(): CsvEmpty {
    return new CsvEmpty({ source: this.#options.source, bytes: this.bytesIn });
  }

  /** Judges what has come so far, unless that has happened: more bytes may follow. */
  open(): CsvFailure | undefined {
    if (this.#opened !== undefined) return undefined;
    const first = Buffer.concat(this.#first);
    this.#first = [];
    if (first.length === 0) return this.#empty();
    const { delimiter, encoding, quote, source } = this.#options;
    const isWide = (encoding ?? byteOrderMark(first)?.encoding)?.startsWith("utf-16") ?? false;
    // Only the first look's bytes count, however large the first chunks were.
    const binary = isWide ? undefined : binaryKind(first.subarray(0, sniffBytesMax));
    if (binary !== undefined) return new CsvNotText({ source, found: binary });
    const text = new Utf8Stream(source, first, encoding);
    const converted = text.push(first);
    if (Result.isFailure(converted)) return converted.failure;
    const begins = Buffer.from(converted.success.subarray(0, sniffBytesMax)).toString("utf8");
    const format = this.#options.format ?? formatOf(begins);
    const chosen = format === "csv" ? (delimiter ?? sniffDelimiter(begins, quote)) : undefined;
    const reader = format === "csv" ? this.#csv(chosen ?? ",") : this.#json(format);
    this.#opened = { text, reader, format, delimiter: chosen };
    return this.#readText(reader, converted.success);
  }

  #csv(delimiter: CsvDelimiter): RecordReader {
    return new RecordReader(this.#options.source, delimiter, this.#options.quote, {
      record: (cells) => this.#visit(cells),
      rejected: (reject) => this.#rejected(reject),
    });
  }

  #json(format: "json" | "ndjson"): JsonRows {
    return new JsonRows(this.#options.source, format, this.#options, {
      begin: (keys) => this.#begin(keys, false),
      row: (cells) => (this.groups === undefined ? undefined : this.#row(cells, this.groups)),
      emptyLine: () => {
        this.emptyLines += 1;
      },
      rejected: (reject) => this.#rejected(reject),
      unread: (reject) => {
        this.rowsIn += 1;
        return this.#rejected(reject);
      },
      ignored: (key) => {
        const told = toldName(key);
        if (this.ignored.length < ignoredKeysMax && !this.ignored.includes(told))
          this.ignored = [...this.ignored, told];
      },
    });
  }

  #read({ reader, text }: Opened, bytes: Uint8Array): CsvFailure | undefined {
    const converted = text.push(bytes);
    return Result.isFailure(converted)
      ? converted.failure
      : this.#readText(reader, converted.success);
  }

  #readText(reader: RecordReader | JsonRows, text: Uint8Array): CsvFailure | undefined {
    // JSON escapes the character, and a chunk may end within the escape.
    this.#nulSeen ||= reader instanceof JsonRows || text.includes(0);
    return reader.push(text);
  }

  #visit(cells: ReadonlyArray<string>): Verdict {
    if (isEmptyLine(cells)) {
      this.emptyLines += 1;
      return undefined;
    }
    return this.groups === undefined ? this.#header(cells) : this.#row(cells, this.groups);
  }

  #row(cells: ReadonlyArray<Cell>, groups: RowGroupBuilder): Verdict {
    this.rowsIn += 1;
    if (cells.every((cell) => cell === "" || cell === null)) {
      this.blankRows += 1;
      return undefined;
    }
    const invalid = this.#invalid(cells, groups.width) ?? this.#unfit(cells, groups);
    if (invalid !== undefined) return invalid;
    if (this.#options.duplicates === "drop") {
      hashRow(cells, this.#hash);
      if (!this.seen.add(this.#hash)) {
        this.duplicates += 1;
        return undefined;
      }
    }
    groups.add(cells);
    return undefined;
  }

  #header(cells: ReadonlyArray<string>): Verdict {
    if (cells.every((cell) => cell.trim() === ""))
      return {
        failure: new CsvNoColumns({ source: this.#options.source, line: this.emptyLines + 1 }),
      };
    const failure = this.#begin(cells, true);
    return failure === undefined ? undefined : { failure };
  }

  /** The columns are known. */
  #begin(header: ReadonlyArray<string>, emptyIsNull: boolean): CsvFailure | undefined {
    const { columns, dateColumns, source, undeclaredColumns } = this.#options;
    if (header.length > columnsMax)
      return new CsvTooManyColumns({ source, columns: header.length, columnsMax });
    const { names, renamed } = columnNames(header);
    this.renamed = renamed;
    const matched =
      columns === undefined ? undefined : matchColumns(source, names, columns, undeclaredColumns);
    if (matched !== undefined && Result.isFailure(matched)) return matched.failure;
    this.ignored = matched?.success.ignored ?? [];
    this.groups = new RowGroupBuilder({
      ...this.#options,
      names,
      emptyIsNull,
      isDate: dateColumns === undefined ? isDateName : (name) => dateColumns.includes(name),
      declared:
        columns === undefined || matched === undefined
          ? undefined
          : { columns, sources: matched.success.sources },
    });
    return undefined;
  }

  #unfit(cells: ReadonlyArray<Cell>, groups: RowGroupBuilder): Verdict {
    const column = groups.unfit(cells);
    if (column === undefined) return undefined;
    const { name } = column.plan;
    return {
      reason: "does-not-fit",
      column: name,
      detail: `column ${JSON.stringify(name)} takes ${column.expected}`,
    };
  }

  #invalid(cells: ReadonlyArray<Cell>, width: number): Verdict {
    if (cells.length !== width)
      return {
        reason: cells.length < width ? "row-too-short" : "row-too-long",
        detail: `${cells.length} cells, the header has ${width}`,
      };
    if (this.#nulSeen && cells.some((cell) => cell?.includes("\0")))
      return { reason: "nul-character", detail: "a cell holds the character NUL" };
    return undefined;
  }

  #rejected(reject: Reject): CsvFailure | undefined {
    const { line, detail, reason } = reject;
    if (this.groups === undefined && this.#opened?.format === "csv")
      return new CsvHeaderBroken({ source: this.#options.source, line, detail });
    // A broken line never becomes a record, so it has not been counted yet.
    if (reason === "stray-quote") this.rowsIn += 1;
    this.rowsRejected += 1;
    if (this.#firstReject === "") this.#firstReject = `line ${line}: ${detail}`;
    if (this.rowsRejected <= this.#options.rejectedRowsKept) this.rejects.push(reject);
    if (this.rowsRejected > this.#options.rejectedRowsMax) return this.#rejectsFailure();
    // A file that is clearly hopeless must not be read to its end.
    return this.rowsRejected < rejectedRowsEarlyLook ? undefined : this.#tooManyRejects();
  }

  #tooManyRejects(): CsvTooManyRejects | undefined {
    const { rejectedRowsTolerated, rejectedShareMax } = this.#options;
    return this.rowsRejected > rejectedRowsTolerated &&
      this.rowsRejected > this.rowsIn * rejectedShareMax
      ? this.#rejectsFailure()
      : undefined;
  }

  /** However small the file: when rows came and every one was rejected, an empty output would be a lie. */
  #noRowLeft(): CsvTooManyRejects | undefined {
    return this.rowsRejected > 0 && this.rowsRejected + this.blankRows === this.rowsIn
      ? this.#rejectsFailure()
      : undefined;
  }

  #rejectsFailure(): CsvTooManyRejects {
    return new CsvTooManyRejects({
      source: this.#options.source,
      rowsIn: this.rowsIn,
      rowsRejected: this.rowsRejected,
      first: this.#firstReject,
    });
  }
}
