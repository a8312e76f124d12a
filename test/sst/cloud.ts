/**
 * What SST's command line itself asks AWS for: its bootstrap record and passphrase (SSM), its state and bundles (S3), and
 * where the functions that run on a desk are reached (AppSync). Kept in memory, on 127.0.0.1.
 *
 * The project's own embedded AWS has no SSM and no AppSync, because nothing in the product speaks to them.
 *
 * Source: sst 4.17.1 (pkg/project/provider/aws.go)
 */
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import { buffer } from "node:stream/consumers";
import { Schema } from "effect";

/** SST's record of what it made in an account; version 5 is that of 4.17.1. */
const bootstrap = {
  version: 5,
  asset: "sst-asset-test",
  state: "sst-state-test",
  assetEcrRegistryId: "123456789012",
  assetEcrUrl: "123456789012.dkr.ecr.eu-west-1.amazonaws.com/sst-asset",
  appsyncHttp: "",
  appsyncRealtime: "",
};

const Parameter = Schema.fromJsonString(
  Schema.Struct({ Name: Schema.String, Value: Schema.optionalKey(Schema.String) }),
);
const decodeParameter = Schema.decodeUnknownSync(Parameter);

interface StoredObject {
  readonly body: Buffer;
  readonly encoding: string;
}

export interface Cloud {
  readonly url: string;
  /** Objects by `/bucket/key`. */
  readonly objects: ReadonlyMap<string, StoredObject>;
  readonly close: () => void;
}

const json = (response: ServerResponse, value: object, status = 200): void => {
  response.writeHead(status, { "content-type": "application/x-amz-json-1.1" });
  response.end(JSON.stringify(value));
};

/** Serves until it is closed; `appSyncHost` is where events of live functions go. */
export const serveCloud = async (appSyncHost: string): Promise<Cloud> => {
  const parameters = new Map([["/sst/bootstrap", JSON.stringify(bootstrap)]]);
  const objects = new Map<string, StoredObject>();

  const parameter = (operation: string, body: Buffer, response: ServerResponse): void => {
    const { Name, Value = "" } = decodeParameter(body.toString());
    const known = parameters.get(Name);
    if (operation === "PutParameter") parameters.set(Name, Value);
    if (operation === "DeleteParameter") parameters.delete(Name);
    if (operation !== "GetParameter") json(response, { Version: 1 });
    else if (known === undefined) json(response, { __type: "ParameterNotFound" }, 400);
    else json(response, { Parameter: { Name, Value: known, Type: "String" } });
  };

  const object = (request: IncomingMessage, url: URL, body: Buffer, response: ServerResponse) => {
    const stored = objects.get(url.pathname);
    switch (request.method) {
      case "PUT": {
        const encodings = request.headers["content-encoding"] ?? "";
        const isChunked = encodings.includes("aws-chunked");
        objects.set(url.pathname, {
          body: isChunked ? withoutChunks(body) : body,
          encoding: encodings.replace(/aws-chunked,?/, ""),
        });
        return response.writeHead(200, { etag: '"one"' }).end();
      }
      case "DELETE":
        objects.delete(url.pathname);
        return response.writeHead(204).end();
      default:
        if (url.searchParams.has("list-type")) {
          const list = "<ListBucketResult><IsTruncated>false</IsTruncated></ListBucketResult>";
          return response.writeHead(200, { "content-type": "application/xml" }).end(list);
        }
        if (stored) {
          if (stored.encoding !== "") response.setHeader("content-encoding", stored.encoding);
          return response.end(stored.body);
        }
        return response
          .writeHead(404, { "content-type": "application/xml" })
          .end("<Error><Code>NoSuchKey</Code><Message>it is not there</Message></Error>");
    }
  };

  const answer = async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    const body = await buffer(request);
    const url = new URL(request.url ?? "/", "http://127.0.0.1");
    const target = String(request.headers["x-amz-target"] ?? "");
    if (target.startsWith("AmazonSSM.")) {
      parameter(target.slice("AmazonSSM.".length), body, response);
    } else if (url.pathname === "/v2/apis") {
      json(response, { apis: [{ name: "sst", apiId: "live" }] });
    } else if (url.pathname === "/v2/apis/live") {
      const dns = { HTTP: appSyncHost, REALTIME: appSyncHost };
      json(response, { api: { name: "sst", apiId: "live", dns } });
    } else {
      object(request, url, body, response);
    }
  };

  const server = createServer((request, response) => {
    void answer(request, response);
  });
  await new Promise<void>((resolve) => {
    server.listen(0, "127.0.0.1", resolve);
  });
  const address = server.address();
  const port = typeof address === "object" && address ? address.port : 0;
  return {
    url: `http://127.0.0.1:${port}`,
    objects,
    close: () => {
      server.closeAllConnections();
      server.close();
    },
  };
};

/** A body that the SDK sent in signed chunks, without their heads. */
const withoutChunks = (body: Buffer): Buffer => {
  const chunks: Array<Buffer> = [];
  for (let from = 0; from < body.length;) {
    const headEnd = body.indexOf("\r\n", from);
    const size = Number.parseInt(body.subarray(from, headEnd).toString().split(";")[0] ?? "0", 16);
    if (!(size > 0)) break;
    chunks.push(body.subarray(headEnd + 2, headEnd + 2 + size));
    from = headEnd + 2 + size + 2;
  }
  return Buffer.concat(chunks);
};
