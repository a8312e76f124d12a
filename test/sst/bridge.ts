/**
 * SST's real bridge, which is what runs in Lambda while `sst dev` runs the function on a desk, with the part of Lambda
 * that it talks to: the runtime API, by which it asks for the next event and gives the answer.
 *
 * An invocation has its time, as in Lambda. The bridge itself waits 15 minutes for an answer, and none comes when SST
 * ends the worker that has the event: a change of the code does that, whatever the worker is at. Lambda then ends the
 * environment, and the next event gets a new one.
 *
 * Source: AWS Lambda developer guide, "Using the Lambda runtime API", "Lambda execution environment lifecycle"; sst 4.17.1
 * (platform/functions/bridge/bridge.go, cmd/sst/mosaic/aws/function.go)
 */
import { type ChildProcess, spawn } from "node:child_process";
import { chmodSync } from "node:fs";
import { createServer, type ServerResponse } from "node:http";
import { join } from "node:path";
import { text as readText } from "node:stream/consumers";

export interface Answer {
  readonly kind: "response" | "error" | "timeout";
  /** What was answered; of an invocation without an answer, what its environment printed. */
  readonly body: string;
  readonly ms: number;
}

export interface Bridge {
  /** One event at a time, as in Lambda. */
  readonly invoke: (event: object) => Promise<Answer>;
  readonly close: () => void;
}

interface Invocation {
  readonly id: string;
  readonly event: object;
}

/** Time of one invocation, which the function is told, in milliseconds. */
const timeoutMs = 30_000;

/** Starts the bridge of a function; `variables` are those of its deployed stub. */
export const startBridge = async (
  platform: string,
  environment: Readonly<Record<string, string | undefined>>,
  variables: Readonly<Record<string, string>>,
  functionName: string,
): Promise<Bridge> => {
  let waiting: Invocation | undefined;
  let taker: ServerResponse | undefined;
  const answers = new Map<string, (kind: string, body: string) => void>();

  const give = (response: ServerResponse, { event, id }: Invocation): void => {
    response.writeHead(200, {
      "Lambda-Runtime-Aws-Request-Id": id,
      "Lambda-Runtime-Deadline-Ms": String(Date.now() + timeoutMs),
      "Lambda-Runtime-Invoked-Function-Arn": `arn:aws:lambda:eu-west-1:123456789012:function:${functionName}`,
    });
    response.end(JSON.stringify(event));
  };

  const server = createServer((request, response) => {
    const path = request.url ?? "";
    if (path.endsWith("/invocation/next")) {
      const next = waiting;
      waiting = undefined;
      taker = next ? undefined : response;
      response.on("close", () => {
        if (taker === response) taker = undefined;
      });
      if (next) give(response, next);
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
  let printed = "";
  const startEnvironment = (): ChildProcess => {
    printed = "";
    const started = spawn(bootstrap, [], {
      env: {
        ...environment,
        ...variables,
        AWS_LAMBDA_RUNTIME_API: `127.0.0.1:${port}`,
        AWS_LAMBDA_FUNCTION_NAME: functionName,
        // Its last 32 characters name the worker.
        AWS_LAMBDA_LOG_STREAM_NAME: `2026/11/20/[$LATEST]${crypto.randomUUID().replaceAll("-", "")}`,
      },
      stdio: ["ignore", "pipe", "pipe"],
    });
    for (const stream of [started.stdout, started.stderr]) {
      stream.on("data", (data: Buffer) => {
        printed += data.toString();
      });
    }
    return started;
  };
  let child = startEnvironment();

  return {
    invoke: (event) =>
      new Promise((resolve) => {
        const id = crypto.randomUUID();
        const began = performance.now();
        const answer = (kind: Answer["kind"], body: string): void => {
          clearTimeout(late);
          answers.delete(id);
          resolve({ kind, body, ms: Math.round(performance.now() - began) });
        };
        const late = setTimeout(() => {
          child.kill("SIGKILL");
          waiting = undefined;
          taker = undefined;
          answer("timeout", printed);
          child = startEnvironment();
        }, timeoutMs);
        answers.set(id, (kind, body) => answer(kind === "error" ? "error" : "response", body));
        if (taker) give(taker, { id, event });
        else waiting = { id, event };
        taker = undefined;
      }),
    close: () => {
      child.kill("SIGKILL");
      server.closeAllConnections();
      server.close();
    },
  };
};
