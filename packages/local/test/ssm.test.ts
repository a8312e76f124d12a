/**
 * Goal: parameters are kept, found by name and by path, and what is not there is refused by name.
 * Method: the unmodified SDK client over the service, without a socket.
 */
import {
  GetParameterCommand,
  GetParametersByPathCommand,
  LabelParameterVersionCommand,
  PutParameterCommand,
  type PutParameterCommandInput,
  SSMClient,
} from "@aws-sdk/client-ssm";
import { assert, describe, it } from "@effect/vitest";
import { Effect, Layer } from "effect";
import { jsonProtocol } from "../src/http/jsonProtocol.ts";
import { Ssm } from "../src/ssm/Ssm.ts";
import { call, clientConfiguration, freshState } from "./inProcess.ts";

const world = Layer.provideMerge(Ssm.layer, freshState);

const connect = Effect.gen(function* () {
  const { operations } = yield* Ssm;
  const client = new SSMClient(
    yield* clientConfiguration(
      jsonProtocol({ service: "SSM", targetPrefix: "AmazonSSM", version: "1.1", operations }),
    ),
  );
  return {
    client,
    put: (Name: string, Value: string, more: Partial<PutParameterCommandInput> = {}) =>
      call(() => client.send(new PutParameterCommand({ Name, Value, Type: "String", ...more }))),
    get: (Name: string) => call(() => client.send(new GetParameterCommand({ Name }))),
    below: (Path: string, more: { Recursive?: boolean; MaxResults?: number; NextToken?: string }) =>
      call(() => client.send(new GetParametersByPathCommand({ Path, ...more }))),
  };
});

describe("a parameter", () => {
  it.effect("is kept, and overwritten only when that is asked for", () =>
    Effect.gen(function* () {
      const { get, put } = yield* connect;
      yield* put("/a/b", "one");
      const taken = yield* Effect.flip(put("/a/b", "two"));
      assert.deepStrictEqual([taken.name, taken.status], ["ParameterAlreadyExists", 400]);
      assert.strictEqual((yield* put("/a/b", "two", { Overwrite: true })).Version, 2);
      const { Parameter } = yield* get("/a/b");
      assert.deepInclude(Parameter, {
        Name: "/a/b",
        Value: "two",
        Type: "String",
        Version: 2,
        ARN: "arn:aws:ssm:us-east-1:000000000000:parameter/a/b",
      });
      assert.strictEqual((yield* Effect.flip(get("/a"))).name, "ParameterNotFound");
    }).pipe(Effect.provide(world)),
  );

  it.effect("has 4,096 characters at most, or 8,192 where that is paid for", () =>
    Effect.gen(function* () {
      const { put } = yield* connect;
      yield* put("/a", "x".repeat(4_096));
      const tooLong = yield* Effect.flip(put("/b", "x".repeat(4_097)));
      assert.strictEqual(tooLong.name, "ValidationException");
      const advanced = yield* put("/b", "x".repeat(8_192), { Tier: "Intelligent-Tiering" });
      assert.strictEqual(advanced.Tier, "Advanced");
    }).pipe(Effect.provide(world)),
  );

  it.effect("is found below its path: its own folder, or all folders, page by page", () =>
    Effect.gen(function* () {
      const { below, put } = yield* connect;
      for (const name of ["/s/one", "/s/p/a", "/s/p/b", "/sx/other"]) yield* put(name, name);
      const namesOf = (path: string, Recursive: boolean) =>
        Effect.map(below(path, { Recursive }), ({ Parameters = [] }) =>
          Parameters.map(({ Name }) => Name),
        );
      assert.deepStrictEqual(yield* namesOf("/s", false), ["/s/one"]);
      assert.deepStrictEqual(yield* namesOf("/s/", true), ["/s/one", "/s/p/a", "/s/p/b"]);
      const first = yield* below("/s", { Recursive: true, MaxResults: 2 });
      assert.strictEqual(first.Parameters?.length, 2);
      const second = yield* below("/s", {
        Recursive: true,
        MaxResults: 2,
        NextToken: first.NextToken ?? "",
      });
      assert.deepStrictEqual(
        second.Parameters?.map(({ Name }) => Name),
        ["/s/p/b"],
      );
      assert.isUndefined(second.NextToken);
      const foreign = yield* Effect.flip(below("/s", { NextToken: "somebody's" }));
      assert.strictEqual(foreign.name, "InvalidNextToken");
    }).pipe(Effect.provide(world)),
  );

  it.effect("that is secret, and an operation that is not here, are refused by name", () =>
    Effect.gen(function* () {
      const { client, put } = yield* connect;
      const secret = yield* Effect.flip(put("/a", "x", { Type: "SecureString" }));
      assert.strictEqual(secret.status, 400);
      const keyed = yield* Effect.flip(put("/a", "x", { KeyId: "k" }));
      assert.deepStrictEqual([keyed.status, keyed.name], [501, "NotImplemented"]);
      const labelled = yield* Effect.flip(
        call(() => client.send(new LabelParameterVersionCommand({ Name: "/a", Labels: ["l"] }))),
      );
      assert.include(labelled.message, "LabelParameterVersion");
    }).pipe(Effect.provide(world)),
  );
});
