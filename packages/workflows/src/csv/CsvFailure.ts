/**
 * Why a CSV file as a whole cannot be taken: all permanent, so none is worth a retry.
 *
 * Each says what happened, to which object (`source`), and what to do next. A single bad row is no failure: it is
 * rejected and kept (see Reject).
 */
import { Schema } from "effect";

/** Nothing in it: no bytes, or only blank lines. */
export class CsvEmpty extends Schema.TaggedError<CsvEmpty>()("CsvEmpty", {
  source: Schema.String,
  bytes: Schema.Int,
}) {
  readonly failureClass = "permanent";
  override get message(): string {
    return `${this.source} holds no data (${this.bytes} bytes, no header). Upload it again once it has been written completely.`;
  }
}

/** It is not a text file. */
export class CsvNotText extends Schema.TaggedError<CsvNotText>()("CsvNotText", {
  source: Schema.String,
  /** What it looks like, e.g. `a gzip archive`. */
  found: Schema.String,
}) {
  readonly failureClass = "permanent";
  override get message(): string {
    return `${this.source} is not a text file: it looks like ${this.found}. Export it as CSV text and upload it again.`;
  }
}

/** Its bytes are not what its encoding allows. */
export class CsvUndecodable extends Schema.TaggedError<CsvUndecodable>()("CsvUndecodable", {
  source: Schema.String,
  encoding: Schema.String,
  /** Where the first bad byte stands, from 0. */
  byteOffset: Schema.Int,
}) {
  readonly failureClass = "permanent";
  override get message(): string {
    return `${this.source} is not valid ${this.encoding}: bad byte at offset ${this.byteOffset}. Declare its real encoding (utf-8, utf-16le, utf-16be or windows-1252) or export it as UTF-8.`;
  }
}

/** The first record names no column. */
export class CsvNoColumns extends Schema.TaggedError<CsvNoColumns>()("CsvNoColumns", {
  source: Schema.String,
  line: Schema.Int,
}) {
  readonly failureClass = "permanent";
  override get message(): string {
    return `${this.source} has no column names: the header on line ${this.line} is blank. Add a header line.`;
  }
}

/** The first record is broken, so that no row can be told from another. */
export class CsvHeaderBroken extends Schema.TaggedError<CsvHeaderBroken>()("CsvHeaderBroken", {
  source: Schema.String,
  line: Schema.Int,
  detail: Schema.String,
}) {
  readonly failureClass = "permanent";
  override get message(): string {
    return `${this.source} has a broken header on line ${this.line}: ${this.detail}. Double the quotes inside quoted names.`;
  }
}

/** The header is wider than any table. */
export class CsvTooManyColumns extends Schema.TaggedError<CsvTooManyColumns>()(
  "CsvTooManyColumns",
  { source: Schema.String, columns: Schema.Int, columnsMax: Schema.Int },
) {
  readonly failureClass = "permanent";
  override get message(): string {
    return `${this.source} has ${this.columns} columns; at most ${this.columnsMax} are taken. Check its line ends and delimiter.`;
  }
}

/** A quote is opened and never closed: everything after it would be one cell. */
export class CsvQuoteUnclosed extends Schema.TaggedError<CsvQuoteUnclosed>()("CsvQuoteUnclosed", {
  source: Schema.String,
  /** Where the record with the open quote begins, from 1. */
  line: Schema.Int,
}) {
  readonly failureClass = "permanent";
  override get message(): string {
    return `${this.source} has a quote that is opened in the record on line ${this.line} and never closed. Close or double the quote there.`;
  }
}

/** A record is longer than the limit, without an open quote to explain it. */
export class CsvRecordTooLong extends Schema.TaggedError<CsvRecordTooLong>()("CsvRecordTooLong", {
  source: Schema.String,
  line: Schema.Int,
  bytesMax: Schema.Int,
}) {
  readonly failureClass = "permanent";
  override get message(): string {
    return `${this.source} has a record longer than ${this.bytesMax} bytes on line ${this.line}. Check its line ends.`;
  }
}

