/**
 * The function behind `POST /uploads`: answers with a form by which the caller uploads one object straight to S3
 * (requirement D4.1). The arrival of the object starts the work; nobody waits here.
 *
 * The API has authorised the caller before it invokes this.
 */
import { S3Client } from "@aws-sdk/client-s3";
import { createPresignedPost } from "@aws-sdk/s3-presigned-post";
import { topology } from "@millrace/workflows/topology";
import { Context, Effect, Layer, ManagedRuntime, Schema } from "effect";
import { UploadEnvironment } from "./Environment.ts";
import { logging } from "./runtime.ts";
import type { LambdaContext } from "./SqsEvent.ts";
import { toUploadForm, type UploadForm, UploadRefused, UploadRequest } from "./uploadForm.ts";

/** How long a form may be used, in seconds. */
const formSeconds = 300;

/** API Gateway's event (payload format 2.0), as far as it is used here. */
const ApiEvent = Schema.Struct({ body: Schema.optionalKey(Schema.String) });

export interface ApiResponse {
  readonly statusCode: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
}

const respond = (statusCode: number, body: object): ApiResponse => ({
  statusCode,
  headers: { "content-type": "application/json" },
  body: JSON.stringify(body),
});

class Storage extends Context.Service<Storage, { readonly client: S3Client }>()(
  "@millrace/functions/uploads/Storage",
) {}

const layerStorage = Layer.effect(
  Storage,
  Effect.map(
    Effect.acquireRelease(
      Effect.sync(() => new S3Client({})),
      (client) => Effect.sync(() => client.destroy()),
    ),
    (client) => ({ client }),
  ),
);

/** S3 refuses whatever does not fit: another key, another type, another size, another bucket. */
const sign = Effect.fnUntraced(function* (form: UploadForm) {
  const { client } = yield* Storage;
  const { buckets } = yield* UploadEnvironment;
  const { bytesMax, bytesMin, contentType, key } = form;
  const fields = { "Content-Type": contentType };
  return yield* Effect.tryPromise(() =>
    createPresignedPost(client, {
      Bucket: buckets[form.bucket],
      Key: key,
      Expires: formSeconds,
      Fields: fields,
      Conditions: [
        ["content-length-range", bytesMin, bytesMax],
        ["eq", "$Content-Type", contentType],
      ],
    }),
  );
});

const answer = Effect.fnUntraced(
  function* (event: unknown, id: string) {
    const { body = "" } = yield* Schema.decodeUnknownEffect(ApiEvent)(event);
    const request = yield* Schema.decodeUnknownEffect(Schema.fromJsonString(UploadRequest))(body);
    const form = toUploadForm(topology.pipelines, request, id);
    if (form instanceof UploadRefused) return yield* form;
    const { fields, url } = yield* sign(form);
    yield* Effect.logInfo("upload signed").pipe(
      Effect.annotateLogs({ pipeline: request.pipeline, key: form.key }),
    );
    return respond(201, { url, fields, key: form.key, expiresInSeconds: formSeconds });
  },
  Effect.catchTags({
    SchemaError: ({ message }) => Effect.succeed(respond(400, { error: message })),
    UploadRefused: ({ message }) => Effect.succeed(respond(400, { error: message })),
  }),
);

const runtime = ManagedRuntime.make(Layer.merge(layerStorage, logging));

/** What the API invokes. */
export const handler = (event: unknown, { awsRequestId }: LambdaContext): Promise<ApiResponse> =>
  runtime.runPromise(answer(event, awsRequestId));
