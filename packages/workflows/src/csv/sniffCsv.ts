/**
 * A first look at a CSV file, from its first 64 KiB: cheap enough to validate a file before anything else is done.
 *
 * It says no to what is no CSV at all, and tells what the pass will find: encoding, delimiter, columns. What lies behind
 * the first look may still change the encoding (ASCII so far) or be invalid; the pass judges that.
 */
import { Effect, Schema } from "effect";
import { inflateFirst, isGzip } from "../input/Inflater.ts";
import { ColumnKind } from "../parquet/ColumnPlan.ts";
import type { CsvFailure } from "./CsvFailure.ts";
import { type CsvOptions, withDefaults } from "./CsvOptions.ts";
import { CsvPass } from "./CsvPass.ts";
import { textKind } from "./Opened.ts";
import { JsonFormat } from "../input/InputFormat.ts";
import { CsvDelimiter } from "./Delimiter.ts";
import { CsvEncoding, EncodingOrigin } from "./Encoding.ts";
import { RenamedColumn } from "./Header.ts";
import { sniffBytesMax } from "./Limits.ts";
import { toldName, toldRename } from "./toldName.ts";

/** What the first look found. */
export const CsvSniff = Schema.Struct({
  encoding: CsvEncoding,
  encodingOrigin: EncodingOrigin,
  /** What kind of text it is, unless it is CSV. */
  format: Schema.optionalKey(JsonFormat),
  /** Of CSV only. */
  delimiter: Schema.optionalKey(CsvDelimiter),
  /** The output's columns; empty when the header is longer than the first look. */
  columns: Schema.Array(Schema.Struct({ name: Schema.String, kind: ColumnKind })),
  renamed: Schema.Array(RenamedColumn),
});
export type CsvSniff = typeof CsvSniff.Type;

/** Bytes that `sniffCsv` looks at; a caller need not fetch more. */
export const csvSniffBytesMax = sniffBytesMax;

/** What is known of the bytes. */
export interface SniffInput {
  /** The file's beginning: `csvSniffBytesMax` bytes, or all of it. */
  readonly first: Uint8Array;
  /** The whole file's size. */
  readonly bytes: number;
}

/** Looks at a file's first bytes. Fails: CsvFailure - the file is invalid: permanent */
export const sniffCsv = (
  options: CsvOptions,
  { bytes, first }: SniffInput,
): Effect.Effect<CsvSniff, CsvFailure> =>
  Effect.gen(function* () {
    const begun =
      isGzip(first) === true
        ? yield* inflateFirst(options.source, first, sniffBytesMax)
        : { bytes: first, isAll: true };
    const pass = new CsvPass(withDefaults(options));
    const isWhole = first.length >= bytes && begun.isAll;
    const early = pass.push(begun.bytes.subarray(0, sniffBytesMax)) ?? pass.open();
    // Only the end of the file makes a header without a line end, or none at all, known as such.
    const failure = early ?? (isWhole && pass.groups === undefined ? pass.end() : undefined);
    if (failure !== undefined || pass.opened === undefined)
      return yield* failure === undefined
        ? Effect.die("a pass is open after open()")
        : Effect.fail(failure);
    return {
      encoding: pass.opened.text.encoding,
      encodingOrigin: pass.opened.text.origin,
      ...textKind(pass.opened),
      columns: (pass.groups?.plan ?? []).map(({ kind, name }) => ({ name: toldName(name), kind })),
      renamed: pass.renamed.map(toldRename),
    };
  });
