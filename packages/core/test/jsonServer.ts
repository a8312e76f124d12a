/** A server of a test's own on the loopback interface, which answers JSON with JSON. */
import { createServer } from "node:http";
import { Effect } from "effect";

export interface JsonRequest {
  readonly method: string;
  readonly path: string;
  /** By lower-case name. */
  readonly headers: Readonly<Record<string, string | ReadonlyArray<string> | undefined>>;
  readonly body: string;
}

export interface JsonAnswer {
  readonly status: number;
  readonly body: Readonly<Record<string, unknown>>;
}

/** Serves until the scope closes; gives the URL. */
export const serveJson = (answer: (request: JsonRequest) => JsonAnswer) =>
  Effect.map(
    Effect.acquireRelease(
      Effect.callback<{ readonly endpoint: string; readonly close: () => void }>((resume) => {
        const server = createServer((request, response) => {
          const chunks: Array<Buffer> = [];
          request.on("data", (chunk: Buffer) => chunks.push(chunk));
          request.on("end", () => {
            const { headers, method = "", url: path = "" } = request;
            const { body, status } = answer({
              method,
              path,
              headers,
              body: Buffer.concat(chunks).toString("utf8"),
            });
            response.writeHead(status, { "content-type": "application/json" });
            response.end(JSON.stringify(body));
          });
        });
        server.listen(0, "127.0.0.1", () => {
          const address = server.address();
          const port = typeof address === "object" && address !== null ? address.port : 0;
          resume(
            Effect.succeed({
              endpoint: `http://127.0.0.1:${port}`,
              close: () => {
                server.closeAllConnections();
                server.close();
              },
            }),
          );
        });
      }),
      ({ close }) => Effect.sync(close),
    ),
    ({ endpoint }) => endpoint,
  );
