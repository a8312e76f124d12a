/**
 * The journal and the index that a command reads, in the AWS of a connection.
 */
import { DocumentClient, DynamoExecutions, DynamoJournal } from "@millrace/core/aws";
import { type AwsConnection, clientConfig, localTables } from "@millrace/local";
import { Layer } from "effect";

/** Journal and Executions behind the connection. */
export const layerStores = (connection: AwsConnection) =>
  Layer.mergeAll(
    DynamoJournal.layerDynamo(localTables.journal),
    DynamoExecutions.layerDynamo(localTables.executions),
  ).pipe(Layer.provide(DocumentClient.layer(clientConfig(connection))));