/** So many rows are unusable that the rest cannot be trusted. */
export class CsvTooManyRejects extends Schema.TaggedError<CsvTooManyRejects>()(
  "CsvTooManyRejects",
  {
    source: Schema.String,
    rowsIn: Schema.Int,
    rowsRejected: Schema.Int,
    /** The first rejected row: line and reason. */
    first: Schema.String,
  },
) {
  readonly failureClass = "permanent";
  override get message(): string {
    return `${this.source}: ${this.rowsRejected} of ${this.rowsIn} rows are unusable (first: ${this.first}). Check the delimiter and the producer, then upload it again.`;
  }
}

/** Columns that the declared schema asks for are not in the file. */
export class CsvColumnsMissing extends Schema.TaggedError<CsvColumnsMissing>()(
  "CsvColumnsMissing",
  { source: Schema.String, columns: Schema.Array(Schema.String) },
) {
  readonly failureClass = "permanent";
  override get message(): string {
    return `${this.source} lacks columns that the declared schema needs: ${this.columns.join(", ")}. Add them to the file, or make the fields optionalKey.`;
  }
}

/** The file has columns that the declared schema does not know. */
export class CsvColumnsUnknown extends Schema.TaggedError<CsvColumnsUnknown>()(
  "CsvColumnsUnknown",
  { source: Schema.String, columns: Schema.Array(Schema.String) },
) {
  readonly failureClass = "permanent";
  override get message(): string {
    return `${this.source} has columns that the declared schema does not know: ${this.columns.join(", ")}. Declare them, or set undeclaredColumns to "ignore".`;
  }
}

/** It begins like a gzip archive and is none, or a damaged one. */
export class CsvNotInflatable extends Schema.TaggedError<CsvNotInflatable>()("CsvNotInflatable", {
  source: Schema.String,
  /** Bytes of the file that had been read when it broke. */
  bytesRead: Schema.Int,
}) {
  readonly failureClass = "permanent";
  override get message(): string {
    return `${this.source} is a gzip archive that is damaged or ends early (seen within its first ${this.bytesRead} bytes). Compress it again and upload it again.`;
  }
}

/** A compressed file holds more than it may: a gzip bomb, or a file for another pipeline. */
export class CsvInflatesTooFar extends Schema.TaggedError<CsvInflatesTooFar>()(
  "CsvInflatesTooFar",
  { source: Schema.String, bytesIn: Schema.Int, bytesOut: Schema.Int },
) {
  readonly failureClass = "permanent";
  override get message(): string {
    return `${this.source} grows too far: its first ${this.bytesIn} bytes hold ${this.bytesOut} or more. Split it, or raise inflatedBytesMax or inflateRatioMax if it is what it should be.`;
  }
}

/** The file's JSON is broken in a way that no record of it can be trusted. */
export class JsonBroken extends Schema.TaggedError<JsonBroken>()("JsonBroken", {
  source: Schema.String,
  line: Schema.Int,
  detail: Schema.String,
}) {
  readonly failureClass = "permanent";
  override get message(): string {
    return `${this.source} is broken JSON, seen on line ${this.line}: ${this.detail}. Write one array of objects, or an object per line, and upload it again.`;
  }
}

/** The rows of one part go to more months than files may be open. */
export class CsvTooManyMonths extends Schema.TaggedError<CsvTooManyMonths>()("CsvTooManyMonths", {
  source: Schema.String,
  column: Schema.String,
  part: Schema.Int,
  monthsMax: Schema.Int,
}) {
  readonly failureClass = "permanent";
  override get message(): string {
    return `${this.source} has rows of more than ${this.monthsMax} months in its part ${this.part}, by its column ${JSON.stringify(this.column)}. Upload files of fewer months, or lower partRows.`;
  }
}

/** Any reason for which a CSV file is invalid. */
export const CsvFailure = Schema.Union([
  CsvEmpty,
  CsvNotText,
  CsvUndecodable,
  CsvNoColumns,
  CsvHeaderBroken,
  CsvTooManyColumns,
  CsvQuoteUnclosed,
  CsvRecordTooLong,
  CsvTooManyRejects,
  CsvColumnsMissing,
  CsvColumnsUnknown,
  CsvNotInflatable,
  CsvInflatesTooFar,
  JsonBroken,
  CsvTooManyMonths,
]);
export type CsvFailure = typeof CsvFailure.Type;
