/**
 * The pipelines' public face: the CSV and image transforms, and the pure key functions.
 */
export * from "./csv/CsvFailure.ts";
export { type CsvOptions, Duplicates } from "./csv/CsvOptions.ts";
export { CsvPart, CsvReport, CsvStages, DateColumn } from "./csv/CsvReport.ts";
export { type CsvSinks, csvToParquet } from "./csv/csvToParquet.ts";
export { CsvDelimiter } from "./csv/Delimiter.ts";
export { CsvEncoding, EncodingOrigin } from "./csv/Encoding.ts";
export { CsvQuote } from "./csv/Quote.ts";
export { InputFormat } from "./input/InputFormat.ts";
export { RenamedColumn } from "./csv/Header.ts";
export { Reject, RejectReason } from "./csv/Reject.ts";
export { RejectsFormat } from "./csv/RejectsFile.ts";
export { CsvSniff, csvSniffBytesMax, sniffCsv, type SniffInput } from "./csv/sniffCsv.ts";
export { SpillFailed } from "./csv/SpillFile.ts";
export { SlashDates } from "./csv/Timestamp.ts";
export * as Column from "./schema/Column.ts";
export {
  columnPlan,
  ColumnUnsupported,
  type DeclaredColumn,
  type RowSchema,
} from "./schema/columnPlan.ts";
export { type InferredColumn } from "./schema/InferredColumn.ts";
export { InferredFrom, type InferredSchema, inferSchema } from "./schema/inferSchema.ts";
export { renderField, renderSchema, schemaName } from "./schema/renderSchema.ts";
export { joinReference, type JoinOptions } from "./steps/joinReference.ts";
export { type Reference, ReferenceInvalid } from "./steps/Reference.ts";
export { referenceStep, type RowStep, rowStep, StepUnsupported } from "./steps/RowStep.ts";
export { UndeclaredColumns } from "./schema/matchColumns.ts";
export type { ByteSink } from "./parquet/ByteSink.ts";
export { ColumnKind, ColumnPlan, type ColumnValues } from "./parquet/ColumnPlan.ts";
export { type Dataset, DatasetUnsupported, PartitionKeyTaken } from "./dataset/Dataset.ts";
export { type PartitionBy, PartitionUnsupported } from "./dataset/partitionBy.ts";
export { DuckDbFailed, type DuckDbLimits } from "./duckdb/DuckDb.ts";
export { duckPass } from "./duckdb/duckPass.ts";
export { NotForDuckDb } from "./duckdb/NotForDuckDb.ts";
export { ParquetCodec } from "./parquet/ParquetCodec.ts";
export { layerHyparquet } from "./parquet/layerHyparquet.ts";
export { layerParquetjsLite } from "./parquet/layerParquetjsLite.ts";
export {
  ParquetEncoder,
  ParquetEncodingFailed,
  type ParquetPart,
} from "./parquet/ParquetEncoder.ts";
export { parquetKey, type ParquetKeyInput, partKeys } from "./csv/parquetKey.ts";
export * from "./images/ImageFailure.ts";
export { Dimensions, ImageMetadata, RenditionInfo } from "./images/ImageMetadata.ts";
export { boxName, type RenditionBox, renditionBoxes } from "./images/renditionTable.ts";
export {
  detectImageType,
  ImageType,
  mimeTypes,
  RenditionType,
  renditionTypeOf,
} from "./images/ImageType.ts";
export {
  type ImageOptions,
  renderRenditions,
  type Rendition,
  type RenditionOptions,
} from "./images/renderRenditions.ts";
export { renditionKey, type RenditionKeyInput } from "./images/renditionKey.ts";
export {
  chooseCompute,
  ComputeChoice,
  type ComputeRules,
  withoutTask,
  type Work,
} from "./compute/chooseCompute.ts";
export { layerWorkflowsToCheck } from "./layerWorkflows.ts";
export { depthMax, LoopStopped } from "./outputMetadata.ts";
export { Buckets } from "./Buckets.ts";
export {
  CsvToParquet,
  layerCsvToParquet,
  layerCsvToParquetWith,
} from "./csvToParquet/CsvToParquet.ts";
export {
  CsvTransformTask,
  layerCsvTransformTask,
  layerCsvTransformTaskWith,
} from "./csvToParquet/CsvTransformTask.ts";
export {
  type CsvPipelineOptions,
  type CsvPipelinePlan,
  planCsvPipeline,
} from "./csvToParquet/CsvPipelineOptions.ts";
export { CsvObjectFailure, Transformed } from "./csvToParquet/activities.ts";
export { Manifest } from "./csvToParquet/Manifest.ts";
export { isInParts, transformParts } from "./csvToParquet/transformParts.ts";
export { CatalogUnavailable, ImageCatalog, ImageRecord } from "./imageRenditions/ImageCatalog.ts";
export {
  ImageRenditions,
  layerImageRenditions,
  layerImageRenditionsWith,
} from "./imageRenditions/ImageRenditions.ts";
