/**
 * The HTTP front of the embedded AWS: a `node:http` server on 127.0.0.1, bound to a scope.
 *
 * It hands the path on as it was sent, streams bodies both ways with back-pressure (a 1 GB body needs no more memory
 * than a small one), and interrupts the handler when the client goes away. An unread request body is drained after the
 * answer, because a client that is still sending would otherwise see a reset instead of the answer.
 *
 * Fails:  ServerNotListening - the port is taken or may not be opened
 */
import { Cause, Effect, Exit, Fiber, Schema, type Scope, Stream } from "effect";
import { randomUUID } from "node:crypto";
import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import { AwsError } from "../AwsError.ts";
import type { AwsRequest, AwsResponse } from "./AwsRequest.ts";

/** The port could not be opened, e.g. because another process holds it. */
export class ServerNotListening extends Schema.TaggedError<ServerNotListening>()(
  "ServerNotListening",
  { port: Schema.Int, message: Schema.String },
) {}

/** Where the server listens. */
export interface LocalServer {
  readonly port: number;
  readonly endpoint: string;
}

/** Longer than the keep-alive of the SDK's agent, so that the client is the one to close an idle connection. */
const keepAliveTimeoutMs = 65_000;

/** Serves `handler` until the scope closes; `port` 0 takes a free one. */
export const serve = (options: {
  readonly port: number;
  readonly handler: (request: AwsRequest) => Effect.Effect<AwsResponse, AwsError>;
}): Effect.Effect<LocalServer, ServerNotListening, Scope.Scope> =>
  Effect.gen(function* () {
    const running = new Set<Fiber.Fiber<void, AwsError>>();
    const server = yield* Effect.acquireRelease(
      Effect.sync(() => createServer({ noDelay: true })),
      // The handlers end before the scope goes on to close what they use (the database, the files).
      (server) => Effect.andThen(closeServer(server), Fiber.interruptAll(running)),
    );
    // A slow upload is not an attack here: the default of 5 minutes for a whole request would cut it.
    server.requestTimeout = 0;
    server.keepAliveTimeout = keepAliveTimeoutMs;
    const answer =
      (expectsContinue: boolean) => (incoming: IncomingMessage, out: ServerResponse) => {
        const fiber = runExchange(options.handler, { incoming, out, expectsContinue });
        running.add(fiber);
        fiber.addObserver(() => running.delete(fiber));
      };
    server.on("request", answer(false));
    server.on("checkContinue", answer(true));
    const port = yield* listen(server, options.port);
    return { port, endpoint: `http://127.0.0.1:${port}` };
  });

const closeServer = (server: Server) =>
  Effect.callback<void>((resume) => {
    if (!server.listening) return resume(Effect.void);
    server.close(() => resume(Effect.void));
    server.closeAllConnections();
  });

const listen = (server: Server, port: number) =>
  Effect.callback<number, ServerNotListening>((resume) => {
    const fail = (error: Error) =>
      resume(Effect.fail(new ServerNotListening({ port, message: error.message })));
    server.once("error", fail);
    server.listen(port, "127.0.0.1", () => {
      server.off("error", fail);
      const address = server.address();
      resume(
        address === null || typeof address === "string"
          ? Effect.fail(new ServerNotListening({ port, message: "the server has no TCP address" }))
          : Effect.succeed(address.port),
      );
    });
  });

interface Exchange {
  readonly incoming: IncomingMessage;
  readonly out: ServerResponse;
  readonly expectsContinue: boolean;
}

const runExchange = (
  handler: (request: AwsRequest) => Effect.Effect<AwsResponse, AwsError>,
  exchange: Exchange,
) => {
  const { incoming, out } = exchange;
  // Without a listener a reset connection would be an uncaught exception.
  incoming.on("error", () => undefined);
  out.on("error", () => undefined);
  const fiber = Effect.runFork(
    handler(toAwsRequest(exchange)).pipe(
      Effect.catchCause((cause) =>
        Cause.hasInterruptsOnly(cause) ? Effect.interrupt : Effect.succeed(crashResponse(cause)),
      ),
      Effect.flatMap((response) => writeResponse(exchange, response)),
    ),
  );
  out.on("close", () => {
    if (!out.writableFinished) Effect.runFork(Fiber.interrupt(fiber));
  });
  fiber.addObserver((exit) => {
    // The head is already sent when a body fails; only a torn connection tells the client.
    if (Exit.isFailure(exit)) out.destroy();
    else incoming.resume();
  });
  return fiber;
};

const toAwsRequest = ({ expectsContinue, incoming, out }: Exchange): AwsRequest => {
  const target = (incoming.url ?? "/").replace(/^https?:\/\/[^/?]*/iu, "");
  const mark = target.indexOf("?");
  const path = mark < 0 ? target : target.slice(0, mark);
  return {
    method: incoming.method ?? "GET",
    rawPath: path === "" ? "/" : path,
    rawQuery: mark < 0 ? "" : target.slice(mark + 1),
    headers: flatHeaders(incoming),
    body: Stream.suspend(() => {
      if (expectsContinue) out.writeContinue();
      return Stream.fromAsyncIterable<Uint8Array, AwsError>(
        incoming.iterator({ destroyOnReturn: false }),
        (cause) =>
          new AwsError({
            code: "IncompleteBody",
            message: `The request body ended before it was complete: ${String(cause)}`,
            status: 400,
          }),
      );
    }),
  };
};

const flatHeaders = (incoming: IncomingMessage): Record<string, string> => {
  const headers: Record<string, string> = {};
  for (const [name, value] of Object.entries(incoming.headers)) {
    if (value !== undefined) headers[name] = Array.isArray(value) ? value.join(",") : value;
  }
  return headers;
};

const crashResponse = (cause: Cause.Cause<AwsError>): AwsResponse => ({
  status: 500,
  headers: { "content-type": "text/plain; charset=utf-8", "x-amzn-errortype": "InternalFailure" },
  body: `InternalFailure: ${Cause.pretty(cause)}`,
});

const writeResponse = ({ incoming, out }: Exchange, response: AwsResponse) => {
  const { body } = response;
  const headers: Record<string, string> = { ...response.headers };
  if (headers["x-amz-request-id"] === undefined && headers["x-amzn-requestid"] === undefined) {
    headers["x-amzn-requestid"] = randomUUID();
  }
  const bodyless = incoming.method === "HEAD" || response.status === 304 || response.status === 204;
  if (!Stream.isStream(body)) {
    const bytes = typeof body === "string" ? Buffer.from(body) : body;
    if (!bodyless) headers["content-length"] = String(bytes.byteLength);
    out.writeHead(response.status, headers);
    return endResponse(out, bodyless ? undefined : bytes);
  }
  out.writeHead(response.status, headers);
  if (bodyless) return endResponse(out, undefined);
  return Stream.runForEach(body, (chunk) => writeChunk(out, chunk)).pipe(
    Effect.andThen(endResponse(out, undefined)),
  );
};

const writeChunk = (out: ServerResponse, chunk: Uint8Array) =>
  Effect.suspend(() => (out.write(chunk) ? Effect.void : drained(out)));

const drained = (out: ServerResponse) =>
  Effect.callback<void>((resume) => {
    // A client that is gone never drains: "close" interrupts this fiber instead.
    const onDrain = () => resume(Effect.void);
    out.once("drain", onDrain);
    return Effect.sync(() => out.off("drain", onDrain));
  });

const endResponse = (out: ServerResponse, bytes: Uint8Array | undefined) =>
  Effect.callback<void>((resume) => {
    out.end(bytes, () => resume(Effect.void));
  });
