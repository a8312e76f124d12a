/**
 * The synchronous heart of a pass over CSV or JSON: bytes in, row groups and rejects out, figures kept. No I/O, except look-ups of
 * row hashes in the spill file.
 *
 * Stages, per row: validate (width, characters), clean (blank rows and exact duplicates go), transform and enrich
 * (RowGroupBuilder). Nothing depends on where the source's chunks begin and end.
 */
import { Result } from "effect";
import { formatOf } from "../input/InputFormat.ts";
import { type JsonResume, JsonRows, type JsonVisitor } from "../input/JsonRows.ts";
import type { Cell } from "./ColumnBuilder.ts";
import {
  CsvEmpty,
  type CsvFailure,
  CsvHeaderBroken,
  CsvNoColumns,
  CsvNotText,
  type CsvTooManyRejects,
} from "./CsvFailure.ts";
import type { CompleteCsvOptions } from "./CsvOptions.ts";
import { type CsvDelimiter, sniffDelimiter } from "./Delimiter.ts";
import { binaryKind, byteOrderMark } from "./Encoding.ts";
import type { EndedPart } from "./EndedPart.ts";
import type { Opened } from "./Opened.ts";
import { isBlankRow, isEmptyLine } from "./emptyRows.ts";
import type { RenamedColumn } from "./Header.ts";
import { sniffBytesMax } from "./Limits.ts";
import { HashLog } from "./HashLog.ts";
import { openColumns } from "./openColumns.ts";
import type { PassPosition } from "./PassPosition.ts";
import { RecordCells } from "./RecordCells.ts";
import { type RecordEnd, RecordReader, type Verdict } from "./RecordReader.ts";
import type { Reject } from "./Reject.ts";
import { Rejections } from "./Rejections.ts";
import { rowFault } from "./rowFault.ts";
import { makeRowHash, RowHasher } from "./RowHash.ts";
import type { RowGroupBuilder } from "./RowGroupBuilder.ts";
import { SeenRows } from "./SeenRows.ts";
import { toldName } from "./toldName.ts";
import { Utf8Stream } from "./Utf8Stream.ts";

/** Names of left-out keys in a report. */
const ignoredKeysMax = 20;

/** One file's pass. Give it all bytes through `push`, then call `end`; the first failure is final. */
export class CsvPass {
  seen = new SeenRows();
  /** Set when the header has been read. */
  groups: RowGroupBuilder | undefined;
  renamed: ReadonlyArray<RenamedColumn> = [];
  /** The file's columns that the declared schema leaves out. */
  ignored: ReadonlyArray<string> = [];
  rowsIn = 0;
  duplicates = 0;
  blankRows = 0;
  emptyLines = 0;
  bytesIn = 0;
  /** Parts that have ended and were not taken; rejects and groups that are finished belong to the part behind them. */
  ended: Array<EndedPart> = [];
  readonly #rejections: Rejections;
  readonly #hashes: HashLog | undefined;
  /** The file's first bytes: those of a mark, if it has one. */
  #mark: Uint8Array = new Uint8Array(0);
  /** Bytes of text that another pass has read. */
  #skip = 0;
  #keys: ReadonlyArray<string> = [];
  #emptyIsNull = true;
  readonly #options: CompleteCsvOptions;
  readonly #hash = makeRowHash();
  readonly #hasher = new RowHasher();
  readonly #jsonCells = new RecordCells();
  #first: Array<Uint8Array> = [];
  #firstBytes = 0;
  #opened: Opened | undefined;
  #nulSeen = false;

  constructor(options: CompleteCsvOptions) {
    this.#options = options;
    this.#rejections = new Rejections(options);
    this.#hashes = options.keepHashes ? new HashLog() : undefined;
  }

