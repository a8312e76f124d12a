/**
 * The embedded AWS: all services behind one port of the loopback interface, spoken to by the unmodified clients.
 *
 * It is for development and tests. What it does not know it refuses by name; it never pretends.
 */
import { Context, Effect, Layer } from "effect";
import { makeDynamoDb } from "./dynamodb/DynamoDb.ts";
import { Ecs } from "./ecs/Ecs.ts";
import { EventBridge, layerLocalEvents } from "./eventbridge/EventBridge.ts";
import { Glue } from "./glue/Glue.ts";
import { jsonProtocol } from "./http/jsonProtocol.ts";
import { queryProtocol } from "./http/queryProtocol.ts";
import { makeRouter } from "./http/router.ts";
import { serve } from "./http/server.ts";
import { localCluster } from "./host/LocalResources.ts";
import { localAccount } from "./LocalAccount.ts";
import { makeS3 } from "./s3/S3.ts";
import { Scheduler } from "./scheduler/Scheduler.ts";
import { Sns } from "./sns/Sns.ts";
import { sqsQueryCode } from "./sqs/SqsErrors.ts";
import { Sqs } from "./sqs/Sqs.ts";
import { Ssm } from "./ssm/Ssm.ts";

/** What a client needs to speak to it. */
export interface AwsConnection {
  readonly endpoint: string;
  readonly region: string;
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
}

export class EmbeddedAws extends Context.Service<EmbeddedAws, AwsConnection>()(
  "@millrace/local/EmbeddedAws",
) {}

/** Serves on the given port (0: a free one) until the scope closes; state is LocalState's, functions are the host's. */
export const layerEmbeddedAws = (port: number) =>
  Layer.effect(
    EmbeddedAws,
    Effect.gen(function* () {
      const sqs = yield* Sqs;
      const events = yield* EventBridge;
      const glue = yield* Glue;
      const sns = yield* Sns;
      const ecs = yield* Ecs;
      const handler = makeRouter({
        json: {
          AmazonSQS: jsonProtocol({
            service: "SQS",
            targetPrefix: "AmazonSQS",
            version: "1.0",
            operations: sqs.operations,
            queryErrorCode: sqsQueryCode,
          }),
          AWSEvents: jsonProtocol({
            service: "EventBridge",
            targetPrefix: "AWSEvents",
            version: "1.1",
            operations: events.operations,
          }),
          AmazonEC2ContainerServiceV20141113: jsonProtocol({
            service: "ECS",
            targetPrefix: "AmazonEC2ContainerServiceV20141113",
            version: "1.1",
            operations: ecs.operations,
          }),
          AmazonSSM: jsonProtocol({
            service: "SSM",
            targetPrefix: "AmazonSSM",
            version: "1.1",
            operations: (yield* Ssm).operations,
          }),
          AWSGlue: jsonProtocol({
            service: "Glue",
            targetPrefix: "AWSGlue",
            version: "1.1",
            operations: glue.operations,
          }),
        },
        sns: queryProtocol({
          service: "SNS",
          version: "2010-03-31",
          namespace: "http://sns.amazonaws.com/doc/2010-03-31/",
          operations: sns.operations,
        }),
        dynamodb: yield* makeDynamoDb,
        scheduler: (yield* Scheduler).handler,
        s3: yield* makeS3,
      });
      const { endpoint } = yield* serve({ port, handler });
      const { accessKeyId, region, secretAccessKey } = localAccount;
      return EmbeddedAws.of({ endpoint, region, accessKeyId, secretAccessKey });
    }),
  ).pipe(
    Layer.provideMerge(Ecs.layer(localCluster)),
    Layer.provide(layerLocalEvents),
    Layer.provide(Scheduler.layer),
    Layer.provide(Ssm.layer),
    Layer.provide(Glue.layer),
    Layer.provideMerge(EventBridge.layer),
    Layer.provideMerge(Sns.layer),
    Layer.provideMerge(Sqs.layer),
  );

/** The environment variables by which AWS's clients and its command line find the embedded AWS. */
export const connectionVariables = (
  connection: AwsConnection,
): Readonly<Record<string, string>> => ({
  AWS_ENDPOINT_URL: connection.endpoint,
  AWS_REGION: connection.region,
  AWS_ACCESS_KEY_ID: connection.accessKeyId,
  AWS_SECRET_ACCESS_KEY: connection.secretAccessKey,
});
