/**
 * An HTTP proxy between the workers and the embedded AWS that spoils some requests: before they reach the service, or
 * after it has applied them. The product knows nothing of it: only its endpoint is another.
 *
 * Messages to queues go by the queue's own URL, and so past it: what a queue does (give a message twice, late, or back)
 * a soak does itself.
 *
 * Which requests are spoiled is drawn from a seed, in the order in which they arrive.
 */
import type { Prng } from "@millrace/core/testing/simulation";
import { Effect } from "effect";
import {
  Agent,
  createServer,
  type IncomingMessage,
  type OutgoingHttpHeaders,
  request,
  type Server,
  type ServerResponse,
} from "node:http";

const fates = ["500 before", "503 before", "500 after", "reset before", "reset after"] as const;
type Fate = (typeof fates)[number];

export interface FaultyFront {
  readonly endpoint: string;
  /** Where requests go on to; set before the first comes. */
  readonly forwardTo: (endpoint: string) => void;
  /** From now on nothing is spoiled. */
  readonly calm: () => void;
  readonly requests: () => number;
  readonly faults: () => number;
  /** Told of every request to DynamoDB before it goes on. */
  readonly watchers: Set<(operation: string, body: string) => void>;
}

interface Answer {
  readonly status: number;
  readonly headers: OutgoingHttpHeaders;
  readonly body: Buffer;
}

const read = async (message: IncomingMessage): Promise<Buffer> => {
  const chunks: Array<Buffer> = [];
  for await (const chunk of message) chunks.push(Buffer.from(chunk));
  return Buffer.concat(chunks);
};

const forward = (
  target: URL,
  agent: Agent,
  incoming: IncomingMessage,
  body: Buffer,
): Promise<Answer> =>
  new Promise((resolve, reject) => {
    const { method = "GET", url = "/" } = incoming;
    // The body is here as a whole: nobody waits for leave to send it.
    const { expect: _, ...headers } = incoming.headers;
    const { hostname, port } = target;
    const forwarded = request({ hostname, port, method, path: url, agent, headers }, (response) => {
      read(response).then(
        (bytes) =>
          resolve({
            status: response.statusCode ?? 500,
            headers: response.headers,
            body: bytes,
          }),
        reject,
      );
    });
    forwarded.on("error", reject);
    forwarded.end(body);
  });

/** A status without a body: every SDK client takes a 5xx for trouble that may pass. */
const troubled = (status: number): Answer => ({ status, headers: {}, body: Buffer.alloc(0) });

const give = (response: ServerResponse, { body, headers, status }: Answer): void => {
  const { connection: _, "keep-alive": __, ...rest } = headers;
  response.writeHead(status, rest).end(body);
};

const listen = (server: Server) =>
  Effect.callback<string>((resume) => {
    server.listen(0, "127.0.0.1", () => {
      const address = server.address();
      const port = typeof address === "object" && address !== null ? address.port : 0;
      resume(Effect.succeed(`http://127.0.0.1:${port}`));
    });
  });

/** Serves until the scope closes; `rate` of the requests are spoiled. */
export const startFaultyFront = Effect.fnUntraced(function* (prng: Prng, rate: number) {
  const agent = new Agent({ keepAlive: true });
  const watchers: FaultyFront["watchers"] = new Set();
  let [target, spoiling, requests, faults] = [new URL("http://127.0.0.1:9"), true, 0, 0];

  const handle = async (incoming: IncomingMessage, response: ServerResponse) => {
    const body = await read(incoming);
    requests++;
    const operation = String(incoming.headers["x-amz-target"] ?? "");
    if (operation.startsWith("DynamoDB_")) {
      const text = body.toString();
      for (const watcher of watchers) watcher(operation.split(".")[1] ?? "", text);
    }
    const fate: Fate | undefined =
      spoiling && prng.chance(rate) ? fates[prng.below(fates.length)] : undefined;
    if (fate) faults++;
    const answer = fate?.endsWith("before")
      ? undefined
      : await forward(target, agent, incoming, body);
    if (fate?.startsWith("reset")) incoming.socket.destroy();
    else if (fate) give(response, troubled(Number(fate.slice(0, 3))));
    else if (answer) give(response, answer);
  };
  const server = yield* Effect.acquireRelease(
    Effect.sync(() =>
      createServer((incoming, response) => {
        // A worker that was killed meanwhile is no concern of the front's.
        handle(incoming, response).catch(() => incoming.socket.destroy());
      }),
    ),
    (server) =>
      Effect.sync(() => {
        server.closeAllConnections();
        server.close();
        agent.destroy();
      }),
  );
  const endpoint = yield* listen(server);
  const front: FaultyFront = {
    endpoint,
    forwardTo: (to) => void (target = new URL(to)),
    calm: () => void (spoiling = false),
    requests: () => requests,
    faults: () => faults,
    watchers,
  };
  return front;
});
