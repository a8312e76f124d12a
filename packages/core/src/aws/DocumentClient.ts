/**
 * The DynamoDB document client, made once per process.
 *
 * The SDK's default client has no request timeout: against a peer that accepts and never answers, one attempt waits
 * for ever and takes the function's whole time with it. Both timeouts are therefore set here, for every user.
 */
import { DynamoDBClient, type DynamoDBClientConfig } from "@aws-sdk/client-dynamodb";
import { DynamoDBDocumentClient } from "@aws-sdk/lib-dynamodb";
import { Context, Effect, Layer } from "effect";

/** Longest wait for one answer of DynamoDB, in milliseconds: far above its p99.9, far below any function's time. */
const requestTimeoutMs = 3_000;
const connectionTimeoutMs = 1_000;

export class DocumentClient extends Context.Service<DocumentClient, DynamoDBDocumentClient>()(
  "@millrace/core/aws/DocumentClient",
) {
  /** A client from the process's own AWS configuration, or from the one given. */
  static readonly layer = (config: DynamoDBClientConfig = {}): Layer.Layer<DocumentClient> =>
    Layer.effect(
      DocumentClient,
      Effect.acquireRelease(
        Effect.sync(() =>
          DynamoDBDocumentClient.from(
            new DynamoDBClient({
              requestHandler: {
                requestTimeout: requestTimeoutMs,
                throwOnRequestTimeout: true,
                connectionTimeout: connectionTimeoutMs,
              },
              ...config,
            }),
            { marshallOptions: { removeUndefinedValues: true } },
          ),
        ),
        (client) => Effect.sync(() => client.destroy()),
      ),
    );
}
