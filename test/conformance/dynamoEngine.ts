/**
 * The engine on DynamoDB (dynalite, over the unmodified client), for the same harness as `engine.ts`.
 *
 * On AWS a queue brings back what a dead process left. A harness has none, so here a process that starts looks through
 * the whole table, which nothing in the product ever does.
 */
import { CreateTableCommand, DynamoDBClient } from "@aws-sdk/client-dynamodb";
import { ScanCommand } from "@aws-sdk/lib-dynamodb";
import { Engine, type HistoryEvent } from "@millrace/core";
import { DocumentClient, DynamoJournal, journalTable } from "@millrace/core/aws";
import { OpenExecutions } from "@millrace/core/sqlite";
import { Effect, Layer, Schema, Scope } from "effect";
import { startDynalite } from "../../packages/core/test/dynalite.ts";

/** It lives as long as the process. */
const endpoint = await Effect.runPromise(Scope.provide(startDynalite, Scope.makeUnsafe()));
const config = {
  endpoint,
  region: "us-east-1",
  credentials: { accessKeyId: "test", secretAccessKey: "test" },
};

const admin = new DynamoDBClient(config);
let tables = 0;
/** A table of its own for each store. */
const newTable = (): { readonly name: string; readonly made: Promise<unknown> } => {
  const name = `Journal${++tables}`;
  return {
    name,
    made: admin.send(new CreateTableCommand({ TableName: name, ...journalTable })),
  };
};

const Row = Schema.Struct({
  executionId: Schema.String,
  commit: Schema.Int,
  events: Schema.fromJsonString(
    Schema.Array(
      Schema.Struct({ _tag: Schema.String, workflow: Schema.optionalKey(Schema.String) }),
    ),
  ),
});
const decodeRows = Schema.decodeUnknownSync(Schema.Array(Row));

const isTag = (tag: HistoryEvent["_tag"]) => (event: { readonly _tag: string }) =>
  event._tag === tag;

const layerScan = (table: string) =>
  Layer.effect(
    OpenExecutions,
    Effect.map(DocumentClient, (client) =>
      OpenExecutions.of({
        list: (workflow) =>
          Effect.promise(async () => {
            const { Items } = await client.send(
              new ScanCommand({ TableName: table, ConsistentRead: true }),
            );
            const rows = decodeRows(Items ?? []);
            const ids = new Set(
              rows
                .filter(({ events }) =>
                  events.some(
                    (event) => isTag("ExecutionStarted")(event) && event.workflow === workflow,
                  ),
                )
                .map(({ executionId }) => executionId),
            );
            for (const { events, executionId } of rows) {
              if (events.some(isTag("Completed"))) ids.delete(executionId);
            }
            return [...ids];
          }),
      }),
    ),
  );

const engineOn = ({ made, name }: ReturnType<typeof newTable>) =>
  Layer.fresh(
    Engine.layerInProcess({ leaseMs: 200 }).pipe(
      Layer.provide(Layer.merge(DynamoJournal.layerDynamo(name), layerScan(name))),
      Layer.provide(DocumentClient.layer(config)),
      Layer.provide(Layer.effectDiscard(Effect.promise(() => made))),
    ),
  );

export const layer = Layer.unwrap(Effect.sync(() => engineOn(newTable())));

export const backend = () => engineOn(newTable());
