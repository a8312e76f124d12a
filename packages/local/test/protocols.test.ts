/**
 * Goal: whatever a client sends, a protocol answers in its own form. Method: raw requests to handlers with one
 * operation each.
 */
import { assert, describe, it } from "@effect/vitest";
import { Effect, Schema, Stream } from "effect";
import { AwsError } from "../src/AwsError.ts";
import type { AwsHandler } from "../src/http/AwsRequest.ts";
import { jsonProtocol } from "../src/http/jsonProtocol.ts";
import { operationsOf } from "../src/http/operation.ts";
import { queryProtocol } from "../src/http/queryProtocol.ts";

const operation = operationsOf(
  "Toy",
  ({ parameter, missing }) =>
    new AwsError({ code: missing ? "Missing" : "Invalid", message: parameter, status: 400 }),
);
const echo = operation(
  "Echo",
  Schema.Struct({
    text: Schema.optionalKey(Schema.String),
    list: Schema.optionalKey(
      Schema.Struct({ member: Schema.Array(Schema.Struct({ n: Schema.String })) }),
    ),
  }),
  (input) => Effect.succeed(input),
);

const json = jsonProtocol({
  service: "Toy",
  targetPrefix: "Toy",
  version: "1.1",
  operations: { Echo: echo },
});
const query = queryProtocol({
  service: "Toy",
  version: "2000-01-01",
  namespace: "http://toy/",
  operations: { Echo: echo },
});

const send = (handler: AwsHandler, target: string, body: string) =>
  handler({
    method: "POST",
    rawPath: "/",
    rawQuery: "",
    headers: { "x-amz-target": target },
    body: Stream.succeed(new TextEncoder().encode(body)),
  });

const textOf = (body: unknown): string => (typeof body === "string" ? body : "no text");

describe("the JSON protocol", () => {
  it.effect.each([
    ["Toy.Echo", '{"text":"x"}', 200, '{"text":"x"}'],
    ["Toy.Echo", "", 200, "{}"],
    ["Toy.Echo", "{", 400, "SerializationException"],
    [
      "Toy.Echo",
      `{"more":${"[".repeat(50_000)}${"]".repeat(50_000)}}`,
      501,
      "parameter more of Echo",
    ],
    [
      "Toy.Echo",
      '{"list":{"member":[{"n":"1","m":"2"}]}}',
      501,
      "parameter list.member.0.m of Echo",
    ],
    ["Toy.Echo", '{"list":{"member":[{}]}}', 400, '"__type":"Missing","message":"list.member.0.n"'],
    ["Toy.Echo", '{"text":1}', 400, '"__type":"Invalid","message":"text"'],
    ["Toy.Other", "{}", 501, "operation Other"],
    ["Toy.toString", "{}", 501, "operation toString"],
    ["Else.Echo", "{}", 501, "operation Else.Echo"],
  ] as const)("%s %s is answered with %i", ([target, body, status, part]) =>
    Effect.gen(function* () {
      const response = yield* send(json, target, body);
      assert.strictEqual(response.status, status);
      assert.include(textOf(response.body), part);
      assert.strictEqual(response.headers["content-type"], "application/x-amz-json-1.1");
    }),
  );
});

describe("the query protocol", () => {
  it.effect.each([
    ["Action=Echo&Version=2000-01-01&text=a%26b", 200, "<text>a&#38;b</text>"],
    [
      "Action=Echo&Version=2000-01-01&list.member.2.n=b&list.member.1.n=a",
      200,
      "<list><member><n>a</n></member><member><n>b</n></member></list>",
    ],
    ["Action=Other&Version=2000-01-01", 501, "operation Other"],
    ["Action=Echo&Version=1999-01-01", 501, "1999-01-01"],
    ["Action=Echo&Version=2000-01-01&list.member.1.m=x", 501, "parameter list.member.0.m of Echo"],
    [`Action=Echo&Version=2000-01-01&${"a.".repeat(50_000)}a=x`, 400, "MalformedQueryString"],
    ["Action=Echo&Version=2000-01-01&__proto__.text=x", 501, "parameter __proto__ of Echo"],
  ] as const)("%s is answered with %i", ([body, status, part]) =>
    Effect.gen(function* () {
      const response = yield* send(query, "", body);
      assert.strictEqual(response.status, status);
      assert.include(textOf(response.body), part);
      assert.include(textOf(response.body), "<RequestId>");
    }),
  );
});
