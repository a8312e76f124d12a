/**
 * Goal: a secret is read seldom, is the current one, and is not printed.
 * Method: a source that counts and rotates, time by the test's clock; Secrets Manager's wire answers from a local server.
 */
import { format, inspect } from "node:util";
import { assert, describe, it } from "@effect/vitest";
import { EnvironmentSecrets, Secrets } from "@millrace/core";
import { SecretsManagerSource } from "@millrace/core/aws";
import {
  Cause,
  ConfigProvider,
  Context,
  Effect,
  Exit,
  Fiber,
  Layer,
  Logger,
  Redacted,
  Ref,
  Schema,
} from "effect";
import { TestClock } from "effect/testing";
import { type JsonAnswer, serveJson } from "./jsonServer.ts";

class Vault extends Context.Service<
  Vault,
  { readonly reads: Ref.Ref<number>; readonly answer: Ref.Ref<string | Secrets.SecretFailure> }
>()("millrace/test/Vault") {}

const layerVault = Layer.effectContext(
  Effect.gen(function* () {
    const reads = yield* Ref.make(0);
    const answer = yield* Ref.make<string | Secrets.SecretFailure>("first");
    const source = Secrets.SecretSource.of({
      read: () =>
        Effect.gen(function* () {
          yield* Ref.update(reads, (count) => count + 1);
          // A read takes a while, so that others can ask meanwhile.
          yield* Effect.sleep("10 millis");
          const value = yield* Ref.get(answer);
          return typeof value === "string" ? Redacted.make(value) : yield* value;
        }),
    });
    return Context.make(Vault, { reads, answer }).pipe(Context.add(Secrets.SecretSource, source));
  }),
);
const layerSecrets = Secrets.layerCached({ timeToLive: "5 minutes" }).pipe(
  Layer.provideMerge(layerVault),
);

/** Time moves while the effect waits for the vault. */
const during = <A, E, R>(effect: Effect.Effect<A, E, R>) =>
  Effect.gen(function* () {
    const fiber = yield* Effect.forkChild(effect);
    yield* TestClock.adjust("1 second");
    return yield* Fiber.join(fiber);
  });

const valueOf = (name: string) =>
  Effect.flatMap(Secrets.Secrets, ({ get }) => Effect.map(get(name), Redacted.value));

class Denied extends Schema.TaggedError<Denied>()("Denied", {}) {}

describe("secrets", () => {
  it.effect("are read once for all who ask at the same time, and until their time is over", () =>
    Effect.gen(function* () {
      const { answer, reads } = yield* Vault;
      const values = yield* during(
        Effect.all(
          Array.from({ length: 10 }, () => valueOf("key")),
          { concurrency: "unbounded" },
        ),
      );
      assert.deepStrictEqual(new Set(values), new Set(["first"]));
      assert.strictEqual(yield* Ref.get(reads), 1);
      yield* Ref.set(answer, "second");
      assert.strictEqual(yield* during(valueOf("key")), "first");
      yield* TestClock.adjust("5 minutes");
      assert.strictEqual(yield* during(valueOf("key")), "second");
      assert.strictEqual(yield* Ref.get(reads), 2);
    }).pipe(Effect.provide(layerSecrets)),
  );

  it.effect("that could not be read are asked for again, and no old value stands in", () =>
    Effect.gen(function* () {
      const { answer } = yield* Vault;
      assert.strictEqual(yield* during(valueOf("key")), "first");
      yield* TestClock.adjust("5 minutes");
      yield* Ref.set(
        answer,
        new Secrets.SecretUnavailable({ name: "key", source: "the vault", cause: "closed" }),
      );
      const failure = yield* during(Effect.flip(valueOf("key")));
      assert.strictEqual(failure._tag, "SecretUnavailable");
      yield* Ref.set(answer, "second");
      assert.strictEqual(yield* during(valueOf("key")), "second");
    }).pipe(Effect.provide(layerSecrets)),
  );

  it.effect("that were rotated are read anew by whoever is refused with the old one", () =>
    Effect.gen(function* () {
      const { answer, reads } = yield* Vault;
      const call = Secrets.withSecret(
        "key",
        (secret) =>
          Redacted.value(secret) === "second" ? Effect.succeed("done") : Effect.fail(new Denied()),
        (error) => error._tag === "Denied",
      );
      assert.strictEqual((yield* during(Effect.flip(call)))._tag, "Denied");
      assert.strictEqual(yield* Ref.get(reads), 2, "the same value is not tried twice");
      yield* Ref.set(answer, "second");
      const all = Effect.all([call, call, call], { concurrency: "unbounded" });
      assert.deepStrictEqual(yield* during(all), ["done", "done", "done"]);
      assert.strictEqual(yield* Ref.get(reads), 3, "refused together, read once");
      const secrets = yield* Secrets.Secrets;
      assert.isFalse(yield* secrets.refuse("key", Redacted.make("first")), "a newer one stays");
    }).pipe(Effect.provide(layerSecrets)),
  );

  it.effect("are printed by nothing", () =>
    Effect.gen(function* () {
      const { get } = yield* Secrets.Secrets;
      const secret = yield* during(get("key"));
      const lines: Array<string> = [];
      const capture = Logger.make((options) => {
        lines.push(Logger.formatJson.log(options), Logger.formatLogFmt.log(options));
      });
      yield* Effect.logError("with", secret, { secret }).pipe(
        Effect.annotateLogs({ secret }),
        Effect.provide(Logger.layer([capture])),
      );
      const printed = [
        ...lines,
        format("%s", secret),
        JSON.stringify({ secret }),
        inspect(secret, { showHidden: true }),
        Cause.pretty(Cause.die(secret)),
        Cause.pretty(Cause.fail({ secret })),
      ];
      assert.isAbove(lines.length, 0);
      for (const text of printed) assert.notInclude(text, "first");
    }).pipe(Effect.provide(layerSecrets)),
  );
});

