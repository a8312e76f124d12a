/**
 * SST's real bridge, which is what runs in Lambda while `sst dev` runs the function on a desk, with the part of Lambda
 * that it talks to: the runtime API, by which it asks for the next event and gives the answer.
 *
 * Source: AWS Lambda developer guide, "Using the Lambda runtime API"
 */
import { type ChildProcess, spawn } from "node:child_process";
import { chmodSync } from "node:fs";
import { createServer, type ServerResponse } from "node:http";
import { join } from "node:path";
import { text as readText } from "node:stream/consumers";

export interface Answer {
  readonly kind: "response" | "error";
  readonly body: string;
  readonly ms: number;
}

export interface Bridge {
  readonly invoke: (event: object) => Promise<Answer>;
  readonly close: () => void;
}

interface Invocation {
  readonly id: string;
  readonly event: object;
}

/** Deadline that the function is told, in milliseconds. */
const deadlineMs = 30_000;

/** Starts the bridge of a function; `variables` are those of its deployed stub. */
export const startBridge = async (
  platform: string,
  environment: Readonly<Record<string, string | undefined>>,
  variables: Readonly<Record<string, string>>,
  functionName: string,
): Promise<Bridge> => {
  const waiting: Array<Invocation> = [];
  const takers: Array<ServerResponse> = [];
  const answers = new Map<string, (kind: string, body: string) => void>();

  const give = (response: ServerResponse, { event, id }: Invocation): void => {
    response.writeHead(200, {
      "Lambda-Runtime-Aws-Request-Id": id,
      "Lambda-Runtime-Deadline-Ms": String(Date.now() + deadlineMs),
      "Lambda-Runtime-Invoked-Function-Arn": `arn:aws:lambda:eu-west-1:123456789012:function:${functionName}`,
    });
    response.end(JSON.stringify(event));
  };

  const server = createServer((request, response) => {
    const path = request.url ?? "";
    if (path.endsWith("/invocation/next")) {
      const next = waiting.shift();
      if (next) give(response, next);
      else takers.push(response);
      return;
    }
    void readText(request).then((body) => {
      const [id = "", kind = ""] = path.split("/").slice(-2);
      answers.get(id)?.(kind, body);
      return response.writeHead(202).end();
    });
  });
  await new Promise<void>((resolve) => {
    server.listen(0, "127.0.0.1", resolve);
  });
  const address = server.address();
  const port = typeof address === "object" && address ? address.port : 0;

  const bootstrap = join(platform, "dist", "bridge", "bootstrap");
  // SST unpacks it without the right to run.
  chmodSync(bootstrap, 0o755);
  const child: ChildProcess = spawn(bootstrap, [], {
    env: {
      ...environment,
      ...variables,
      AWS_LAMBDA_RUNTIME_API: `127.0.0.1:${port}`,
      AWS_LAMBDA_FUNCTION_NAME: functionName,
      // Its last 32 characters name the worker.
      AWS_LAMBDA_LOG_STREAM_NAME: "2026/11/20/[$LATEST]0123456789abcdef0123456789abcdef",
    },
    stdio: "ignore",
  });

  return {
    invoke: (event) =>
      new Promise((resolve) => {
        const id = crypto.randomUUID();
        const began = performance.now();
        answers.set(id, (kind, body) => {
          resolve({
            kind: kind === "error" ? "error" : "response",
            body,
            ms: Math.round(performance.now() - began),
          });
        });
        const taker = takers.shift();
        if (taker) give(taker, { id, event });
        else waiting.push({ id, event });
      }),
    close: () => {
      child.kill("SIGKILL");
      server.closeAllConnections();
      server.close();
    },
  };
};
