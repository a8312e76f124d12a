/** DynamoDB for tests: dynalite in memory, on a free port of the loopback interface, until the scope closes. */
import { CreateTableCommand, DynamoDBClient } from "@aws-sdk/client-dynamodb";
import {
  DocumentClient,
  DynamoExecutions,
  DynamoIdempotency,
  DynamoJournal,
  DynamoObjectHeads,
  executionsTable,
  idempotencyTable,
  journalTable,
  DynamoSharedState,
  limitsTable,
  objectHeadsTable,
} from "@millrace/core/aws";
import dynalite from "dynalite";
import { Effect, Layer } from "effect";

export const startDynalite = Effect.acquireRelease(
  Effect.callback<{ readonly server: ReturnType<typeof dynalite>; readonly endpoint: string }>(
    (resume) => {
      const server = dynalite({ createTableMs: 0, deleteTableMs: 0, updateTableMs: 0 });
      server.listen(0, "127.0.0.1", () => {
        const address = server.address();
        const port = typeof address === "object" && address !== null ? address.port : 0;
        resume(Effect.succeed({ server, endpoint: `http://127.0.0.1:${port}` }));
      });
    },
  ),
  ({ server }) => Effect.sync(() => server.close()),
).pipe(Effect.map(({ endpoint }) => endpoint));

/** A fresh DynamoDB with one table, and the clients' configuration for it. */
const withTable = (TableName: string, definition: typeof journalTable) =>
  Effect.gen(function* () {
    const config = {
      endpoint: yield* startDynalite,
      region: "us-east-1",
      credentials: { accessKeyId: "test", secretAccessKey: "test" },
    };
    const admin = new DynamoDBClient(config);
    yield* Effect.promise(() => admin.send(new CreateTableCommand({ TableName, ...definition })));
    return DocumentClient.layer(config);
  });

/** A journal in a table of its own. */
export const layerDynaliteJournal = Layer.unwrap(
  Effect.map(withTable("Journal", journalTable), (client) =>
    Layer.provide(DynamoJournal.layerDynamo("Journal"), client),
  ),
);

/** An idempotency store in a table of its own. */
export const layerDynaliteIdempotency = Layer.unwrap(
  Effect.map(withTable("Idempotency", idempotencyTable), (client) =>
    Layer.provideMerge(DynamoIdempotency.layerDynamo("Idempotency"), client),
  ),
);

/** Shared states in a table of their own. */
export const layerDynaliteSharedState = Layer.unwrap(
  Effect.map(withTable("Limits", limitsTable), (client) =>
    Layer.provideMerge(DynamoSharedState.layerDynamo("Limits"), client),
  ),
);

/** An index of executions in a table of its own. */
export const layerDynaliteExecutions = Layer.unwrap(
  Effect.map(withTable("Executions", executionsTable), (client) =>
    Layer.provideMerge(DynamoExecutions.layerDynamo("Executions"), client),
  ),
);

/** Object heads in a table of their own. */
export const layerDynaliteObjectHeads = Layer.unwrap(
  Effect.map(withTable("ObjectHeads", objectHeadsTable), (client) =>
    Layer.provideMerge(DynamoObjectHeads.layerDynamo("ObjectHeads"), client),
  ),
);
