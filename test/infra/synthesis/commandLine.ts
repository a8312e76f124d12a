/**
 * Answers what SST's components ask SST's command line while a program runs: where its state lies, and for the bundles
 * of functions. What it was asked to build is remembered.
 */
import { mkdirSync, writeFileSync } from "node:fs";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import { join } from "node:path";
import { text as readText } from "node:stream/consumers";
import { Schema } from "effect";
import type { Place } from "./mocks.ts";

const Call = Schema.fromJsonString(
  Schema.Struct({
    method: Schema.String,
    params: Schema.Array(Schema.Record(Schema.String, Schema.Unknown)),
  }),
);
const decodeCall = Schema.decodeUnknownSync(Call);

export interface CommandLine {
  readonly url: string;
  /** Parameters of each function that was to be built. */
  readonly builds: ReadonlyArray<Readonly<Record<string, unknown>>>;
  readonly close: () => void;
}

/** Serves until it is closed; empty bundles go below the folder `work`. */
export const serveCommandLine = async (
  { account, region }: Place,
  work: string,
): Promise<CommandLine> => {
  const builds: Array<Readonly<Record<string, unknown>>> = [];
  const answer = (method: string, parameters: Readonly<Record<string, unknown>>): unknown => {
    switch (method) {
      case "Provider.Aws.Bootstrap":
        return {
          asset: "sst-asset",
          state: "sst-state",
          assetEcrRegistryId: account,
          assetEcrUrl: `${account}.dkr.ecr.${region}.amazonaws.com/sst-asset`,
        };
      case "Provider.Aws.Appsync":
        return { http: "appsync-http", realtime: "appsync-realtime" };
      case "Runtime.AddTarget":
        builds.push(parameters);
        return null;
      case "Runtime.Build": {
        builds.push(parameters);
        const out = join(work, "artifacts", `${String(parameters["functionID"])}-empty`);
        mkdirSync(out, { recursive: true });
        writeFileSync(join(out, "bundle.mjs"), "export const handler = async () => {};\n");
        return { handler: "bundle.handler", out, errors: [], sourcemaps: [] };
      }
      default:
        return undefined;
    }
  };
  const reply = async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    const { method, params } = decodeCall(await readText(request));
    const result = answer(method, params[0] ?? {});
    const unknown = { error: `rpc: can't find method ${method}` };
    response.end(JSON.stringify(result === undefined ? unknown : { result }));
  };
  const server = createServer((request, response) => {
    void reply(request, response);
  });
  await new Promise<void>((resolve) => {
    server.listen(0, "127.0.0.1", resolve);
  });
  const address = server.address();
  const port = typeof address === "object" && address ? address.port : 0;
  return { url: `http://127.0.0.1:${port}`, builds, close: () => server.close() };
};
