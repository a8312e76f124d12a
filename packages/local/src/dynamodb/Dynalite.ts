/**
 * dynalite inside this process: its request handler is called directly, without a socket between.
 *
 * The server listens on a free loopback port all the same, because dynalite closes its LevelDB only when a listening
 * server is closed; nobody is told the port.
 */
import { Effect, Schedule, Schema, type Scope } from "effect";
import dynalite from "dynalite";
import { EventEmitter } from "node:events";
import type { Server } from "node:http";
import { AwsError } from "../AwsError.ts";
import { closeIterators } from "./closeIterators.ts";

/** An answer of dynalite. */
export interface DynaliteAnswer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
}

/** One call of an operation with its JSON text. */
export type Dynalite = (
  operation: string,
  body: string,
  headers: Readonly<Record<string, string>>,
) => Effect.Effect<DynaliteAnswer>;

/** An answer to what comes when the store is being closed; dynalite itself would end the process. */
const unavailable: DynaliteAnswer = {
  status: 500,
  headers: {},
  body: JSON.stringify({
    __type: "com.amazonaws.dynamodb.v20120810#InternalServerError",
    message: "The store is being closed",
  }),
};

/** Longest wait for what is on its way when the store is closed, in milliseconds. */
const drainMsMax = 10_000;

/** Opens dynalite on a directory, or in memory, until the scope closes; what is on its way then, is answered first. */
export const openDynalite = Effect.fnUntraced(function* (
  directory: string | undefined,
): Effect.fn.Return<Dynalite, never, Scope.Scope> {
  const underWay = new Set<FakeRequest>();
  let isClosing = false;
  const drained = Effect.sync(() => underWay.size === 0).pipe(
    Effect.repeat({ until: (none) => none, schedule: Schedule.spaced("5 millis") }),
    Effect.timeoutOption(drainMsMax),
  );
  const server = yield* Effect.acquireRelease(start(directory), (opened) =>
    Effect.gen(function* () {
      isClosing = true;
      yield* drained;
      yield* Effect.callback<void>((resume) => {
        opened.close(() => resume(Effect.void));
      });
    }),
  );
  return (operation, body, headers) =>
    Effect.callback<DynaliteAnswer>((resume) => {
      if (isClosing) return resume(Effect.succeed(unavailable));
      const request = new FakeRequest({
        ...headers,
        "content-type": "application/x-amz-json-1.0",
        "x-amz-target": `DynamoDB_20120810.${operation}`,
      });
      underWay.add(request);
      const response = new FakeResponse((answer) => {
        underWay.delete(request);
        resume(Effect.succeed(answer));
      });
      server.emit("request", request, response);
      request.emit("data", Buffer.from(body));
      request.emit("end");
    });
});

const start = (directory: string | undefined) =>
  Effect.callback<Server>((resume) => {
    closeIterators();
    const timing = { createTableMs: 0, deleteTableMs: 0, updateTableMs: 0 };
    const server = dynalite(directory === undefined ? timing : { ...timing, path: directory });
    server.listen(0, "127.0.0.1", () => resume(Effect.succeed(server)));
  });

/** What dynalite reads of an IncomingMessage. */
class FakeRequest extends EventEmitter {
  readonly method = "POST";
  readonly url = "/";
  readonly headers: Readonly<Record<string, string>>;

  constructor(headers: Readonly<Record<string, string>>) {
    super();
    this.headers = headers;
  }
}

/** What dynalite writes to a ServerResponse. */
class FakeResponse {
  statusCode = 200;
  readonly #headers: Record<string, string> = {};
  readonly #done: (answer: DynaliteAnswer) => void;

  constructor(done: (answer: DynaliteAnswer) => void) {
    this.#done = done;
  }

  setHeader(name: string, value: string | number): void {
    this.#headers[name.toLowerCase()] = String(value);
  }

  end(body?: string): void {
    this.#done({ status: this.statusCode, headers: this.#headers, body: body ?? "" });
  }
}

const JsonObject = Schema.Record(Schema.String, Schema.Unknown);
const decodeObject = Schema.decodeUnknownEffect(Schema.fromJsonString(JsonObject));

/** The JSON object in a body. */
export const parseObject = (
  body: string,
): Effect.Effect<Readonly<Record<string, unknown>>, AwsError> =>
  Effect.mapError(
    decodeObject(body),
    () =>
      new AwsError({
        code: "SerializationException",
        message: "The request body is not a JSON object",
        status: 400,
      }),
  );
