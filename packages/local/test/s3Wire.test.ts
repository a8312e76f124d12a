/**
 * Goal: the forms on the wire that the JavaScript SDK does not send by itself: signed chunks, broken framing, wrong
 * hashes, virtual hosts. Method: requests signed here by hand over `node:http`, each broken in one place.
 */
import { assert, layer } from "@effect/vitest";
import { Effect } from "effect";
import { createHash } from "node:crypto";
import { type OutgoingHttpHeaders, request } from "node:http";
import { localAccount } from "../src/LocalAccount.ts";
import { canonicalRequest, chunkSigner, signingKey, signRequest } from "../src/s3/SigV4.ts";
import { freshBucket } from "./awsCalls.ts";
import { LocalS3, layerS3 } from "./localS3.ts";

const sha256 = (data: string | Buffer) => createHash("sha256").update(data).digest("hex");

interface Shape {
  readonly method: string;
  readonly path: string;
  readonly payloadHash: string;
  readonly headers?: Readonly<Record<string, string>>;
}

/** Signs a request as of now; gives its headers and what signs its chunks. */
const sign = (endpoint: string, shape: Shape) => {
  const timestamp = new Date().toISOString().replaceAll(/[-:]|\.\d{3}/gu, "");
  const scope = {
    accessKeyId: localAccount.accessKeyId,
    date: timestamp.slice(0, 8),
    region: localAccount.region,
    service: "s3",
  };
  const headers: Record<string, string> = {
    host: new URL(endpoint).host,
    ...shape.headers,
    "x-amz-date": timestamp,
    "x-amz-content-sha256": shape.payloadHash,
  };
  const signedHeaders = Object.keys(headers).toSorted();
  const [rawPath = "", rawQuery = ""] = shape.path.split("?");
  const query = rawQuery === "" ? [] : rawQuery.split("&").map((pair) => [pair, ""] as const);
  const key = signingKey(localAccount.secretAccessKey, scope);
  const canonical = canonicalRequest({ ...shape, rawPath, query, headers, signedHeaders });
  const signature = signRequest(key, scope, timestamp, canonical);
  const credential = `${scope.accessKeyId}/${scope.date}/${scope.region}/s3/aws4_request`;
  return {
    headers: {
      ...headers,
      authorization: `AWS4-HMAC-SHA256 Credential=${credential}, SignedHeaders=${signedHeaders.join(";")}, Signature=${signature}`,
    },
    signer: chunkSigner(key, scope, timestamp, signature),
  };
};

const send = (
  endpoint: string,
  method: string,
  path: string,
  headers: OutgoingHttpHeaders,
  body = "",
) =>
  Effect.callback<{ readonly status: number; readonly text: string; readonly code: string }>(
    (resume) => {
      const client = request(endpoint, { method, path, headers }, (response) => {
        const pieces: Array<string> = [];
        response.setEncoding("utf8");
        response.on("data", (piece: string) => pieces.push(piece));
        response.on("end", () => {
          const text = pieces.join("");
          const code = /<Code>(\w+)<\/Code>/u.exec(text)?.[1] ?? "";
          resume(Effect.succeed({ status: response.statusCode ?? 0, text, code }));
        });
      });
      client.end(body);
    },
  );

