/**
 * The data catalog on AWS Glue, whose tables Athena queries.
 *
 * Source: AWS Glue API reference 2017-03-31, CreateTable, GetTable, UpdateTable, BatchCreatePartition
 */
import {
  BatchCreatePartitionCommand,
  CreateTableCommand,
  GetTableCommand,
  GlueClient,
  type GlueClientConfig,
  type StorageDescriptor,
  type TableInput,
  UpdateTableCommand,
} from "@aws-sdk/client-glue";
import { Array, Effect, Layer } from "effect";
import {
  Catalog,
  type CatalogColumn,
  CatalogConflict,
  type CatalogPartition,
  type CatalogTable,
  CatalogUnavailable,
} from "../Catalog.ts";
import { awsFailure, isNamed } from "./awsFailure.ts";

/** Tables of the given database, which has to be there. */
export const layerGlue = (
  { database }: { readonly database: string },
  config: GlueClientConfig = {},
): Layer.Layer<Catalog> =>
  Layer.effect(
    Catalog,
    Effect.gen(function* () {
      const client = yield* Effect.acquireRelease(
        Effect.sync(() => new GlueClient(config)),
        (open) => Effect.sync(() => open.destroy()),
      );
      return Catalog.of({
        register: Effect.fnUntraced(function* (table, partitions) {
          const columns = yield* ensureTable(client, database, table);
          for (const some of Array.chunksOf(partitions, partitionsAtOnce))
            yield* ensurePartitions(client, database, { ...table, columns }, some);
        }),
      });
    }),
  );

/** Partitions of one request. Source: as above, BatchCreatePartition, PartitionInputList. */
const partitionsAtOnce = 100;

/** How Parquet is read, in the words of Hive. */
const storage = (location: string, columns: ReadonlyArray<CatalogColumn>): StorageDescriptor => ({
  Columns: columns.map(({ name, type }) => ({ Name: name, Type: type })),
  Location: location,
  InputFormat: "org.apache.hadoop.hive.ql.io.parquet.MapredParquetInputFormat",
  OutputFormat: "org.apache.hadoop.hive.ql.io.parquet.MapredParquetOutputFormat",
  SerdeInfo: {
    SerializationLibrary: "org.apache.hadoop.hive.ql.io.parquet.serde.ParquetHiveSerDe",
  },
});

const tableInput = ({ columns, location, name, partitionKeys }: CatalogTable): TableInput => ({
  Name: name,
  TableType: "EXTERNAL_TABLE",
  Parameters: { classification: "parquet", EXTERNAL: "TRUE" },
  PartitionKeys: partitionKeys.map((key) => ({ Name: key.name, Type: key.type })),
  StorageDescriptor: storage(location, columns),
});

class GlueThrew {
  readonly _tag = "GlueThrew";
  readonly cause: unknown;
  constructor(cause: unknown) {
    this.cause = cause;
  }
}

/** One call; `passing` names an exception that is an answer here, and no failure. */
const send = <A>(table: string, operation: string, passing: string, run: () => Promise<A>) =>
  Effect.tryPromise({ try: run, catch: (cause) => new GlueThrew(cause) }).pipe(
    Effect.catchIf(
      ({ cause }) => isNamed(cause, passing),
      () => Effect.undefined,
    ),
    Effect.mapError(
      ({ cause }) => new CatalogUnavailable({ table, operation, ...awsFailure(cause) }),
    ),
  );

const knownColumns = Effect.fnUntraced(function* (
  client: GlueClient,
  DatabaseName: string,
  Name: string,
) {
  const found = yield* send(Name, "GetTable", "EntityNotFoundException", () =>
    client.send(new GetTableCommand({ DatabaseName, Name })),
  );
  const columns = found?.Table?.StorageDescriptor?.Columns;
  return columns?.map((column): CatalogColumn => ({
    name: column.Name ?? "",
    type: column.Type ?? "",
  }));
});

/** The table's columns, which are at least those that are wanted. */
const ensureTable = Effect.fnUntraced(function* (
  client: GlueClient,
  DatabaseName: string,
  table: CatalogTable,
) {
  const { name } = table;
  let known = yield* knownColumns(client, DatabaseName, name);
  if (known === undefined) {
    const made = yield* send(name, "CreateTable", "AlreadyExistsException", () =>
      client.send(new CreateTableCommand({ DatabaseName, TableInput: tableInput(table) })),
    );
    if (made !== undefined) return table.columns;
    // Another execution was first.
    known = (yield* knownColumns(client, DatabaseName, name)) ?? [];
  }
  const types = new Map(known.map((column) => [column.name, column.type]));
  for (const column of table.columns) {
    const type = types.get(column.name);
    if (type !== undefined && type !== column.type)
      return yield* new CatalogConflict({
        table: name,
        column: column.name,
        known: type,
        wanted: column.type,
      });
  }
  const added = table.columns.filter((column) => !types.has(column.name));
  if (added.length === 0) return known;
  const columns = [...known, ...added];
  yield* send(name, "UpdateTable", "", () =>
    client.send(
      new UpdateTableCommand({ DatabaseName, TableInput: tableInput({ ...table, columns }) }),
    ),
  );
  return columns;
});

/** One that is there already is named in the answer, and stays as it is. */
const ensurePartitions = Effect.fnUntraced(function* (
  client: GlueClient,
  DatabaseName: string,
  { columns, name }: CatalogTable,
  partitions: ReadonlyArray<CatalogPartition>,
) {
  const operation = "BatchCreatePartition";
  const answer = yield* send(name, operation, "AlreadyExistsException", () =>
    client.send(
      new BatchCreatePartitionCommand({
        DatabaseName,
        TableName: name,
        PartitionInputList: partitions.map(({ location, values }) => ({
          Values: [...values],
          StorageDescriptor: storage(location, columns),
        })),
      }),
    ),
  );
  const failed = answer?.Errors?.find(
    ({ ErrorDetail }) => ErrorDetail?.ErrorCode !== "AlreadyExistsException",
  );
  if (failed !== undefined)
    return yield* new CatalogUnavailable({
      table: name,
      operation,
      cause: failed.ErrorDetail?.ErrorMessage ?? failed,
      failureClass: "transient",
    });
});
