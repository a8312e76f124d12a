/**
 * Goal: who may do what: signed requests, presigned URLs, browser forms, anonymous callers, cross-origin rules.
 * Method: URLs and forms made by AWS's own presigners, tampered with one thing at a time, sent with plain fetch.
 */
import {
  GetObjectCommand,
  HeadObjectCommand,
  PutBucketCorsCommand,
  PutBucketNotificationConfigurationCommand,
  PutObjectCommand,
} from "@aws-sdk/client-s3";
import { createPresignedPost } from "@aws-sdk/s3-presigned-post";
import { getSignedUrl } from "@aws-sdk/s3-request-presigner";
import { assert, describe, it, layer } from "@effect/vitest";
import { Effect } from "effect";
import { createHash } from "node:crypto";
import { canonicalRequest, chunkSigner, signingKey, signRequest } from "../src/s3/SigV4.ts";
import { call, freshBucket, refusal, textOfBody } from "./awsCalls.ts";
import { credentials, LocalS3, layerS3, s3ClientFor } from "./localS3.ts";

const codeOf = (text: string) => /<Code>(\w+)<\/Code>/u.exec(text)?.[1] ?? "";

const ask = (url: string, init: RequestInit = {}) =>
  call(() =>
    fetch(url, init).then((response) => response.text().then((text) => ({ response, text }))),
  ).pipe(
    Effect.map(({ response, text }) => ({
      status: response.status,
      text,
      code: codeOf(text),
      response,
    })),
  );

/** Sends a form with its file last, as a browser does. */
const post = (
  form: { readonly url: string; readonly fields: Readonly<Record<string, string>> },
  changes: Readonly<Record<string, string>>,
  body: string,
) => {
  const data = new FormData();
  for (const [name, value] of Object.entries({ ...form.fields, ...changes })) data.set(name, value);
  data.set("file", new File([body], "näme.csv", { type: "text/csv" }));
  return ask(form.url, { method: "POST", body: data, redirect: "manual" });
};