layer(layerS3)("s3 on the wire", (it) => {
  const put = Effect.fnUntraced(function* (
    path: string,
    payloadHash: string,
    more: {
      readonly headers?: Readonly<Record<string, string>>;
      readonly body: (signer: ReturnType<typeof sign>["signer"]) => string;
    },
  ) {
    const { endpoint } = yield* LocalS3;
    const { headers, signer } = sign(endpoint, {
      method: "PUT",
      path,
      payloadHash,
      ...(more.headers === undefined ? {} : { headers: more.headers }),
    });
    return yield* send(endpoint, "PUT", path, headers, more.body(signer));
  });

  const get = Effect.fnUntraced(function* (path: string) {
    const { endpoint } = yield* LocalS3;
    const { headers } = sign(endpoint, { method: "GET", path, payloadHash: "UNSIGNED-PAYLOAD" });
    return yield* send(endpoint, "GET", path, headers);
  });

  const text = "0\r\n\r\nlooks like the end";
  const signedChunks =
    (spoil: (frame: string) => string = (frame) => frame) =>
    (signer: ReturnType<typeof sign>["signer"]) =>
      spoil(
        [text.slice(0, 7), text.slice(7), ""]
          .map(
            (data) =>
              `${data.length.toString(16)};chunk-signature=${signer.chunk(sha256(data))}\r\n${data}\r\n`,
          )
          .join(""),
      );

  it.effect("signed chunks are unwrapped and verified", () =>
    Effect.gen(function* () {
      const { Bucket } = yield* freshBucket;
      const path = `/${Bucket}/k`;
      const kind = "STREAMING-AWS4-HMAC-SHA256-PAYLOAD";
      const headers = {
        "content-encoding": "aws-chunked,gzip",
        "x-amz-decoded-content-length": String(text.length),
      };
      assert.strictEqual((yield* put(path, kind, { headers, body: signedChunks() })).status, 200);
      assert.strictEqual((yield* get(path)).text, text);
      const rows: ReadonlyArray<readonly [(body: string) => string, string]> = [
        [(body) => body.replace("like", "lake"), "SignatureDoesNotMatch"],
        [(body) => body.replace(/=[0-9a-f]{4}/u, "=0000"), "SignatureDoesNotMatch"],
        [(body) => body.slice(0, 120), "IncompleteBody"],
        [(body) => `${body}more`, "IncompleteBody"],
      ];
      for (const [spoil, code] of rows) {
        const answer = yield* put(path, kind, { headers, body: signedChunks(spoil) });
        assert.strictEqual(answer.code, code);
      }
      assert.strictEqual((yield* get(path)).text, text);
    }),
  );

  it.effect("signed chunks with a signed trailer are verified, trailer included", () =>
    Effect.gen(function* () {
      const { Bucket } = yield* freshBucket;
      const path = `/${Bucket}/k`;
      const value = createHash("sha256").update(text).digest("base64");
      const upload = (trailer: string, signedTrailer: string) =>
        put(path, "STREAMING-AWS4-HMAC-SHA256-PAYLOAD-TRAILER", {
          headers: {
            "content-encoding": "aws-chunked",
            "x-amz-decoded-content-length": String(text.length),
            "x-amz-trailer": "x-amz-checksum-sha256",
          },
          body: (signer) => {
            const first = `${text.length.toString(16)};chunk-signature=${signer.chunk(sha256(text))}\r\n${text}\r\n`;
            const last = `0;chunk-signature=${signer.chunk(sha256(""))}\r\n`;
            const signature = signer.trailer(sha256(`x-amz-checksum-sha256:${signedTrailer}\n`));
            return `${first}${last}x-amz-checksum-sha256:${trailer}\r\nx-amz-trailer-signature:${signature}\r\n\r\n`;
          },
        });
      const wrong = createHash("sha256").update("other").digest("base64");
      assert.strictEqual((yield* upload(value, value)).status, 200);
      assert.strictEqual((yield* upload(value, wrong)).code, "SignatureDoesNotMatch");
      assert.strictEqual((yield* upload(wrong, wrong)).code, "BadDigest");
    }),
  );

  it.effect("a body that is not what was declared is refused and stores nothing", () =>
    Effect.gen(function* () {
      const { Bucket } = yield* freshBucket;
      const path = `/${Bucket}/k`;
      const chunked = "STREAMING-UNSIGNED-PAYLOAD-TRAILER";
      const encoding = { "content-encoding": "aws-chunked" };
      const rows: ReadonlyArray<
        readonly [string, Readonly<Record<string, string>>, string, string]
      > = [
        [sha256("other"), {}, "body", "XAmzContentSHA256Mismatch"],
        [sha256("body"), { "content-md5": "nonsense" }, "body", "InvalidDigest"],
        [sha256("body"), { "content-md5": "AAAAAAAAAAAAAAAAAAAAAA==" }, "body", "BadDigest"],
        [sha256("body"), { "x-amz-checksum-crc32": "nonsense" }, "body", "InvalidRequest"],
        [
          sha256("body"),
          { "x-amz-checksum-crc32": "AAAAAA==", "x-amz-checksum-crc32c": "AAAAAA==" },
          "body",
          "InvalidRequest",
        ],
        [sha256("body"), { "x-amz-sdk-checksum-algorithm": "CRC32" }, "body", "InvalidRequest"],
        ["nonsense", {}, "body", "InvalidArgument"],
        [chunked, encoding, "0\r\n\r\n", "MissingContentLength"],
        [
          chunked,
          { ...encoding, "x-amz-decoded-content-length": "5" },
          "4\r\nbody\r\n0\r\n\r\n",
          "IncompleteBody",
        ],
        [
          chunked,
          {
            ...encoding,
            "x-amz-decoded-content-length": "4",
            "x-amz-trailer": "x-amz-checksum-crc32",
          },
          "4\r\nbody\r\n0\r\n\r\n",
          "MalformedTrailerError",
        ],
        [
          chunked,
          { ...encoding, "x-amz-decoded-content-length": "4" },
          "3\r\nbody\r\n0\r\n\r\n",
          "IncompleteBody",
        ],
      ];
      for (const [payloadHash, headers, body, code] of rows) {
        const answer = yield* put(path, payloadHash, { headers, body: () => body });
        assert.strictEqual(answer.code, code, JSON.stringify([payloadHash, headers]));
      }
      assert.strictEqual((yield* get(path)).code, "NoSuchKey");
    }),
  );

  it.effect(
    "a bucket in the host name is the same bucket, and errors name what was asked for",
    () =>
      Effect.gen(function* () {
        const { Bucket } = yield* freshBucket;
        const { endpoint } = yield* LocalS3;
        const host = `${Bucket}.localhost:${new URL(endpoint).port}`;
        yield* put(`/${Bucket}/a%20b`, sha256("x"), { body: () => "x" });
        const { headers } = sign(endpoint, {
          method: "GET",
          path: "/a%20b",
          payloadHash: "UNSIGNED-PAYLOAD",
          headers: { host },
        });
        assert.strictEqual((yield* send(endpoint, "GET", "/a%20b", headers)).text, "x");
        const missing = yield* get(`/${Bucket}/%3Cnot%26there%3E`);
        assert.include(missing.text, "<Key>&lt;not&amp;there&gt;</Key>");
        assert.match(missing.text, /<RequestId>[0-9A-F]{16}<\/RequestId>/u);
        assert.strictEqual((yield* get("/Bad_Name/k")).code, "InvalidBucketName");
        const future = yield* put(`/${Bucket}?hologram`, sha256("x"), { body: () => "x" });
        assert.deepStrictEqual([future.status, future.code], [501, "NotImplemented"]);
        assert.include(future.text, "hologram");
        const acl = yield* get(`/${Bucket}?acl`);
        assert.deepStrictEqual([acl.status, acl.code], [501, "NotImplemented"]);
        assert.include(acl.text, "GetBucketAcl");
      }),
  );
});
