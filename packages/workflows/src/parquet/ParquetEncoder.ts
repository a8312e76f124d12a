/**
 * Writes columns as a Parquet file, row group by row group, in constant memory.
 *
 * Two implementations: `layerHyparquet` (the default: dictionary, true statistics) and `layerParquetjsLite` (plain
 * pages, no statistics because that library orders text wrongly). The same values give the same bytes every time.
 */
import { Context, type Effect, Schema } from "effect";
import type { ByteSink } from "./ByteSink.ts";
import type { ColumnPlan, GroupColumn } from "./ColumnPlan.ts";
import type { ParquetCodec } from "./ParquetCodec.ts";

/** The encoder refused the values it was given: a bug on our side or a value beyond the format; retrying cannot help. */
export class ParquetEncodingFailed extends Schema.TaggedError<ParquetEncodingFailed>()(
  "ParquetEncodingFailed",
  { encoder: Schema.String, operation: Schema.String, cause: Schema.Defect() },
) {
  readonly failureClass = "permanent";
  override get message(): string {
    return `The Parquet encoder ${this.encoder} failed to ${this.operation}: ${String(this.cause)}. Please report it with the input file.`;
  }
}

/** One Parquet file being written. Calls must be made one after another. */
export interface ParquetPart<E, R> {
  /**
   * Encodes one row group and hands its bytes to the sink before it returns.
   *
   * Columns stand in the plan's order and all hold `rows` values. Nothing of them is kept: their arrays are used again.
   */
  readonly writeRowGroup: (
    columns: ReadonlyArray<GroupColumn>,
    rows: number,
  ) => Effect.Effect<void, ParquetEncodingFailed | E, R>;
  /** Writes the footer and tells the file's size. Without any row group the file is valid and has no rows. */
  readonly finish: Effect.Effect<{ readonly bytes: number }, ParquetEncodingFailed | E, R>;
}

/** Opens Parquet files. */
export class ParquetEncoder extends Context.Service<
  ParquetEncoder,
  {
    readonly name: string;
    readonly open: <E, R>(
      plan: ReadonlyArray<ColumnPlan>,
      sink: ByteSink<E, R>,
      codec: ParquetCodec,
    ) => Effect.Effect<ParquetPart<E, R>, ParquetEncodingFailed>;
  }
>()("@millrace/workflows/parquet/ParquetEncoder") {}
