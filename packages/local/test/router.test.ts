/**
 * Goal: the HTTP front and the router. Method: plain sockets and fetch against a server with handlers of the test.
 */
import { assert, it } from "@effect/vitest";
import { Deferred, Effect, Stream } from "effect";
import { request } from "node:http";
import { AwsError } from "../src/AwsError.ts";
import type { AwsHandler } from "../src/http/AwsRequest.ts";
import { makeRouter } from "../src/http/router.ts";
import { serve } from "../src/http/server.ts";

const named =
  (name: string): AwsHandler =>
  ({ rawPath, rawQuery }) =>
    Effect.succeed({ status: 200, headers: {}, body: `${name} ${rawPath} ${rawQuery}` });

const failing: AwsHandler = () =>
  Effect.fail(new AwsError({ code: "Broken", message: "a < b", status: 400 }));

const router = makeRouter({
  json: { AmazonSQS: named("sqs"), AWSEvents: failing },
  sns: failing,
  dynamodb: named("dynamodb"),
  scheduler: named("scheduler"),
  s3: named("s3"),
});

const fetchText = (url: string, init?: RequestInit) =>
  Effect.promise(() =>
    fetch(url, init).then((response) => response.text().then((text) => ({ response, text }))),
  );

const form = { "content-type": "application/x-www-form-urlencoded" };

it.live("each protocol reaches its service, and a failure comes back in that protocol's form", () =>
  Effect.gen(function* () {
    const { endpoint } = yield* serve({ port: 0, handler: router });
    const post = (target: string) =>
      fetchText(endpoint, { method: "POST", headers: { "x-amz-target": target }, body: "{}" });
    assert.strictEqual((yield* post("AmazonSQS.SendMessage")).text, "sqs / ");
    assert.strictEqual((yield* post("DynamoDB_20120810.GetItem")).text, "dynamodb / ");
    const broken = yield* post("AWSEvents.PutEvents");
    assert.strictEqual(broken.response.status, 400);
    assert.include(broken.text, '"__type":"Broken"');
    for (const target of ["Kinesis_20131202.PutRecord", "constructor.x", "nonsense"]) {
      const unknown = yield* post(target);
      assert.strictEqual(unknown.response.status, 501);
      assert.include(unknown.text, target);
    }
    const sns = yield* fetchText(endpoint, {
      method: "POST",
      headers: form,
      body: "Action=Publish",
    });
    assert.include(sns.text, "<Code>Broken</Code><Message>a &lt; b</Message>");
    assert.isString(sns.response.headers.get("x-amzn-requestid"));
    assert.strictEqual(
      (yield* fetchText(`${endpoint}/bucket/key?x-id=1`)).text,
      "s3 /bucket/key x-id=1",
    );
  }).pipe(Effect.scoped),
);

const signed = (service: string) => ({
  authorization: `AWS4-HMAC-SHA256 Credential=millrace/20261120/us-east-1/${service}/aws4_request, SignedHeaders=host, Signature=0`,
});

const sts = { ...form, ...signed("sts") };
const sqs = { ...form, ...signed("sqs") };
const presigned = "/?X-Amz-Credential=a%2F20261120%2Fus-east-1%2Fsts%2Faws4_request";

it.live.each([
  ["lambda: GET /2015-03-31/functions", "GET", "/2015-03-31/functions", signed("lambda")],
  ["sts: GetCallerIdentity", "POST", "/", sts],
  ["sqs: GetCallerIdentity", "POST", "/000000000000/q", sqs],
  ["sts: GET /", "GET", presigned, {}],
] as const)("a request signed for another service is refused as %s", ([named, method, ...rest]) =>
  Effect.gen(function* () {
    const { endpoint } = yield* serve({ port: 0, handler: router });
    const [path, headers] = rest;
    const body = method === "POST" ? { body: "Action=GetCallerIdentity" } : {};
    const { response, text } = yield* fetchText(`${endpoint}${path}`, { method, headers, ...body });
    assert.strictEqual(response.status, 501);
    assert.include(text, `${named} is not implemented`);
    assert.match(text, "content-type" in headers ? /<Code>NotImplemented</u : /"__type"/u);
  }).pipe(Effect.scoped),
);

