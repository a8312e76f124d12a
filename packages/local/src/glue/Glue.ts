/**
 * The part of AWS Glue that a pipeline needs: tables and partitions of a data catalog.
 *
 * Every database is there; tables and partitions are kept as they were given. What is not here is refused by name.
 * Source: AWS Glue API reference 2017-03-31
 */
import { Context, Effect, Layer, Schema } from "effect";
import { AwsError } from "../AwsError.ts";
import { Documents } from "../Documents.ts";
import type { JsonOperations } from "../http/AwsRequest.ts";
import { operationsOf } from "../http/operation.ts";
import { LocalState } from "../LocalState.ts";

const optional = Schema.optionalKey(Schema.String);

const Column = Schema.Struct({ Name: Schema.String, Type: optional, Comment: optional });

const StorageDescriptor = Schema.Struct({
  Columns: Schema.optionalKey(Schema.Array(Column)),
  Location: optional,
  InputFormat: optional,
  OutputFormat: optional,
  SerdeInfo: Schema.optionalKey(
    Schema.Struct({
      SerializationLibrary: optional,
      Parameters: Schema.optionalKey(Schema.Record(Schema.String, Schema.String)),
    }),
  ),
});

const TableInput = Schema.Struct({
  Name: Schema.String,
  Description: optional,
  TableType: optional,
  Parameters: Schema.optionalKey(Schema.Record(Schema.String, Schema.String)),
  PartitionKeys: Schema.optionalKey(Schema.Array(Column)),
  StorageDescriptor: Schema.optionalKey(StorageDescriptor),
});

const Table = Schema.Struct({ ...TableInput.fields, DatabaseName: Schema.String });

const PartitionInput = Schema.Struct({
  Values: Schema.Array(Schema.String),
  StorageDescriptor: Schema.optionalKey(StorageDescriptor),
});

const Partition = Schema.Struct({
  ...PartitionInput.fields,
  DatabaseName: Schema.String,
  TableName: Schema.String,
});

const failure = (code: string, message: string): AwsError =>
  new AwsError({ code, message, status: 400 });

const operation = operationsOf("Glue", ({ message }) => failure("InvalidInputException", message));

const inDatabase = { DatabaseName: Schema.String };
const inTable = { ...inDatabase, TableName: Schema.String };

const keyOf = (...names: ReadonlyArray<string>): string => JSON.stringify(names);

const makeOperations = ({ database }: typeof LocalState.Service): JsonOperations => {
  const table = "glue_documents";
  const tables = new Documents(database, { table, kind: "table" }, Table);
  const partitions = new Documents(database, { table, kind: "partition" }, Partition);

  const find = (DatabaseName: string, name: string) => {
    const found = tables.get(keyOf(DatabaseName, name));
    return found === undefined
      ? Effect.fail(failure("EntityNotFoundException", `Entity Not Found: table ${name}`))
      : Effect.succeed(found);
  };

  return {
    CreateTable: operation(
      "CreateTable",
      Schema.Struct({ ...inDatabase, TableInput }),
      ({ DatabaseName, TableInput: input }) =>
        Effect.suspend(() => {
          const key = keyOf(DatabaseName, input.Name);
          if (tables.get(key) !== undefined)
            return Effect.fail(failure("AlreadyExistsException", "Table already exists."));
          tables.put(key, { ...input, DatabaseName });
          return Effect.succeed({});
        }),
    ),
    UpdateTable: operation(
      "UpdateTable",
      Schema.Struct({ ...inDatabase, TableInput }),
      ({ DatabaseName, TableInput: input }) =>
        Effect.map(find(DatabaseName, input.Name), () => {
          tables.put(keyOf(DatabaseName, input.Name), { ...input, DatabaseName });
          return {};
        }),
    ),
    GetTable: operation(
      "GetTable",
      Schema.Struct({ ...inDatabase, Name: Schema.String }),
      ({ DatabaseName, Name }) =>
        Effect.map(find(DatabaseName, Name), (found) => ({ Table: found })),
    ),
    BatchCreatePartition: operation(
      "BatchCreatePartition",
      Schema.Struct({ ...inTable, PartitionInputList: Schema.Array(PartitionInput) }),
      ({ DatabaseName, PartitionInputList, TableName }) =>
        Effect.map(find(DatabaseName, TableName), () => ({
          Errors: PartitionInputList.flatMap((input) => {
            const key = keyOf(DatabaseName, TableName, ...input.Values);
            if (partitions.get(key) === undefined) {
              partitions.put(key, { ...input, DatabaseName, TableName });
              return [];
            }
            const ErrorDetail = {
              ErrorCode: "AlreadyExistsException",
              ErrorMessage: "Partition already exists.",
            };
            return [{ PartitionValues: input.Values, ErrorDetail }];
          }),
        })),
    ),
    GetPartitions: operation(
      "GetPartitions",
      Schema.Struct(inTable),
      ({ DatabaseName, TableName }) =>
        Effect.map(find(DatabaseName, TableName), () => ({
          Partitions: partitions
            .all()
            .filter((one) => one.DatabaseName === DatabaseName && one.TableName === TableName),
        })),
    ),
  };
};

export class Glue extends Context.Service<Glue, { readonly operations: JsonOperations }>()(
  "@millrace/local/Glue",
) {
  static readonly layer = Layer.effect(
    Glue,
    Effect.map(LocalState, (state) => Glue.of({ operations: makeOperations(state) })),
  );
}
