/**
 * The default Parquet encoder: hyparquet-writer with snappy, automatic dictionaries and statistics in UTF-8 order.
 */
import { Effect, Layer } from "effect";
import { ByteWriter, ParquetWriter } from "hyparquet-writer";
import type { ByteSink } from "./ByteSink.ts";
import type { ColumnPlan, ColumnValues } from "./ColumnPlan.ts";
import { ParquetEncoder, ParquetEncodingFailed } from "./ParquetEncoder.ts";

type SchemaElements = ConstructorParameters<typeof ParquetWriter>[0]["schema"];
type SchemaElement = SchemaElements[number];

const name = "hyparquet-writer";

const physicalTypes: Record<ColumnPlan["kind"], Partial<SchemaElement>> = {
  text: { type: "BYTE_ARRAY", converted_type: "UTF8", logical_type: { type: "STRING" } },
  timestamp: {
    type: "INT64",
    converted_type: "TIMESTAMP_MILLIS",
    logical_type: { type: "TIMESTAMP", isAdjustedToUTC: true, unit: "MILLIS" },
  },
};

const schemaOf = (plan: ReadonlyArray<ColumnPlan>): SchemaElements => [
  { name: "root", num_children: plan.length },
  ...plan.map((column) => ({
    ...physicalTypes[column.kind],
    name: column.name,
    repetition_type: column.nullable ? ("OPTIONAL" as const) : ("REQUIRED" as const),
  })),
];

/** The library's INT64 takes BigInt only; nulls stay. Equal neighbours, as in a constant column, share one. */
const toInt64 = (values: ReadonlyArray<number | null>): Array<bigint | null> => {
  let previous: number | null = null;
  let converted: bigint | null = null;
  return values.map((value) => {
    if (value !== previous) converted = value === null ? null : BigInt(value);
    previous = value;
    return converted;
  });
};

const toColumnData = (plan: ReadonlyArray<ColumnPlan>, columns: ReadonlyArray<ColumnValues>) =>
  columns.map((column, index) => ({
    name: plan[index]?.name ?? "",
    data: column.kind === "text" ? column.values : toInt64(column.values),
  }));

const failed = (operation: string) => (cause: unknown) =>
  new ParquetEncodingFailed({ encoder: name, operation, cause });

const open = Effect.fnUntraced(function* <E, R>(
  plan: ReadonlyArray<ColumnPlan>,
  sink: ByteSink<E, R>,
) {
  const buffer = new ByteWriter();
  const writer = yield* Effect.try({
    try: () => new ParquetWriter({ writer: buffer, schema: schemaOf(plan), createdBy: "millrace" }),
    catch: failed("open a file"),
  });

  /** `offset` counts the whole file, `index` only what the buffer holds: resetting the latter keeps memory flat. */
  const drain = Effect.suspend(() => {
    const bytes = buffer.getBytes().slice();
    buffer.index = 0;
    return bytes.length === 0 ? Effect.void : sink(bytes);
  });

  return {
    writeRowGroup: (columns: ReadonlyArray<ColumnValues>, rows: number) =>
      Effect.try({
        try: () => {
          // A writer without `flush` writes synchronously, so there is nothing to wait for here.
          void writer.write({ columnData: toColumnData(plan, columns), rowGroupSize: rows });
        },
        catch: failed("write a row group"),
      }).pipe(Effect.andThen(drain)),
    finish: Effect.try({
      try: () => {
        void writer.finish();
      },
      catch: failed("write the footer"),
    }).pipe(
      Effect.andThen(drain),
      Effect.map(() => ({ bytes: buffer.offset })),
    ),
  };
});

/** The default encoder. */
export const layerHyparquet: Layer.Layer<ParquetEncoder> = Layer.succeed(ParquetEncoder, {
  name,
  open,
});