it.live("a request signed for S3 or SNS reaches it", () =>
  Effect.gen(function* () {
    const { endpoint } = yield* serve({ port: 0, handler: router });
    const s3 = yield* fetchText(`${endpoint}/b`, { headers: signed("s3") });
    assert.strictEqual(s3.text, "s3 /b ");
    const headers = { ...form, ...signed("sns") };
    assert.include((yield* fetchText(endpoint, { method: "POST", headers })).text, "Broken");
  }).pipe(Effect.scoped),
);

it.live("the path arrives as it was sent", () =>
  Effect.gen(function* () {
    const { port } = yield* serve({ port: 0, handler: router });
    const text = yield* Effect.callback<string>((resume) => {
      request({ port, path: "/b/a/../c//d%2F%2B+e?x=%20&y" }, (response) => {
        response.setEncoding("utf8").on("data", (data) => resume(Effect.succeed(String(data))));
      }).end();
    });
    assert.strictEqual(text, "s3 /b/a/../c//d%2F%2B+e x=%20&y");
  }).pipe(Effect.scoped),
);

it.live("HEAD and 304 have no body, and HEAD keeps the declared length", () =>
  Effect.gen(function* () {
    const { endpoint } = yield* serve({
      port: 0,
      handler: ({ rawPath }) =>
        Effect.succeed({
          status: rawPath === "/304" ? 304 : 200,
          headers: rawPath === "/304" ? {} : { "content-length": "5" },
          body: "12345",
        }),
    });
    const head = yield* fetchText(endpoint, { method: "HEAD" });
    assert.deepStrictEqual([head.text, head.response.headers.get("content-length")], ["", "5"]);
    assert.strictEqual((yield* fetchText(`${endpoint}/304`)).text, "");
  }).pipe(Effect.scoped),
);

it.live("a client that goes away interrupts its handler", () =>
  Effect.gen(function* () {
    const started = yield* Deferred.make<void>();
    const interrupted = yield* Deferred.make<void>();
    const { port } = yield* serve({
      port: 0,
      handler: () =>
        Effect.andThen(Deferred.succeed(started, undefined), Effect.never).pipe(
          Effect.onInterrupt(() => Deferred.succeed(interrupted, undefined)),
        ),
    });
    const client = request({ port });
    client.on("error", () => undefined);
    client.end();
    yield* Deferred.await(started);
    client.destroy();
    yield* Deferred.await(interrupted);
  }).pipe(Effect.scoped),
);

it.live("Expect: 100-continue is answered when the handler wants the body", () =>
  Effect.gen(function* () {
    const { port } = yield* serve({
      port: 0,
      handler: ({ body, rawPath }) =>
        rawPath === "/refused"
          ? Effect.succeed({ status: 403, headers: {}, body: "no" })
          : Effect.map(Stream.mkUint8Array(body), (bytes) => ({
              status: 200,
              headers: {},
              body: `${bytes.byteLength}`,
            })),
    });
    const send = (path: string) =>
      Effect.callback<string>((resume) => {
        let continued = false;
        const client = request(
          { port, path, method: "PUT", headers: { expect: "100-continue", "content-length": "5" } },
          (response) => {
            response.resume();
            resume(Effect.succeed(`${response.statusCode} ${continued}`));
          },
        );
        client.on("error", () => undefined);
        client.on("continue", () => {
          continued = true;
          client.end("12345");
        });
        client.flushHeaders();
      });
    assert.strictEqual(yield* send("/taken"), "200 true");
    assert.strictEqual(yield* send("/refused"), "403 false");
  }).pipe(Effect.scoped),
);

it.live("a body that fails on its way tears the connection, so it cannot pass for complete", () =>
  Effect.gen(function* () {
    const { endpoint } = yield* serve({
      port: 0,
      handler: () =>
        Effect.succeed({
          status: 200,
          headers: {},
          body: Stream.concat(
            Stream.make(Buffer.from("part")),
            Stream.fail(new AwsError({ code: "InternalError", message: "lost", status: 500 })),
          ),
        }),
    });
    const outcome = yield* Effect.promise(() =>
      fetch(endpoint)
        .then((response) => response.text())
        .then(
          () => "complete",
          () => "torn",
        ),
    );
    assert.strictEqual(outcome, "torn");
  }).pipe(Effect.scoped),
);
