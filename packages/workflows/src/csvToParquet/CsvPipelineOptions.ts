/**
 * What a pipeline says of its files: given to the workflow's layer, once for all files.
 */
import { Result } from "effect";
import type { CsvOptions } from "../csv/CsvOptions.ts";
import type { RejectsFormat } from "../csv/RejectsFile.ts";
import {
  checkDataset,
  checkKeys,
  type Dataset,
  type DatasetUnsupported,
  type PartitionKeyTaken,
} from "../dataset/Dataset.ts";
import {
  checkPartitionBy,
  monthColumn,
  type PartitionUnsupported,
} from "../dataset/partitionBy.ts";
import type { DuckDbLimits } from "../duckdb/DuckDb.ts";
import { outputColumns, type PlannedStep, planSteps } from "../steps/planSteps.ts";
import type { RowStep, StepUnsupported } from "../steps/RowStep.ts";
import { pipelines } from "../topology.ts";
import { columnPlan, type ColumnUnsupported, type RowSchema } from "../schema/columnPlan.ts";

/** The options of `layerCsvToParquetWith`. */
export interface CsvPipelineOptions extends Pick<
  CsvOptions,
  | "format"
  | "delimiter"
  | "quote"
  | "encoding"
  | "slashDates"
  | "dateColumns"
  | "undeclaredColumns"
  | "duplicates"
  | "codec"
  | "inflatedBytesMax"
  | "inflateRatioMax"
  | "rejectedRowsMax"
  | "rejectedRowsTolerated"
  | "rejectedShareMax"
> {
  /** The rows' schema: a struct, one field per column. @default none: the rules of D1.6, everything else is text */
  readonly schema?: RowSchema | undefined;
  /** What is done with each row behind cleaning, in this order (see `rowStep`, `joinReference`). @default nothing */
  readonly steps?: ReadonlyArray<RowStep> | undefined;
  /** How rejected rows are written. @default csv with a schema, ndjson without */
  readonly rejectsFormat?: RejectsFormat | undefined;
  /** Rows of one part of a file that is written in parts. @default 500,000 */
  readonly partRows?: number | undefined;
  /** A file of more bytes is written in parts; of a file whose name ends with `.gz`, an eighth. @default 64 MiB */
  readonly partsAboveBytes?: number | undefined;
  /**
   * Which engine writes files in parts. `duckdb` takes a quarter less processor time where a schema is declared, as much as
   * `stream` where none is, and twice its memory; it needs @duckdb/node-api (for a function among the topology's
   * `nativePackages`), and leaves to `stream` what it might read differently. @default duckdb in a task, stream in a function
   */
  readonly engine?: "stream" | "duckdb" | undefined;
  /** Writes the outputs as one table, registered in a data catalog. @default none */
  readonly dataset?: Dataset | undefined;
  /** How much DuckDB may take. */
  readonly duckDb?: DuckDbLimits | undefined;
}

/** The options as activities use them: the schema's columns in its place. */
export type CsvPipelinePlan = Omit<
  CsvOptions,
  | "source"
  | "sourceFile"
  | "processedAtEpochMs"
  | "rejectsFormat"
  | "partRowsMax"
  | "keepHashes"
  | "rowSteps"
> &
  Pick<CsvPipelineOptions, "partRows" | "partsAboveBytes" | "engine" | "duckDb" | "dataset"> & {
    readonly rejectsFormat: RejectsFormat;
    readonly steps?: ReadonlyArray<PlannedStep> | undefined;
    /** What is cut off an input's key, and what its output's begins with instead. @default csv-to-parquet's */
    readonly place?: { readonly prefix: string; readonly root: string };
  };

/** Where the outputs of a plan lie. */
export const placeOf = ({ dataset, place }: Pick<CsvPipelinePlan, "dataset" | "place">) => ({
  prefix: place?.prefix ?? pipelines.csvToParquet.trigger.prefix,
  root: place?.root ?? "processed",
  table: dataset?.table,
  inMonths: monthColumn(dataset) !== undefined,
});

/** Refuses a schema that cannot be columns, and steps that do not go with it, before any file comes. */
export const planCsvPipeline = ({
  schema,
  steps = [],
  ...options
}: CsvPipelineOptions): Result.Result<
  CsvPipelinePlan,
  | ColumnUnsupported
  | DatasetUnsupported
  | PartitionKeyTaken
  | PartitionUnsupported
  | StepUnsupported
> =>
  Result.gen(function* () {
    yield* checkDataset(options.dataset);
    const rejectsFormat = options.rejectsFormat ?? (schema === undefined ? "ndjson" : "csv");
    const columns = schema === undefined ? undefined : yield* columnPlan(schema);
    const planned = yield* planSteps(steps, columns);
    const outputs = outputColumns(columns?.map(({ plan }) => plan) ?? [], planned);
    yield* checkKeys(options.dataset, outputs);
    yield* checkPartitionBy(options.dataset, outputs);
    return {
      ...options,
      ...(columns !== undefined && { columns }),
      ...(planned.length > 0 && { steps: planned }),
      rejectsFormat,
    };
  });
