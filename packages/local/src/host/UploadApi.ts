/**
 * The upload API in local mode: what API Gateway does in AWS, at an address of its own on the loopback interface. Each
 * request is an invocation of the function `uploads`.
 *
 * Two things differ. Nobody signs requests here: whoever is on this machine may upload. And a page of this machine may ask
 * from its script (CORS), but no page from anywhere else, whatever name it gives this address.
 */
import { Context, Effect, type Option, type PubSub, Schema } from "effect";
import type { AwsRequest, AwsResponse } from "../http/AwsRequest.ts";
import { bodyText } from "../http/jsonProtocol.ts";
import { serve } from "../http/server.ts";
import { type FunctionSettings, type InvocationFailure } from "./ExecutionEnvironment.ts";
import type { HostEvent } from "./HostEvent.ts";
import { makeEnvironments } from "./makeEnvironments.ts";

/** Where the upload API listens; nowhere without workers. */
export class UploadApi extends Context.Service<
  UploadApi,
  { readonly url: Option.Option<string> }
>()("@millrace/local/host/UploadApi") {}

/** The routes of stacks/uploads.ts. */
const routes = /^(?:\/tenants\/([^/]+))?\/uploads(?:\/([^/]+))?$/;

/** Only under names that mean this machine: a page from elsewhere may have any other point here (DNS rebinding). */
const isOwnHost = (host = ""): boolean =>
  /^(?:127\.0\.0\.1|localhost|\[::1\])(?::\d+)?$/.test(host);
const isOwnOrigin = (origin = ""): boolean => {
  const url = URL.parse(origin);
  return url !== null && isOwnHost(url.host);
};

const Answer = Schema.Struct({
  statusCode: Schema.Int,
  headers: Schema.Record(Schema.String, Schema.String),
  body: Schema.String,
});
const decodeAnswer = Schema.decodeUnknownEffect(Answer);

const json = (status: number, body: object): AwsResponse => ({
  status,
  headers: { "content-type": "application/json" },
  body: JSON.stringify(body),
});

/** Serves the API until the scope closes. */
export const serveUploadApi = Effect.fnUntraced(function* (
  settings: FunctionSettings,
  events: PubSub.PubSub<HostEvent>,
) {
  const { acquire, release } = yield* makeEnvironments(settings, events);
  const invoke = Effect.fnUntraced(function* (event: unknown) {
    const environment = yield* acquire;
    const answer = yield* environment.invoke(crypto.randomUUID(), event);
    yield* release(environment);
    const { body, headers, statusCode } = yield* decodeAnswer(answer);
    return { status: statusCode, headers, body };
  });
  const handle = Effect.fnUntraced(function* (request: AwsRequest) {
    const [, tenant, action] = routes.exec(request.rawPath) ?? [undefined];
    if (!routes.test(request.rawPath)) return json(404, { message: "Not Found" });
    if (request.method !== "POST") return json(405, { message: "Method Not Allowed" });
    const body = yield* bodyText(request);
    const pathParameters = {
      ...(tenant !== undefined && { tenant: decodeURIComponent(tenant) }),
      ...(action !== undefined && { action: decodeURIComponent(action) }),
    };
    return yield* invoke({ body, isBase64Encoded: false, pathParameters }).pipe(
      Effect.catch((error: InvocationFailure | Schema.SchemaError) =>
        Effect.succeed(json(500, { message: error.message })),
      ),
    );
  });
  const { endpoint } = yield* serve({ port: 0, handler: (request) => guarded(request, handle) });
  return endpoint;
});

const corsMethods = "POST, OPTIONS";

/** Answers a page's preflight, and nobody from elsewhere. */
const guarded = <E>(
  request: AwsRequest,
  handle: (request: AwsRequest) => Effect.Effect<AwsResponse, E>,
): Effect.Effect<AwsResponse, E> => {
  const { host, origin } = request.headers;
  if (!isOwnHost(host) || (origin !== undefined && !isOwnOrigin(origin))) {
    const message = "the upload API of local mode answers pages and programs of this machine only";
    return Effect.succeed(json(403, { message }));
  }
  const cors: Readonly<Record<string, string>> =
    origin === undefined
      ? {}
      : {
          "access-control-allow-origin": origin,
          "access-control-allow-methods": corsMethods,
          "access-control-allow-headers": "content-type",
          vary: "origin",
        };
  if (request.method === "OPTIONS") {
    return Effect.succeed({ status: 204, headers: cors, body: "" });
  }
  return Effect.map(handle(request), (response) => ({
    ...response,
    headers: { ...response.headers, ...cors },
  }));
};
