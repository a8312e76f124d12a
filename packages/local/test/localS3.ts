/** An S3 of the embedded AWS on a real socket for tests, with the bus replaced by a record of what was published. */
import { S3Client } from "@aws-sdk/client-s3";
import { NodeServices } from "@effect/platform-node";
import { Context, Effect, Layer } from "effect";
import { makeRouter } from "../src/http/router.ts";
import { serve } from "../src/http/server.ts";
import { localAccount } from "../src/LocalAccount.ts";
import { LocalEvents } from "../src/LocalEvents.ts";
import { LocalState } from "../src/LocalState.ts";
import { makeS3 } from "../src/s3/S3.ts";
import { unknownOperation } from "../src/AwsError.ts";

export type PublishedEvent = Parameters<LocalEvents["Service"]["publish"]>[0];

/** The running server, a client for it, and the events so far. */
export class LocalS3 extends Context.Service<
  LocalS3,
  {
    readonly endpoint: string;
    readonly client: S3Client;
    readonly directory: string;
    readonly events: ReadonlyArray<PublishedEvent>;
  }
>()("@millrace/local/test/LocalS3") {}

export const credentials = {
  accessKeyId: localAccount.accessKeyId,
  secretAccessKey: localAccount.secretAccessKey,
};

export const s3ClientFor = (
  endpoint: string,
  options: ConstructorParameters<typeof S3Client>[0] = {},
): S3Client =>
  new S3Client({
    endpoint,
    region: localAccount.region,
    credentials,
    forcePathStyle: true,
    maxAttempts: 1,
    ...options,
  });

const noService = (name: string) => () => Effect.fail(unknownOperation(name, "any"));

/** S3 behind the router, on a state of the caller's choice. */
export const startS3 = Effect.gen(function* () {
  const s3 = yield* makeS3;
  const handler = makeRouter({
    json: {},
    sns: noService("sns"),
    dynamodb: noService("dynamodb"),
    scheduler: noService("scheduler"),
    s3,
  });
  return yield* serve({ port: 0, handler });
});

const recorded = Layer.effectContext(
  Effect.gen(function* () {
    const events: Array<PublishedEvent> = [];
    const bus = LocalEvents.of({
      publish: (event) => Effect.sync(() => void events.push(event)),
    });
    const { directory } = yield* LocalState;
    const { endpoint } = yield* Effect.provideService(startS3, LocalEvents, bus);
    const client = yield* Effect.acquireRelease(
      Effect.sync(() => s3ClientFor(endpoint)),
      (client) => Effect.sync(() => client.destroy()),
    );
    return Context.make(LocalS3, { endpoint, client, directory, events });
  }),
);

export const layerS3 = recorded.pipe(
  Layer.provide(LocalState.layerTemporary),
  Layer.provide(NodeServices.layer),
);
