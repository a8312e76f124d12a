/**
 * Puts an AwsHandler under an unmodified SDK client: a `requestHandler` that calls it without a socket.
 */
import { Effect, Layer, Stream } from "effect";
import * as NodeServices from "@effect/platform-node/NodeServices";
import type { AwsError } from "../src/AwsError.ts";
import type { AwsHandler } from "../src/http/AwsRequest.ts";
import { LocalState } from "../src/LocalState.ts";

interface SdkRequest {
  readonly method: string;
  readonly hostname: string;
  readonly port?: number;
  readonly path: string;
  readonly query?: Readonly<Record<string, string | ReadonlyArray<string> | null>>;
  readonly headers: Readonly<Record<string, string>>;
  readonly body?: unknown;
}

/** What clients are built with; retries are off, so that an error is seen at once. */
export const clientConfiguration = Effect.fnUntraced(function* (handler: AwsHandler) {
  const services = yield* Effect.context();
  const run = Effect.runPromiseWith(services);
  return {
    endpoint: "http://127.0.0.1:4566",
    region: "us-east-1",
    credentials: { accessKeyId: "millrace", secretAccessKey: "millrace-local-secret" },
    maxAttempts: 1,
    requestHandler: {
      handle: (request: SdkRequest) => run(answer(handler, request)),
    },
  };
});

const answer = (handler: AwsHandler, request: SdkRequest) =>
  Effect.gen(function* () {
    const response = yield* handler({
      method: request.method,
      rawPath: request.path,
      rawQuery: new URLSearchParams(
        Object.entries(request.query ?? {}).map(([name, value]): [string, string] => [
          name,
          String(value ?? ""),
        ]),
      ).toString(),
      headers: Object.fromEntries(
        Object.entries(request.headers).map(([name, value]) => [name.toLowerCase(), value]),
      ),
      body: bodyOf(request.body),
    });
    const { status: statusCode, headers, body } = response;
    if (typeof body !== "string" && !(body instanceof Uint8Array)) {
      return yield* Effect.die("this helper is for services whose answers are whole");
    }
    const bytes = typeof body === "string" ? new TextEncoder().encode(body) : body;
    return { response: { statusCode, headers: { ...headers }, body: bytes } };
  });

const bodyOf = (body: unknown): Stream.Stream<Uint8Array, AwsError> => {
  if (typeof body === "string") return Stream.succeed(new TextEncoder().encode(body));
  return body instanceof Uint8Array ? Stream.succeed(body) : Stream.empty;
};

/** Fresh state for one test. */
export const freshState = LocalState.layerTemporary.pipe(Layer.provide(NodeServices.layer));

/** An SDK call as an Effect; its failure is the SDK's exception. */
export const call = <A>(send: () => Promise<A>): Effect.Effect<A, SdkFailure> =>
  Effect.tryPromise({ try: send, catch: (error) => new SdkFailure(error) });

/** What the client saw: the error's name, code, HTTP status and message. */
export class SdkFailure {
  readonly _tag = "SdkFailure";
  readonly name: string;
  readonly code: string;
  readonly status: number;
  readonly message: string;

  constructor(error: unknown) {
    this.name = property(error, "name");
    this.code = property(error, "Code");
    this.status = Number(property(at(error, "$metadata"), "httpStatusCode"));
    this.message = property(error, "message");
  }
}

const at = (value: unknown, key: string): unknown =>
  typeof value === "object" && value !== null ? Reflect.get(value, key) : undefined;

const property = (value: unknown, key: string): string => {
  const found = at(value, key);
  return typeof found === "string" || typeof found === "number" ? String(found) : "";
};
