/**
 * The process of one execution environment: loads a function's module once, then handles one invocation at a time.
 *
 * Started by ExecutionEnvironment as a child process with an IPC channel; the module to load is its argument. It ends
 * with its parent: a closed channel is the end.
 */
import { enableCompileCache, flushCompileCache } from "node:module";
import { pathToFileURL } from "node:url";
import { Schema } from "effect";
import { type EnvironmentMessage, Invocation } from "./Invocation.ts";

type Handler = (
  event: unknown,
  context: { readonly awsRequestId: string; readonly getRemainingTimeInMillis: () => number },
) => Promise<unknown>;

const isHandlerModule = (module: unknown): module is { readonly handler: Handler } =>
  typeof module === "object" &&
  module !== null &&
  "handler" in module &&
  typeof module.handler === "function";

const send = (message: EnvironmentMessage): void => {
  process.send?.(message);
};

const load = async (file: string): Promise<Handler> => {
  const module: unknown = await import(pathToFileURL(file).href);
  if (!isHandlerModule(module)) throw new TypeError(`${file} exports no function named handler`);
  return module.handler;
};

const invoke = async (handler: Handler, invocation: Invocation): Promise<EnvironmentMessage> => {
  const { deadlineEpochMs, event, requestId } = invocation;
  try {
    const response: unknown = await handler(event, {
      awsRequestId: requestId,
      getRemainingTimeInMillis: () => Math.max(0, deadlineEpochMs - Date.now()),
    });
    return { _tag: "InvocationEnded", requestId, response: response ?? null };
  } catch (error) {
    return {
      _tag: "InvocationThrew",
      requestId,
      errorType: error instanceof Error ? error.name : "Error",
      errorMessage: error instanceof Error ? error.message : String(error),
    };
  }
};

// A function's modules are compiled once on a machine, not once in each process: a cold start takes a third less.
enableCompileCache();
const file = process.argv[2];
if (file === undefined) throw new TypeError("usage: environmentProcess <module>");
process.on("disconnect", () => process.exit(0));
const decodeInvocation = Schema.decodeUnknownSync(Invocation);
const handler = await load(file);
// Now, because a process that is killed does not come to do it.
flushCompileCache();
process.on("message", (message) => {
  void invoke(handler, decodeInvocation(message)).then(send);
});
send({ _tag: "Ready" });
