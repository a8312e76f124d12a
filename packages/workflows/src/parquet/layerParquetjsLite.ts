/**
 * The second Parquet encoder: parquetjs-lite 0.8.7, fed column by column.
 *
 * What is avoided, and why: its row API (4 times slower, coerces values, doubles rows when not awaited), its statistics
 * (text ordered by UTF-16, so that readers skip row groups that do hold the value) and its stream class (fails on
 * today's Node). Its files have no dictionary and are about 1.8 times larger than the default encoder's.
 *
 * Each row group goes through a writer of its own, filled column by column, whose `close` encodes the pages and passes
 * the group to the file's one envelope. That leans on the internals of exactly this version; a test guards it.
 */
import { Effect, Layer } from "effect";
import type {
  ColumnBuffer,
  FieldDefinition,
  ParquetEnvelopeWriter,
  RowBuffer,
  default as Library,
} from "parquetjs-lite";
import type { ByteSink } from "./ByteSink.ts";
import type { ColumnPlan, ColumnValues, GroupColumn } from "./ColumnPlan.ts";
import type { ParquetCodec } from "./ParquetCodec.ts";
import { ParquetEncoder, ParquetEncodingFailed } from "./ParquetEncoder.ts";
import { rowValues } from "./rowValues.ts";

const name = "parquetjs-lite";

/** A page per column and row group: row groups are bounded by the caller, so pages are too. */
const envelopeOptions = { pageSize: Number.MAX_SAFE_INTEGER, useDataPageV2: true };

const types: Record<Exclude<ColumnPlan["kind"], "int64" | "decimal">, FieldDefinition["type"]> = {
  text: "UTF8",
  json: "JSON",
  boolean: "BOOLEAN",
  int32: "INT32",
  double: "DOUBLE",
  date: "DATE",
  timestamp: "TIMESTAMP_MILLIS",
};

/** It writes 64-bit integers through a double, and has no decimals: refused before the first row, never rounded. */
const typeOf = ({ kind, name }: ColumnPlan): FieldDefinition["type"] => {
  if (kind === "int64" || kind === "decimal")
    throw new TypeError(
      `it cannot write the ${kind} column ${JSON.stringify(name)} exactly; use layerHyparquet`,
    );
  return types[kind];
};

const fieldsOf = (plan: ReadonlyArray<ColumnPlan>): Record<string, FieldDefinition> =>
  Object.fromEntries(
    plan.map((column) => [
      column.name,
      {
        type: typeOf(column),
        compression: "SNAPPY",
        optional: column.nullable,
        statistics: false,
      },
    ]),
  );

const toColumnBuffer = (nullable: boolean, column: ColumnValues): ColumnBuffer => {
  const values: ColumnBuffer["values"] = [];
  const dlevels: Array<number> = [];
  for (const value of column.values) {
    if (value === null && !nullable) throw new TypeError("null in a column that is not nullable");
    dlevels.push(value !== null && nullable ? 1 : 0);
    if (value === null) continue;
    if (typeof value === "bigint") throw new TypeError("a 64-bit value, which it would round");
    values.push(value);
  }
  return {
    values,
    dlevels,
    rlevels: Array.from({ length: dlevels.length }, () => 0),
    distinct_values: new Set(),
    count: dlevels.length,
  };
};

const toRowBuffer = (
  plan: ReadonlyArray<ColumnPlan>,
  columns: ReadonlyArray<GroupColumn>,
  rows: number,
): RowBuffer => {
  const buffer: RowBuffer = { rowCount: rows, pageRowCount: rows, columnData: {}, pages: {} };
  columns.forEach((values, index) => {
    const column = plan[index];
    if (column === undefined) throw new RangeError(`column ${index} is not in the plan`);
    buffer.columnData[column.name] = toColumnBuffer(column.nullable, rowValues(values));
    buffer.pages[column.name] = [];
  });
  return buffer;
};

/** Passes a group's pages on to the file and swallows what belongs to the file as a whole. */
const groupEnvelope = (file: ParquetEnvelopeWriter) => ({
  pageSize: file.pageSize,
  useDataPageV2: file.useDataPageV2,
  writeHeader: () => undefined,
  writeRowGroup: (rows: RowBuffer) => file.writeRowGroup(rows),
  writeIndex: () => undefined,
  writeFooter: () => undefined,
  close: () => undefined,
});

const failed = (operation: string) => (cause: unknown) =>
  new ParquetEncodingFailed({ encoder: name, operation, cause });

const makeOpen = (library: typeof Library) =>
  Effect.fnUntraced(function* <E, R>(
    plan: ReadonlyArray<ColumnPlan>,
    sink: ByteSink<E, R>,
    codec: ParquetCodec,
  ) {
    if (codec !== "snappy")
      return yield* failed("open a file")(
        new TypeError(`it cannot write ${codec}; use layerHyparquet`),
      );
    const produced: Array<Uint8Array> = [];
    const { file, schema } = yield* Effect.try({
      try: () => {
        const schema = new library.ParquetSchema(fieldsOf(plan));
        const file = new library.ParquetEnvelopeWriter(
          schema,
          (bytes) => void produced.push(bytes),
          () => undefined,
          0,
          envelopeOptions,
        );
        file.writeHeader();
        return { file, schema };
      },
      catch: failed("open a file"),
    });
    const drain = Effect.suspend(() => {
      const bytes = Buffer.concat(produced);
      produced.length = 0;
      return bytes.length === 0 ? Effect.void : sink(bytes);
    });

    return {
      writeRowGroup: (columns: ReadonlyArray<GroupColumn>, rows: number) =>
        Effect.tryPromise({
          try: () => {
            const options = { rowGroupSize: rows + 1 };
            const group = new library.ParquetWriter(schema, groupEnvelope(file), options);
            group.rowBuffer = toRowBuffer(plan, columns, rows);
            return group.close();
          },
          catch: failed("write a row group"),
        }).pipe(Effect.andThen(drain)),
      finish: Effect.try({
        try: () => {
          file.writeIndex();
          file.writeFooter({});
        },
        catch: failed("write the footer"),
      }).pipe(
        Effect.andThen(drain),
        Effect.map(() => ({ bytes: file.offset })),
      ),
    };
  });

/** The second encoder. The library is loaded when the layer is built, not when this module is imported. */
export const layerParquetjsLite: Layer.Layer<ParquetEncoder> = Layer.effect(
  ParquetEncoder,
  Effect.map(
    Effect.promise(() => import("parquetjs-lite")),
    (library) => ({ name, open: makeOpen(library.default) }),
  ),
);