const environment = (variables: Record<string, string>) =>
  EnvironmentSecrets.layer.pipe(
    Layer.provideMerge(ConfigProvider.layer(ConfigProvider.fromEnv({ env: variables }))),
  );

const readFrom = (name: string) =>
  Effect.flatMap(Secrets.SecretSource, ({ read }) => Effect.map(read(name), Redacted.value));

describe("secrets of the environment", () => {
  it.effect("are in a variable of ours, or in a link of SST", () =>
    Effect.gen(function* () {
      assert.strictEqual(yield* readFrom("vendor-key"), "own");
      assert.strictEqual(yield* readFrom("VendorKey"), "linked");
    }).pipe(
      Effect.provide(
        environment({
          MILLRACE_SECRET_VENDOR_KEY: "own",
          SST_RESOURCE_VendorKey: '{"type":"sst.sst.Secret","value":"linked"}',
        }),
      ),
    ),
  );

  it.effect("that are missing or damaged are told of by name alone", () =>
    Effect.gen(function* () {
      for (const name of ["absent", "Damaged"]) {
        const exit = yield* Effect.exit(readFrom(name));
        assert.isTrue(Exit.isFailure(exit));
        const text =
          inspect(exit, { depth: 10 }) + (Exit.isFailure(exit) ? Cause.pretty(exit.cause) : "");
        assert.include(text, `there is no secret "${name}"`);
        assert.notInclude(text, "s3cr3t");
      }
    }).pipe(Effect.provide(environment({ SST_RESOURCE_Damaged: '{"value":"s3cr3t"' }))),
  );
});

const decodeRequest = Schema.decodeUnknownSync(
  Schema.fromJsonString(Schema.Struct({ SecretId: Schema.String })),
);

/** A server that answers GetSecretValue by the secret's name. */
const serve = (answers: Readonly<Record<string, JsonAnswer>>) =>
  serveJson(({ body, headers }) => {
    const answer = answers[decodeRequest(body).SecretId];
    return headers["x-amz-target"] === "secretsmanager.GetSecretValue" && answer
      ? answer
      : { status: 400, body: { __type: "ResourceNotFoundException" } };
  });

describe("secrets of Secrets Manager", () => {
  it.live("are the current text under the stage's prefix; failures have their class", () =>
    Effect.gen(function* () {
      const endpoint = yield* serve({
        "millrace/prod/key": { status: 200, body: { SecretString: "current" } },
        "millrace/prod/bytes": { status: 200, body: { SecretBinary: "AAEC" } },
        "millrace/prod/fast": { status: 400, body: { __type: "ThrottlingException" } },
        "millrace/prod/denied": { status: 400, body: { __type: "AccessDeniedException" } },
        "millrace/prod/away": { status: 500, body: { __type: "InternalServiceError" } },
      });
      const source = SecretsManagerSource.layerSecretsManager("millrace/prod/", {
        endpoint,
        region: "eu-central-1",
        credentials: { accessKeyId: "a", secretAccessKey: "b" },
        maxAttempts: 1,
      });
      yield* Effect.gen(function* () {
        assert.strictEqual(yield* readFrom("key"), "current");
        const failures = yield* Effect.forEach(
          ["bytes", "absent", "fast", "denied", "away"],
          (name) => Effect.flip(readFrom(name)),
        );
        assert.deepStrictEqual(
          failures.map(({ _tag, failureClass }) => [_tag, failureClass]),
          [
            ["SecretMissing", "permanent"],
            ["SecretMissing", "permanent"],
            ["SecretUnavailable", "throttled"],
            ["SecretUnavailable", "permanent"],
            ["SecretUnavailable", "transient"],
          ],
        );
      }).pipe(Effect.provide(source));
    }).pipe(Effect.scoped),
  );
});