layer(layerS3)("s3 signatures", (it) => {
  const presigner = Effect.map(LocalS3, ({ endpoint }) =>
    s3ClientFor(endpoint, { requestChecksumCalculation: "WHEN_REQUIRED" }),
  );

  it.effect("a presigned PUT and GET work for awkward keys", () =>
    Effect.gen(function* () {
      const { Bucket } = yield* freshBucket;
      const client = yield* presigner;
      for (const Key of ["plain", "a b+c%2B//ü's (1)!*.csv"]) {
        const put = yield* call(() => getSignedUrl(client, new PutObjectCommand({ Bucket, Key })));
        assert.strictEqual((yield* ask(put, { method: "PUT", body: "hello" })).status, 200);
        const get = yield* call(() => getSignedUrl(client, new GetObjectCommand({ Bucket, Key })));
        assert.strictEqual((yield* ask(get)).text, "hello");
        const head = yield* call(() =>
          getSignedUrl(client, new HeadObjectCommand({ Bucket, Key })),
        );
        assert.strictEqual((yield* ask(head, { method: "HEAD" })).status, 200);
      }
    }),
  );

  it.effect("a tampered, expired or otherwise used URL is refused", () =>
    Effect.gen(function* () {
      const { Bucket, client: plain } = yield* freshBucket;
      const client = yield* presigner;
      const Key = "k";
      yield* call(() => plain.send(new PutObjectCommand({ Bucket, Key, Body: "x" })));
      const sign = (options: object = {}) =>
        call(() => getSignedUrl(client, new GetObjectCommand({ Bucket, Key }), options));
      const url = yield* sign();
      const old = yield* sign({ expiresIn: 60, signingDate: new Date(Date.now() - 120_000) });
      const early = yield* sign({ signingDate: new Date(Date.now() + 3_600_000) });
      const rows: ReadonlyArray<readonly [string, RequestInit, number, string]> = [
        [url.replace(/X-Amz-Signature=./u, "X-Amz-Signature=0"), {}, 403, "SignatureDoesNotMatch"],
        [url.replace("/k?", "/other?"), {}, 403, "SignatureDoesNotMatch"],
        [`${url}&response-content-type=text%2Fhtml`, {}, 403, "SignatureDoesNotMatch"],
        [url, { method: "DELETE" }, 403, "SignatureDoesNotMatch"],
        [url.replace("X-Amz-Expires=900", "X-Amz-Expires=9000"), {}, 403, "SignatureDoesNotMatch"],
        [
          url.replace("X-Amz-Expires=900", "X-Amz-Expires=604801"),
          {},
          400,
          "AuthorizationQueryParametersError",
        ],
        [url.replace("millrace%2F", "nobody%2F"), {}, 403, "InvalidAccessKeyId"],
        [url.replace(/&X-Amz-Signature=\w+/u, ""), {}, 400, "AuthorizationQueryParametersError"],
        [url, { headers: { "x-amz-meta-a": "1" } }, 403, "AccessDenied"],
        [old, {}, 403, "AccessDenied"],
        [early, {}, 403, "AccessDenied"],
        [url.replace(/\?.*/u, ""), {}, 403, "AccessDenied"],
      ];
      for (const [target, init, status, code] of rows) {
        const answer = yield* ask(target, init);
        // The signature may by chance begin with the digit that is put in its place.
        if (target === url && init.method === undefined && init.headers === undefined) continue;
        assert.deepStrictEqual([answer.status, answer.code], [status, code], target);
      }
      assert.include((yield* ask(old)).text, "Request has expired");
    }),
  );

  it.effect(
    "a bound content type is checked, and the checksum of an empty body spoils a presigned PUT",
    () =>
      Effect.gen(function* () {
        const { Bucket, client: standard } = yield* freshBucket;
        const client = yield* presigner;
        const bound = yield* call(() =>
          getSignedUrl(
            client,
            new PutObjectCommand({ Bucket, Key: "k", ContentType: "text/csv" }),
            {
              signableHeaders: new Set(["content-type"]),
            },
          ),
        );
        const send = (type: string) =>
          ask(bound, { method: "PUT", body: "a,b", headers: { "content-type": type } });
        assert.strictEqual((yield* send("text/html")).code, "SignatureDoesNotMatch");
        assert.strictEqual((yield* send("text/csv")).status, 200);
        const spoiled = yield* call(() =>
          getSignedUrl(standard, new PutObjectCommand({ Bucket, Key: "bad" })),
        );
        const refused = yield* ask(spoiled, { method: "PUT", body: "a,b" });
        assert.deepStrictEqual([refused.status, refused.code], [400, "BadDigest"]);
      }),
  );

  it.effect("wrong keys, a wrong region and no signature at all are refused", () =>
    Effect.gen(function* () {
      const { Bucket } = yield* freshBucket;
      const { endpoint } = yield* LocalS3;
      const put = (options: object) =>
        s3ClientFor(endpoint, options).send(new PutObjectCommand({ Bucket, Key: "k", Body: "x" }));
      const rows: ReadonlyArray<readonly [object, string]> = [
        [{ credentials: { ...credentials, secretAccessKey: "no" } }, "SignatureDoesNotMatch"],
        [{ credentials: { ...credentials, accessKeyId: "no" } }, "InvalidAccessKeyId"],
        [{ region: "eu-west-1" }, "AuthorizationHeaderMalformed"],
        [{ systemClockOffset: -3_600_000 }, "RequestTimeTooSkewed"],
      ];
      for (const [options, code] of rows) {
        assert.strictEqual((yield* refusal(put(options))).code, code);
      }
      assert.strictEqual((yield* ask(`${endpoint}/${Bucket}/k`)).code, "AccessDenied");
    }),
  );

  describe("a browser form", () => {
    it.effect(
      "is taken when it keeps to its policy, and refused by the condition that it breaks",
      () =>
        Effect.gen(function* () {
          const { Bucket, client } = yield* freshBucket;
          const { events } = yield* LocalS3;
          yield* call(() =>
            client.send(
              new PutBucketNotificationConfigurationCommand({
                Bucket,
                NotificationConfiguration: { EventBridgeConfiguration: {} },
              }),
            ),
          );
          const form = yield* call(() =>
            createPresignedPost(client, {
              Bucket,
              Key: "in/${filename}",
              Conditions: [
                ["content-length-range", 1, 10],
                ["starts-with", "$Content-Type", "text/"],
                ["starts-with", "$x-amz-meta-note", ""],
              ],
              Fields: { success_action_status: "201" },
              Expires: 60,
            }),
          );
          const fields = { "Content-Type": "text/csv" };
          const good = yield* post(form, { ...fields, "x-amz-meta-note": "日本" }, "12345");
          assert.strictEqual(good.status, 201);
          assert.include(good.text, "<Key>in/näme.csv</Key>");
          assert.strictEqual(events.at(-1)?.detail["reason"], "POST Object");
          const got = yield* call(() =>
            client.send(new GetObjectCommand({ Bucket, Key: "in/näme.csv" })),
          );
          assert.deepStrictEqual(
            [yield* textOfBody(got.Body), got.ContentType, got.Metadata],
            ["12345", "text/csv", { note: "=?UTF-8?B?5pel5pys?=" }],
          );
          const rows: ReadonlyArray<
            readonly [Readonly<Record<string, string>>, string, number, string]
          > = [
            [fields, "12345678901", 400, "EntityTooLarge"],
            [fields, "", 400, "EntityTooSmall"],
            [{ "Content-Type": "image/png" }, "x", 403, "AccessDenied"],
            [{ ...fields, key: "out/k" }, "x", 403, "AccessDenied"],
            [{ ...fields, "x-amz-meta-other": "1" }, "x", 403, "AccessDenied"],
            [{ ...fields, "X-Amz-Signature": "0".repeat(64) }, "x", 403, "SignatureDoesNotMatch"],
            [{ ...fields, success_action_status: "200" }, "x", 403, "AccessDenied"],
          ];
          for (const [changes, body, status, code] of rows) {
            const answer = yield* post(form, changes, body);
            assert.deepStrictEqual(
              [answer.status, answer.code],
              [status, code],
              JSON.stringify(changes),
            );
          }
          const other = (yield* freshBucket).Bucket;
          const elsewhere = { ...form, url: form.url.replace(Bucket, other) };
          const moved = yield* post(elsewhere, fields, "x");
          assert.deepStrictEqual([moved.status, moved.code], [403, "AccessDenied"]);
        }),
    );

    it.effect("is refused once its policy has expired, and without a policy", () =>
      Effect.gen(function* () {
        const { Bucket, client } = yield* freshBucket;
        const form = yield* call(() =>
          createPresignedPost(client, { Bucket, Key: "k", Expires: -60 }),
        );
        const answer = yield* post(form, {}, "x");
        assert.deepStrictEqual([answer.status, answer.code], [403, "AccessDenied"]);
        assert.include(answer.text, "Policy expired");
        const bare = yield* post({ url: form.url, fields: { key: "k" } }, {}, "x");
        assert.strictEqual(bare.code, "AccessDenied");
      }),
    );
  });

  it.effect("a preflight is answered by the bucket's rules", () =>
    Effect.gen(function* () {
      const { Bucket, client } = yield* freshBucket;
      const { endpoint } = yield* LocalS3;
      const preflight = (method: string, origin: string) =>
        ask(`${endpoint}/${Bucket}/k`, {
          method: "OPTIONS",
          headers: {
            origin,
            "access-control-request-method": method,
            "access-control-request-headers": "content-type",
          },
        });
      assert.strictEqual((yield* preflight("PUT", "https://app.example")).status, 403);
      yield* call(() =>
        client.send(
          new PutBucketCorsCommand({
            Bucket,
            CORSConfiguration: {
              CORSRules: [
                {
                  AllowedOrigins: ["https://*.example"],
                  AllowedMethods: ["PUT"],
                  AllowedHeaders: ["*"],
                  ExposeHeaders: ["ETag"],
                  MaxAgeSeconds: 60,
                },
              ],
            },
          }),
        ),
      );
      const allowed = yield* preflight("PUT", "https://app.example");
      assert.strictEqual(allowed.status, 200);
      assert.strictEqual(
        allowed.response.headers.get("access-control-allow-origin"),
        "https://app.example",
      );
      assert.strictEqual((yield* preflight("DELETE", "https://app.example")).status, 403);
      assert.strictEqual((yield* preflight("PUT", "https://evil.test")).status, 403);
    }),
  );
});

