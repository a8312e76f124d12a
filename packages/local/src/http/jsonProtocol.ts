/**
 * AWS's JSON protocols (1.0 and 1.1): the operation stands in `x-amz-target`, input and output are JSON documents,
 * an error is `{ "__type": ..., "message": ... }`.
 */
import { Effect, Schema, Stream } from "effect";
import { randomUUID } from "node:crypto";
import { AwsError, unknownOperation } from "../AwsError.ts";
import type { AwsHandler, AwsRequest, AwsResponse, JsonOperations } from "./AwsRequest.ts";
import { RequestOrigin } from "./RequestOrigin.ts";

interface JsonService {
  /** The name in refusals, e.g. `SQS`. */
  readonly service: string;
  /** What stands before the dot of `x-amz-target`, e.g. `AmazonSQS`. */
  readonly targetPrefix: string;
  readonly version: "1.0" | "1.1";
  readonly operations: JsonOperations;
  /** The older query protocol's code for an error, for services whose clients still read it (SQS). */
  readonly queryErrorCode?: (code: string) => string;
}

/** Answers requests of one service; never fails, because an error has a wire form too. */
export const jsonProtocol =
  (service: JsonService): AwsHandler =>
  (request) =>
    perform(service, request).pipe(
      Effect.map((output) =>
        respond(service, 200, output === undefined ? "" : JSON.stringify(output)),
      ),
      Effect.catch((error) => Effect.succeed(respondError(service, error))),
      Effect.provideService(RequestOrigin, `http://${request.headers["host"] ?? "localhost"}`),
    );

const perform = Effect.fnUntraced(function* (
  { service, targetPrefix, operations }: JsonService,
  request: AwsRequest,
) {
  const target = request.headers["x-amz-target"] ?? "";
  const name = target.startsWith(`${targetPrefix}.`) ? target.slice(targetPrefix.length + 1) : "";
  const operation = Object.hasOwn(operations, name) ? operations[name] : undefined;
  if (operation === undefined) return yield* unknownOperation(service, name || target);
  const text = yield* bodyText(request);
  const input = yield* decodeJson(text === "" ? "{}" : text).pipe(
    Effect.mapError(
      () =>
        new AwsError({
          code: "SerializationException",
          message: `${service} ${name}: the request body is not a JSON document`,
          status: 400,
        }),
    ),
  );
  return yield* operation(input);
});

const decodeJson = Schema.decodeEffect(Schema.fromJsonString(Schema.Unknown));

/** The whole body of a request as text. */
export const bodyText = (request: AwsRequest): Effect.Effect<string, AwsError> =>
  Stream.runCollect(request.body).pipe(
    Effect.map((chunks) => Buffer.concat([...chunks]).toString("utf8")),
  );

const respond = (
  { version }: JsonService,
  status: number,
  body: string,
  headers: Readonly<Record<string, string>> = {},
): AwsResponse => ({
  status,
  headers: {
    "content-type": `application/x-amz-json-${version}`,
    "x-amzn-requestid": randomUUID(),
    ...headers,
  },
  body,
});

const respondError = (service: JsonService, error: AwsError): AwsResponse => {
  const { code, message, status, detail } = error;
  const fault = status < 500 ? "Sender" : "Receiver";
  return respond(
    service,
    status,
    JSON.stringify({ __type: code, message, ...detail }),
    service.queryErrorCode === undefined
      ? {}
      : { "x-amzn-query-error": `${service.queryErrorCode(code)};${fault}` },
  );
};
