/**
 * The default Parquet encoder: hyparquet-writer with snappy or zstd, automatic dictionaries and statistics in UTF-8 order.
 */
import { Effect, Layer } from "effect";
import { ByteWriter, ParquetWriter } from "hyparquet-writer";
import { zstdCompressSync } from "node:zlib";
import type { ByteSink } from "./ByteSink.ts";
import type { ColumnPlan, GroupColumn } from "./ColumnPlan.ts";
import { hyparquetColumns, writeGroup } from "./hyparquetGroup.ts";
import type { ParquetCodec } from "./ParquetCodec.ts";
import { compressSnappy } from "./snappy.ts";
import { ParquetEncoder, ParquetEncodingFailed } from "./ParquetEncoder.ts";

type SchemaElements = ConstructorParameters<typeof ParquetWriter>[0]["schema"];
type SchemaElement = SchemaElements[number];

const name = "hyparquet-writer";

/** Bytes of a decimal's unscaled value when neither INT32 nor INT64 holds it: two's complement, with the sign. */
const decimalBytes = (precision: number): number => {
  let bytes = 9;
  while (2n ** BigInt(8 * bytes - 1) <= 10n ** BigInt(precision)) bytes += 1;
  return bytes;
};

/** The smallest type that holds the precision. Source: Parquet logical types, DECIMAL. */
const decimalType = (precision: number): Partial<SchemaElement> => {
  if (precision <= 9) return { type: "INT32" };
  if (precision <= 18) return { type: "INT64" };
  return { type: "FIXED_LEN_BYTE_ARRAY", type_length: decimalBytes(precision) };
};

const simpleTypes: Record<Exclude<ColumnPlan["kind"], "decimal">, Partial<SchemaElement>> = {
  text: { type: "BYTE_ARRAY", converted_type: "UTF8", logical_type: { type: "STRING" } },
  // The converted type comes with the footer: before, it would make the library print each text again.
  json: { type: "BYTE_ARRAY", logical_type: { type: "JSON" } },
  boolean: { type: "BOOLEAN" },
  int32: { type: "INT32" },
  int64: { type: "INT64" },
  double: { type: "DOUBLE" },
  date: { type: "INT32", converted_type: "DATE", logical_type: { type: "DATE" } },
  timestamp: {
    type: "INT64",
    converted_type: "TIMESTAMP_MILLIS",
    logical_type: { type: "TIMESTAMP", isAdjustedToUTC: true, unit: "MILLIS" },
  },
};

const physicalType = (column: ColumnPlan): Partial<SchemaElement> => {
  if (column.kind !== "decimal") return simpleTypes[column.kind];
  const { precision, scale } = column;
  return {
    ...decimalType(precision),
    converted_type: "DECIMAL",
    logical_type: { type: "DECIMAL", precision, scale },
    precision,
    scale,
  };
};

const schemaOf = (plan: ReadonlyArray<ColumnPlan>): SchemaElements => [
  { name: "root", num_children: plan.length },
  ...plan.map((column) => ({
    ...physicalType(column),
    name: column.name,
    repetition_type: column.nullable ? ("OPTIONAL" as const) : ("REQUIRED" as const),
  })),
];

/** Older readers, DuckDB among them, know JSON by its converted type only. */
const nameJson = (schema: SchemaElements): void => {
  for (const element of schema)
    if (element.logical_type?.type === "JSON") element.converted_type = "JSON";
};

/** The library's own snappy takes three times as long as the one that it descends from. */
const compression = {
  snappy: { codec: "SNAPPY", compressors: { SNAPPY: compressSnappy } },
  zstd: { codec: "ZSTD", compressors: { ZSTD: (bytes: Uint8Array) => zstdCompressSync(bytes) } },
} as const;

const failed = (operation: string) => (cause: unknown) =>
  new ParquetEncodingFailed({ encoder: name, operation, cause });

const open = Effect.fnUntraced(function* <E, R>(
  plan: ReadonlyArray<ColumnPlan>,
  sink: ByteSink<E, R>,
  codec: ParquetCodec,
) {
  const buffer = new ByteWriter();
  const schema = schemaOf(plan);
  const writer = yield* Effect.try({
    try: () =>
      new ParquetWriter({ writer: buffer, schema, createdBy: "millrace", ...compression[codec] }),
    catch: failed("open a file"),
  });

  const hyparquet = hyparquetColumns(schema, compression[codec]);

  /** `offset` counts the whole file, `index` only what the buffer holds: resetting the latter keeps memory flat. */
  const drain = Effect.suspend(() => {
    const bytes = buffer.getBytes().slice();
    buffer.index = 0;
    return bytes.length === 0 ? Effect.void : sink(bytes);
  });

  return {
    writeRowGroup: (columns: ReadonlyArray<GroupColumn>, rows: number) =>
      Effect.try({
        try: () => {
          writeGroup(writer, hyparquet, columns, rows);
        },
        catch: failed("write a row group"),
      }).pipe(Effect.andThen(drain)),
    finish: Effect.try({
      try: () => {
        nameJson(schema);
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
