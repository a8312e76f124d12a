/**
 * S3 of the embedded AWS: signatures first, then the operation, then the answer in S3's form.
 *
 * Not here: access control beyond the one account, storage behind other endpoints, website hosting. What a request asks
 * for and this S3 has not is answered with 501 and its name.
 */
import { Clock, Effect, type FileSystem, type Path, type PlatformError } from "effect";
import type { AwsError } from "../AwsError.ts";
import type { AwsHandler, AwsRequest, AwsResponse } from "../http/AwsRequest.ts";
import type { LocalEvents } from "../LocalEvents.ts";
import type { LocalState } from "../LocalState.ts";
import { type AuthenticatedCall, authenticate } from "./authenticate.ts";
import { isBucketName } from "./bucketName.ts";
import { hasForeignOwner, listAllBuckets } from "./bucketOperations.ts";
import { crossOriginHeaders, preflight } from "./cors.ts";
import {
  type Chosen,
  chooseBucketOperation,
  chooseObjectOperation,
  unknownOfWrite,
} from "./operations.ts";
import { postObject } from "./postObject.ts";
import { makeRequestId, readCall, readQuery, type S3Call } from "./S3Call.ts";
import { accessDenied, notImplemented, operationNotImplemented, s3Error } from "./s3Error.ts";
import { s3ErrorResponse } from "./s3ErrorResponse.ts";
import { checkHeaders } from "./supportedHeaders.ts";
import { internalError, openWorld, type S3World } from "./S3World.ts";

/** Builds the handler: creates tables, removes orphans, publishes events that a crash left behind. */
export const makeS3: Effect.Effect<
  AwsHandler,
  PlatformError.PlatformError,
  LocalState | LocalEvents | FileSystem.FileSystem | Path.Path
> = Effect.map(
  openWorld,
  (world): AwsHandler =>
    (request) =>
      handle(world, request),
);

const handle = (world: S3World, request: AwsRequest): Effect.Effect<AwsResponse> => {
  const requestId = makeRequestId();
  return readCall(request, requestId).pipe(
    Effect.flatMap((call) =>
      answer(world, call, request).pipe(
        // A defect of ours must reach the client in a form that it can read.
        Effect.catchDefect((defect) => Effect.fail(internalError(String(defect)))),
        Effect.catch((error) => Effect.succeed(s3ErrorResponse(error, call))),
        Effect.map((response) => withHeaders(response, crossOriginHeaders(world, call))),
      ),
    ),
    Effect.catch((error) =>
      Effect.succeed(s3ErrorResponse(error, { requestId, resource: request.rawPath })),
    ),
    Effect.map((response) =>
      withHeaders(response, { "x-amz-request-id": requestId, "x-amz-id-2": requestId }),
    ),
  );
};

/** Headers of the answer itself win. */
const withHeaders = (
  response: AwsResponse,
  headers: Readonly<Record<string, string>>,
): AwsResponse => ({ ...response, headers: { ...headers, ...response.headers } });

const answer = Effect.fnUntraced(function* (
  world: S3World,
  call: S3Call,
  request: AwsRequest,
): Effect.fn.Return<AwsResponse, AwsError> {
  if (call.method === "OPTIONS") return yield* preflight(world, call);
  if (isForm(call)) return yield* postObject(world, call);
  const query = yield* readQuery(request.rawQuery);
  const authenticated = yield* authenticate(call, query, yield* Clock.currentTimeMillis);
  if (hasForeignOwner(authenticated)) return yield* accessDenied();
  return yield* dispatch(world, authenticated);
});

const dispatch = (
  world: S3World,
  call: AuthenticatedCall,
): Effect.Effect<AwsResponse, AwsError> => {
  const { bucket, key } = call;
  if (bucket === undefined) {
    return call.method === "GET"
      ? Effect.andThen(checkHeaders(call.headers, "ListBuckets"), listAllBuckets(world, call))
      : Effect.fail(methodNotAllowed(call, "SERVICE"));
  }
  if (!isBucketName(bucket)) {
    return Effect.fail(
      s3Error(400, "InvalidBucketName", "The specified bucket is not valid.", {
        BucketName: bucket,
      }),
    );
  }
  return key === undefined
    ? perform(chooseBucketOperation(call), call, (operation) =>
        operation(world, { ...call, bucket }),
      )
    : perform(chooseObjectOperation(call), call, (operation) =>
        operation(world, { ...call, bucket, key }),
      );
};

const perform = <Operation>(
  chosen: Chosen<Operation>,
  call: AuthenticatedCall,
  run: (operation: Operation) => Effect.Effect<AwsResponse, AwsError>,
): Effect.Effect<AwsResponse, AwsError> => {
  const operation = chosen.run;
  if (operation === undefined) return Effect.fail(operationNotImplemented(chosen.name));
  const unknown = unknownOfWrite(call);
  if (unknown !== undefined) return Effect.fail(notImplemented(chosen.name, `?${unknown}`));
  return Effect.andThen(
    checkHeaders(call.headers, chosen.name),
    Effect.suspend(() => run(operation)),
  );
};

const methodNotAllowed = (call: S3Call, resourceType: string): AwsError =>
  s3Error(405, "MethodNotAllowed", "The specified method is not allowed against this resource.", {
    Method: call.method,
    ResourceType: resourceType,
  });

const isForm = (call: S3Call): call is S3Call & { readonly bucket: string } =>
  call.method === "POST" &&
  call.bucket !== undefined &&
  call.key === undefined &&
  (call.headers["content-type"] ?? "").toLowerCase().startsWith("multipart/form-data");