const hash = (bytes: number) => createHash("sha256").update("a".repeat(bytes)).digest("hex");

/** The worked examples of AWS's documentation of Signature Version 4 for S3. */
describe("signature version 4", () => {
  const scope = {
    accessKeyId: "AKIAIOSFODNN7EXAMPLE",
    date: "20130524",
    region: "us-east-1",
    service: "s3",
  };
  const key = signingKey("wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY", scope);

  it("signs the presigned GET of the documentation", () => {
    const canonical = canonicalRequest({
      method: "GET",
      rawPath: "/test.txt",
      query: [
        ["X-Amz-Algorithm", "AWS4-HMAC-SHA256"],
        ["X-Amz-Credential", "AKIAIOSFODNN7EXAMPLE/20130524/us-east-1/s3/aws4_request"],
        ["X-Amz-Date", "20130524T000000Z"],
        ["X-Amz-Expires", "86400"],
        ["X-Amz-SignedHeaders", "host"],
      ],
      headers: { host: "examplebucket.s3.amazonaws.com" },
      signedHeaders: ["host"],
      payloadHash: "UNSIGNED-PAYLOAD",
    });
    assert.strictEqual(
      signRequest(key, scope, "20130524T000000Z", canonical),
      "aeeed9bbccd4d02ee5c0109b86d86835f995330da4c265957d157751f604d404",
    );
  });

  it("signs the chunks of the documentation", () => {
    const signer = chunkSigner(
      key,
      scope,
      "20130524T000000Z",
      "4f232c4386841ef735655705268965c44a0e4690baa4adea153f7db9fa80a0a9",
    );
    assert.deepStrictEqual(
      [signer.chunk(hash(65_536)), signer.chunk(hash(1024)), signer.chunk(hash(0))],
      [
        "ad80c730a21e5b8d04586a2213dd63b9a0e99e0e2307b0ade35a65485a288648",
        "0055627c9e194cb4542bae2aa5492e3c1575bbb81b612b7d234b86a503ef5497",
        "b6c6ea8a5354eaf15b3cb7646744f4275b71ea724fed81ceb9323e279d449df9",
      ],
    );
  });
});
