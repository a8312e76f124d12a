/**
 * The function behind the upload API (requirement D4.1): a caller uploads one object straight to S3, by a form or, for
 * large files, in parts. The arrival of the object starts the work; nobody waits here.
 *
 *   POST /uploads             a form for one object
 *   POST /uploads/begin       the URLs of the parts of a large one
 *   POST /uploads/urls        those of further parts
 *   POST /uploads/complete    puts the parts together
 *   POST /uploads/abort       gives them up
 *
 * The same below `/tenants/<tenant>`: the objects lie in the tenant's folder. The API has authorised the caller for the
 * path before it invokes this.
 */
import { topology } from "@millrace/workflows/topology";
import { Effect, Layer, ManagedRuntime, Schema } from "effect";
import { logging } from "./runtime.ts";
import type { LambdaContext } from "./SqsEvent.ts";
import { Tenant, toUploadForm, UploadRefused, UploadRequest } from "./uploadForm.ts";
import {
  AbortRequest,
  bucketOfKey,
  CompleteRequest,
  PartsRequest,
  planParts,
  refuseSize,
  UrlsRequest,
} from "./uploadParts.ts";
import {
  abortParts,
  beginParts,
  completeParts,
  formSeconds,
  layerStorage,
  partSeconds,
  signForm,
  signParts,
  type Storage,
} from "./uploadStorage.ts";

/** API Gateway's event (payload format 2.0), as far as it is used here. */
const ApiEvent = Schema.Struct({
  body: Schema.optionalKey(Schema.String),
  isBase64Encoded: Schema.optionalKey(Schema.Boolean),
  pathParameters: Schema.optionalKey(
    Schema.Struct({
      tenant: Schema.optionalKey(Tenant),
      action: Schema.optionalKey(Schema.String),
    }),
  ),
});

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

interface Asked {
  readonly body: string;
  readonly tenant: string | undefined;
  /** Makes a new key unique. */
  readonly id: string;
}

const { pipelines } = topology;

const decode = <A>(schema: Schema.Codec<A, unknown>, body: string) =>
  Schema.decodeUnknownEffect(Schema.fromJsonString(schema))(body);

const told = (message: string, about: object) =>
  Effect.annotateLogs(Effect.logInfo(message), { ...about });

const makeForm = Effect.fnUntraced(function* ({ body, id, tenant }: Asked) {
  const request = yield* decode(UploadRequest, body);
  const form = toUploadForm(pipelines, request, id, tenant);
  if (form instanceof UploadRefused) return yield* form;
  const { key } = form;
  const { fields, url } = yield* signForm(form);
  yield* told("upload signed", { pipeline: request.pipeline, key });
  return respond(201, { url, fields, key, expiresInSeconds: formSeconds });
});

const begin = Effect.fnUntraced(function* ({ body, id, tenant }: Asked) {
  const { sizeBytes, ...request } = yield* decode(PartsRequest, body);
  const refusal = refuseSize(pipelines, request.pipeline, sizeBytes);
  if (refusal) return yield* refusal;
  const form = toUploadForm(pipelines, request, id, tenant);
  if (form instanceof UploadRefused) return yield* form;
  const { bucket, key } = form;
  const uploadId = yield* beginParts(form);
  const parts = yield* signParts({ bucket, key, uploadId }, sizeBytes, 1);
  yield* told("upload begun", { pipeline: request.pipeline, key, sizeBytes });
  const answer = { key, uploadId, ...planParts(sizeBytes), parts, expiresInSeconds: partSeconds };
  return respond(201, answer);
});

const moreUrls = Effect.fnUntraced(function* ({ body, tenant }: Asked) {
  const request = yield* decode(UrlsRequest, body);
  const bucket = bucketOfKey(pipelines, request, tenant);
  if (bucket instanceof UploadRefused) return yield* bucket;
  const { fromPart, key, sizeBytes, uploadId } = request;
  const parts = yield* signParts({ bucket, key, uploadId }, sizeBytes, fromPart);
  return respond(200, { parts, expiresInSeconds: partSeconds });
});

const complete = Effect.fnUntraced(function* ({ body, tenant }: Asked) {
  const request = yield* decode(CompleteRequest, body);
  const { key, pipeline, sizeBytes, uploadId } = request;
  const bucket = bucketOfKey(pipelines, request, tenant);
  if (bucket instanceof UploadRefused) return yield* bucket;
  const refusal = refuseSize(pipelines, pipeline, sizeBytes);
  if (refusal) return yield* refusal;
  yield* completeParts({ bucket, key, uploadId }, sizeBytes);
  yield* told("upload put together", { pipeline, key, sizeBytes });
  return respond(200, { key, sizeBytes });
});

const abort = Effect.fnUntraced(function* ({ body, tenant }: Asked) {
  const request = yield* decode(AbortRequest, body);
  const bucket = bucketOfKey(pipelines, request, tenant);
  if (bucket instanceof UploadRefused) return yield* bucket;
  yield* abortParts({ bucket, key: request.key, uploadId: request.uploadId });
  return respond(200, { key: request.key });
});

/** What may be asked, by the path's last part. */
const actions = new Map([
  ["begin", begin],
  ["urls", moreUrls],
  ["complete", complete],
  ["abort", abort],
]);

const answer = Effect.fnUntraced(
  function* (event: unknown, id: string) {
    const {
      body = "",
      isBase64Encoded,
      pathParameters,
    } = yield* Schema.decodeUnknownEffect(ApiEvent)(event);
    const { action, tenant } = pathParameters ?? {};
    const perform = action === undefined ? makeForm : actions.get(action);
    if (!perform) return respond(404, { error: `there is nothing to do called ${action}` });
    const text = isBase64Encoded === true ? Buffer.from(body, "base64").toString() : body;
    return yield* perform({ body: text, tenant, id });
  },
  Effect.catchTags({
    SchemaError: ({ message }) => Effect.succeed(respond(400, { error: message })),
    UploadRefused: ({ message }) => Effect.succeed(respond(400, { error: message })),
    UploadsUnavailable: (error) =>
      Effect.as(
        Effect.logError(error.message, error.cause),
        respond(503, { error: error.message }),
      ),
  }),
);

const runtime: ManagedRuntime.ManagedRuntime<Storage, never> = ManagedRuntime.make(
  Layer.mergeAll(layerStorage, Layer.orDie(logging)),
);

/** What the API invokes. */
export const handler = (event: unknown, { awsRequestId }: LambdaContext): Promise<ApiResponse> =>
  runtime.runPromise(answer(event, awsRequestId));
