/**
 * How the pages of a Parquet file are compressed: `snappy`, which every reader knows, or `zstd`, a quarter smaller.
 */
import { Schema } from "effect";

/** The codecs that are written. */
export const ParquetCodec = Schema.Literals(["snappy", "zstd"]);
export type ParquetCodec = typeof ParquetCodec.Type;
