/**
 * An HTTP proxy in front of a DynamoDB that spoils some of the writes: before they reach the store, or after it has
 * applied them. Which ones is drawn from a seed, in the order in which the requests arrive.
 */
import { type Prng } from "@millrace/core/testing/simulation";
import { Effect, Schema } from "effect";
import {
  createServer,
  type IncomingHttpHeaders,
  type IncomingMessage,
  request,
  type ServerResponse,
} from "node:http";

/** What the client sees, and whether the store saw the request. */
const fates = [
  "reset before",
  "reset after",
  "500 before",
  "500 after",
  "hang before",
  "hang after",
] as const;
type Fate = (typeof fates)[number];

export interface FaultyProxy {
  readonly endpoint: string;
  /** Writes that met each fate. */
  readonly counts: Record<Fate, number>;
  /** Writes that reached the store. */
  readonly forwarded: () => number;
}

interface Answer {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly body: Buffer;
}

const read = async (message: IncomingMessage): Promise<Buffer> => {
  const chunks: Array<Buffer> = [];
  for await (const chunk of message) chunks.push(Buffer.from(chunk));
  return Buffer.concat(chunks);
};

const forward = (target: string, headers: IncomingHttpHeaders, body: Buffer): Promise<Answer> =>
  new Promise((resolve, reject) => {
    const forwarded = request(target, { method: "POST", headers }, (response) => {
      read(response).then(
        (text) =>
          resolve({ status: response.statusCode ?? 500, headers: response.headers, body: text }),
        reject,
      );
    });
    forwarded.on("error", reject);
    forwarded.end(body);
  });

const give = (response: ServerResponse, { body, headers, status }: Answer): void => {
  // The item added to an answer changes its length and its checksum.
  const { "content-length": _, "x-amz-crc32": __, ...rest } = headers;
  response.writeHead(status, rest).end(body);
};

const internalError: Answer = {
  status: 500,
  headers: { "content-type": "application/x-amz-json-1.0" },
  body: Buffer.from(
    JSON.stringify({ __type: "com.amazonaws.dynamodb.v20120810#InternalServerError" }),
  ),
};

const Put = Schema.Struct({
  TableName: Schema.String,
  Item: Schema.Struct({ executionId: Schema.Unknown, commit: Schema.Unknown }),
});
const decodePut = Schema.decodeUnknownSync(Schema.fromJsonString(Put));
const Document = Schema.Record(Schema.String, Schema.Unknown);
const decodeDocument = Schema.decodeUnknownSync(Schema.fromJsonString(Document));

/** The item that holds the key of a refused Put, in the failure itself: DynamoDB gives it, dynalite does not. */
const withHolder = async (
  target: string,
  headers: IncomingHttpHeaders,
  put: Buffer,
  refusal: Answer,
): Promise<Answer> => {
  const { Item: wanted, TableName } = decodePut(put.toString());
  const Key = { executionId: wanted.executionId, commit: wanted.commit };
  const body = Buffer.from(JSON.stringify({ TableName, Key, ConsistentRead: true }));
  const getItem = {
    ...headers,
    "x-amz-target": "DynamoDB_20120810.GetItem",
    "content-length": `${body.length}`,
  };
  const found = await forward(target, getItem, body);
  const { Item } = decodeDocument(found.body.toString());
  const failure = { ...decodeDocument(refusal.body.toString()), Item };
  return { ...refusal, body: Buffer.from(JSON.stringify(failure)) };
};

const answerPut = async (
  target: string,
  prng: Prng,
  headers: IncomingHttpHeaders,
  body: Buffer,
): Promise<Answer> => {
  const answer = await forward(target, headers, body);
  // Half of the refusals as they are in AWS; the other half leaves the client to read the item itself.
  const isRefused = answer.body.includes("ConditionalCheckFailedException");
  return isRefused && prng.chance(0.5) ? withHolder(target, headers, body, answer) : answer;
};

/** Serves in front of `target` until the scope closes; `rate` of the writes are spoiled. */
export const startFaultyProxy = (target: string, prng: Prng, rate: number) =>
  Effect.acquireRelease(
    Effect.callback<FaultyProxy & { readonly close: () => void }>((resume) => {
      const counts: Record<Fate, number> = {
        "reset before": 0,
        "reset after": 0,
        "500 before": 0,
        "500 after": 0,
        "hang before": 0,
        "hang after": 0,
      };
      let forwarded = 0;
      const handle = async (incoming: IncomingMessage, response: ServerResponse) => {
        const { headers } = incoming;
        const body = await read(incoming);
        if (!String(headers["x-amz-target"]).endsWith("PutItem")) {
          return give(response, await forward(target, headers, body));
        }
        const fate = prng.chance(rate) ? fates[prng.below(fates.length)] : undefined;
        if (fate) counts[fate]++;
        let answer: Answer | undefined;
        if (!fate?.endsWith("before")) {
          forwarded++;
          answer = await answerPut(target, prng, headers, body);
        }
        if (fate?.startsWith("reset")) incoming.socket.destroy();
        else if (fate?.startsWith("500")) give(response, internalError);
        else if (answer && !fate) give(response, answer);
      };
      const server = createServer((incoming, response) => {
        // A client that has gone away meanwhile is no concern of the proxy's.
        handle(incoming, response).catch(() => incoming.socket.destroy());
      });
      server.listen(0, "127.0.0.1", () => {
        const address = server.address();
        const port = typeof address === "object" && address !== null ? address.port : 0;
        resume(
          Effect.succeed({
            endpoint: `http://127.0.0.1:${port}`,
            counts,
            forwarded: () => forwarded,
            close: () => {
              server.closeAllConnections();
              server.close();
            },
          }),
        );
      });
    }),
    ({ close }) => Effect.sync(close),
  );
