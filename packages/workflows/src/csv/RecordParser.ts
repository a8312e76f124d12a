/**
 * csv-parse as a synchronous function: bytes in, records and where each ends out.
 *
 * The parser is a stream whose transform runs within `write`. Taking each record as it is pushed, instead of reading it
 * back from the stream's queue, gives the record's exact end (`info.bytes` at that moment), which is what raw text and
 * line numbers of rejected rows are cut from, and saves the queue.
 */
import { type CsvError, type Options, Parser } from "csv-parse";
import { recordBytesMax } from "./Limits.ts";
import type { CsvQuote } from "./Quote.ts";

const options = (delimiter: string, quote: CsvQuote): Options => ({
  // Marks are handled before; a record may begin with the same bytes as data.
  bom: false,
  delimiter,
  quote: quote === "none" ? null : quote,
  escape: quote === "none" ? null : quote,
  // Without the list the first line decides, and a file with mixed line ends is corrupted.
  record_delimiter: ["\r\n", "\n", "\r"],
  // Width is checked by us: the library's own check ends the file.
  relax_column_count: true,
  // A strict parser stops inside the record; RecordReader finds broken ones itself and restarts behind them.
  relax_quotes: true,
  max_record_size: recordBytesMax,
});

/** A parser that collects what it parses. */
export class RecordParser extends Parser {
  /** Records parsed and not yet taken. */
  records: Array<ReadonlyArray<string>> = [];
  /** For each of them, the offset behind its line end, from the first byte this parser was given. */
  ends: Array<number> = [];

  constructor(delimiter: string, quote: CsvQuote) {
    super(options(delimiter, quote));
    // The failure is read from `failure`; without a listener the event would end the process.
    this.on("error", () => undefined);
  }

  override push(record: ReadonlyArray<string> | null): boolean {
    if (record === null) return super.push(null);
    this.records.push(record);
    this.ends.push(this.info.bytes);
    return true;
  }

  /** Why the parser stopped, if it did. */
  get failure(): CsvError | Error | null {
    return this.errored;
  }
}