  /**
   * Goes on where another pass over the same file has ended a part. `opening` has read the file's beginning, up to its
   * columns at least; what is pushed next is the file from the position's `byteOffset` on, or all of it.
   */
  resume(opening: CsvPass, position: PassPosition): void {
    const opened = opening.opened;
    if (opened === undefined || opening.groups === undefined)
      throw new RangeError("a pass is resumed before its columns are known");
    const { byteOffset, decided, line, textOffset } = position;
    const text = new Utf8Stream(this.#options.source, opening.#mark, this.#options.encoding);
    if (byteOffset === undefined) this.#skip = textOffset;
    else text.resume(byteOffset, decided);
    this.#begin(opening.#keys, opening.#emptyIsNull);
    this.groups?.resume(position.rowsOut, position.dateColumns, position.steps);
    const { delimiter, format } = opened;
    const at = { textOffset, line };
    const reader =
      format === "csv"
        ? this.#csv(delimiter ?? ",", at)
        : this.#json(format, { keys: opening.#keys, at });
    this.#opened = { text, reader, format, delimiter };
    this.bytesIn = byteOffset ?? 0;
    this.rowsIn = position.rowsIn;
    this.#rejections.resume(position);
    this.duplicates = position.duplicates;
    this.blankRows = position.blankRows;
    this.emptyLines = position.emptyLines;
    this.ignored = position.ignored;
  }

  get opened(): Opened | undefined {
    return this.#opened;
  }

  get rowsRejected(): number {
    return this.#rejections.count;
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
    const failure = this.#readText(reader, rest.success) ?? reader.end();
    if (failure !== undefined) return failure;
    if (this.groups === undefined)
      return this.rowsRejected > 0 ? this.#rejections.failure(this.rowsIn) : this.#empty();
    this.groups.cut(false);
    return this.judge();
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
    this.#mark = first.subarray(0, 4);
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

  /** Takes what is finished of the part that has not ended. */
  take(): Pick<EndedPart, "groups" | "rejects"> {
    const taken = { groups: this.groups?.finished ?? [], rejects: this.#rejections.take() };
    if (this.groups !== undefined) this.groups.finished = [];
    return taken;
  }

  #csv(delimiter: CsvDelimiter, from?: RecordEnd): RecordReader {
    const { quote, source } = this.#options;
    const visitor = {
      record: (cells: RecordCells) => this.#visit(cells),
      rejected: (reject: Reject) => this.rejected(reject),
      partEnds: (at: RecordEnd) => this.#partEnds(at),
    };
    return new RecordReader(source, { delimiter, quote }, visitor, from);
  }

  #json(format: "json" | "ndjson", resume?: JsonResume): JsonRows {
    const visitor: JsonVisitor = {
      partEnds: (at) => this.#partEnds(at),
      begin: (keys) => this.#begin(keys, false),
      row: (texts) => {
        this.#jsonCells.loadTexts(texts);
        return this.groups === undefined ? undefined : this.#row(this.#jsonCells, this.groups);
      },
      emptyLine: () => {
        this.emptyLines += 1;
      },
      rejected: (reject) => this.rejected(reject),
      unread: (reject) => {
        this.rowsIn += 1;
        return this.rejected(reject);
      },
      ignored: (key) => {
        const told = toldName(key);
        if (this.ignored.length < ignoredKeysMax && !this.ignored.includes(told))
          this.ignored = [...this.ignored, told];
      },
    };
    return new JsonRows(this.#options.source, format, this.#options, visitor, resume);
  }

  /** All that another pass needs to go on behind a record; nothing before the header has been read. */
  positionAt({ line, textOffset }: RecordEnd): PassPosition | undefined {
    const groups = this.groups;
    const text = this.#opened?.text;
    if (groups === undefined || text === undefined) return undefined;
    const byteOffset = text.byteOffset(textOffset);
    return {
      textOffset,
      ...(byteOffset !== undefined && { byteOffset }),
      line,
      decided: text.decided,
      rowsIn: this.rowsIn,
      rowsOut: groups.rows,
      rowsRejected: this.rowsRejected,
      duplicates: this.duplicates,
      blankRows: this.blankRows,
      emptyLines: this.emptyLines,
      dateColumns: groups.dateColumns.map((column) => ({ ...column })),
      ...(groups.steps.length > 0 && { steps: groups.steps }),
      ignored: this.ignored,
      firstReject: this.#rejections.first,
    };
  }

  #partEnds(at: RecordEnd): void {
    const groups = this.groups;
    const position = this.positionAt(at);
    if (groups === undefined || position === undefined) return;
    this.ended.push({
      groups: groups.finished,
      rejects: this.#rejections.take(),
      hashes: this.#hashes?.take(),
      position,
    });
    groups.finished = [];
    if (this.#options.duplicates === "part") this.seen = new SeenRows();
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
    if (this.#skip === 0) return reader.push(text);
    const skipped = Math.min(this.#skip, text.length);
    this.#skip -= skipped;
    return reader.push(text.subarray(skipped));
  }

  #visit(cells: RecordCells): Verdict {
    if (isEmptyLine(cells)) {
      this.emptyLines += 1;
      return undefined;
    }
    return this.groups === undefined ? this.#header(cells.texts()) : this.#row(cells, this.groups);
  }

  #row(cells: RecordCells, groups: RowGroupBuilder): Verdict {
    this.rowsIn += 1;
    if (isBlankRow(cells)) {
      this.blankRows += 1;
      return undefined;
    }
    const fault = rowFault(cells, groups, this.#nulSeen);
    if (fault !== undefined) return fault;
    if (this.#options.duplicates !== "none") {
      this.#hasher.hash(cells, this.#hash);
      if (!this.seen.add(this.#hash)) {
        this.duplicates += 1;
        return undefined;
      }
      this.#hashes?.push(this.#hash);
    }
    return groups.runSteps(cells) ?? (groups.add(cells) ? "ends-part" : undefined);
  }

  #header(texts: ReadonlyArray<Cell>): Verdict {
    const cells = texts.map((text) => text ?? "");
    if (cells.every((cell) => cell.trim() === ""))
      return {
        failure: new CsvNoColumns({ source: this.#options.source, line: this.emptyLines + 1 }),
      };
    const failure = this.#begin(cells, true);
    return failure === undefined ? undefined : { failure };
  }

  /** The columns are known. */
  #begin(header: ReadonlyArray<string>, emptyIsNull: boolean): CsvFailure | undefined {
    this.#keys = header;
    this.#emptyIsNull = emptyIsNull;
    const columns = openColumns(header, emptyIsNull, this.#options);
    if (Result.isFailure(columns)) return columns.failure;
    this.groups = columns.success.groups;
    this.renamed = columns.success.renamed;
    this.ignored = columns.success.ignored;
    return undefined;
  }

  /** A row is rejected; says when the file is hopeless. */
  rejected(reject: Reject): CsvFailure | undefined {
    const { line, detail, reason } = reject;
    if (this.groups === undefined && this.#opened?.format === "csv")
      return new CsvHeaderBroken({ source: this.#options.source, line, detail });
    // A broken line never becomes a record, so it has not been counted yet.
    if (reason === "stray-quote") this.rowsIn += 1;
    return this.#rejections.add(reject, this.rowsIn);
  }

  /** Whether a file that has ended has too many rejects. */
  judge(): CsvTooManyRejects | undefined {
    return this.#rejections.judge(this.rowsIn, this.groups?.rows);
  }
}
