/**
 * A schema proposed from the beginning of a file: what `millrace infer` prints. Pipelines never infer.
 */
import { Effect, Schema, Stream } from "effect";
import { failWith } from "../csv/failWith.ts";
import { type CsvOptions, withDefaults } from "../csv/CsvOptions.ts";
import { CsvPass } from "../csv/CsvPass.ts";
import { textKind } from "../csv/Opened.ts";
import { JsonFormat } from "../input/InputFormat.ts";
import { CsvDelimiter } from "../csv/Delimiter.ts";
import { CsvEncoding } from "../csv/Encoding.ts";
import { chunkBytesMax } from "../csv/Limits.ts";
import { inflated, type InflateFigures } from "../input/inflated.ts";
import { rowValues } from "../parquet/rowValues.ts";
import { ColumnInference, type InferredColumn } from "./InferredColumn.ts";

/** What was looked at. */
export const InferredFrom = Schema.Struct({
  rows: Schema.Int,
  /** Bytes of text. */
  bytes: Schema.Int,
  /** Whether that was the whole file. */
  whole: Schema.Boolean,
  rowsRejected: Schema.Int,
  encoding: CsvEncoding,
  /** What kind of text it is, unless it is CSV. */
  format: Schema.optionalKey(JsonFormat),
  /** Of CSV only. */
  delimiter: Schema.optionalKey(CsvDelimiter),
});

/** A proposal. */
export interface InferredSchema {
  readonly from: typeof InferredFrom.Type;
  readonly columns: ReadonlyArray<InferredColumn>;
}

/** The columns of a pass as inferences, once its header has been read. */
const makeInferences = (pass: CsvPass) => {
  let inferences: ReadonlyArray<ColumnInference> | undefined;
  return () => {
    const { groups } = pass;
    if (groups === undefined) return [];
    const isJson = pass.opened?.format !== "csv";
    inferences ??= groups.plan
      .slice(0, groups.width)
      .map(({ name }) => new ColumnInference(name, isJson));
    for (const group of groups.finished)
      for (const [index, column] of group.columns.entries())
        for (const value of rowValues(column).values)
          inferences[index]?.add(value === null ? null : String(value));
    groups.finished = [];
    return inferences;
  };
};

/** Looks at the first `sampleBytes` of text. Fails: CsvFailure - the file is invalid, as far as it was read */
export const inferSchema = Effect.fn("inferSchema")(function* <E, R>(
  options: Pick<CsvOptions, "source" | "format" | "delimiter" | "quote" | "encoding">,
  source: Stream.Stream<Uint8Array, E, R>,
  sampleBytes: number,
) {
  const complete = withDefaults({
    ...options,
    sourceFile: options.source,
    processedAtEpochMs: 0,
    // Every column as text, every row: what is looked at are the texts.
    dateColumns: [],
    duplicates: "none",
    rejectedShareMax: 1,
    rejectedRowsKept: 0,
  });
  const pass = new CsvPass(complete);
  const look = makeInferences(pass);
  const figures: InflateFigures = { compression: undefined, bytes: 0 };
  const take = Effect.fnUntraced(function* (chunk: Uint8Array) {
    for (let at = 0; at < chunk.length && pass.bytesIn < sampleBytes; at += chunkBytesMax) {
      const end = Math.min(at + chunkBytesMax, at + sampleBytes - pass.bytesIn);
      yield* failWith(pass.push(chunk.subarray(at, end)));
      look();
    }
  });
  let given = 0;
  yield* inflated(options.source, source, complete, figures).pipe(
    Stream.tap((chunk) => Effect.sync(() => (given += chunk.length))),
    Stream.takeUntil(() => given > sampleBytes),
    Stream.runForEach(take),
  );
  const whole = given <= sampleBytes;
  // A sample ends anywhere: what it has cut in two is left out.
  yield* failWith(whole ? pass.end() : pass.open());
  pass.groups?.cut(false);
  const columns = look().map((inference) => inference.column);
  const { encoding } = pass.opened?.text ?? { encoding: "utf-8" as const };
  const from = {
    rows: pass.groups?.rows ?? 0,
    bytes: pass.bytesIn,
    whole,
    rowsRejected: pass.rowsRejected,
    encoding,
    ...(pass.opened !== undefined && textKind(pass.opened)),
  };
  return { from, columns } satisfies InferredSchema;
});
