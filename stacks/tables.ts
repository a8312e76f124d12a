/**
 * The tables, from the same definitions as local mode's: on demand, recoverable to any second of the last 35 days, and in
 * production not to be deleted by mistake.
 */
import { type StageTable, tables as definitions } from "@millrace/functions/tables";
import { stage } from "./stage";

type Keys = NonNullable<StageTable["definition"]["KeySchema"]>;

/** Partition and sort key, in SST's terms. */
const indexOf = (keys: Keys = []) => {
  const nameOf = (type: "HASH" | "RANGE") =>
    keys.find(({ KeyType }) => KeyType === type)?.AttributeName;
  const rangeKey = nameOf("RANGE");
  return { hashKey: nameOf("HASH") ?? "", ...(rangeKey !== undefined && { rangeKey }) };
};

const fieldTypes = { S: "string", N: "number", B: "binary" } as const;

const makeTable = ({ definition, name, timeToLive }: StageTable) =>
  new sst.aws.Dynamo(name.slice(0, 1).toUpperCase() + name.slice(1), {
    fields: Object.fromEntries(
      (definition.AttributeDefinitions ?? []).map(({ AttributeName, AttributeType = "S" }) => [
        AttributeName ?? "",
        fieldTypes[AttributeType],
      ]),
    ),
    primaryIndex: indexOf(definition.KeySchema),
    globalIndexes: Object.fromEntries(
      (definition.GlobalSecondaryIndexes ?? []).map(({ IndexName, KeySchema }) => [
        IndexName ?? "",
        indexOf(KeySchema),
      ]),
    ),
    ...(timeToLive !== undefined && { ttl: timeToLive }),
    deletionProtection: stage.isProduction,
    transform: {
      table: (table) => {
        table.pointInTimeRecovery = { enabled: stage.isRecoverable };
      },
    },
  });

const made = new Map(definitions.map((table) => [table.name, makeTable(table)]));

const tableNamed = (name: StageTable["name"]): sst.aws.Dynamo => {
  const table = made.get(name);
  if (!table) throw new Error(`no definition of table ${name} in packages/functions/src/tables.ts`);
  return table;
};

export const tables = {
  journal: tableNamed("journal"),
  executions: tableNamed("executions"),
  images: tableNamed("images"),
  objectHeads: tableNamed("objectHeads"),
  idempotency: tableNamed("idempotency"),
  limits: tableNamed("limits"),
} as const satisfies Readonly<Record<StageTable["name"], sst.aws.Dynamo>>;

/** What a function is told: the name of each table by its variable. */
export const tableVariables = Object.fromEntries(
  definitions.map(({ name, variable }) => [variable, tableNamed(name).name]),
);
