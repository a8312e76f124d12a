/**
 * Secrets from AWS Secrets Manager: the current version (`AWSCURRENT`) of `<prefix><name>`, as text.
 *
 * Source: AWS Secrets Manager API reference, GetSecretValue
 */
import type { SecretsManagerClientConfig } from "@aws-sdk/client-secrets-manager";
import { Effect, Layer, Redacted } from "effect";
import { SecretMissing, SecretSource, SecretUnavailable } from "../Secrets.ts";
import { awsFailure } from "./awsFailure.ts";
import { lazyClient } from "./lazyClient.ts";

const source = "Secrets Manager";

/** The secrets of this account whose names begin with the prefix. */
export const layerSecretsManager = (
  prefix: string,
  config: SecretsManagerClientConfig = {},
): Layer.Layer<SecretSource> =>
  Layer.effect(
    SecretSource,
    // Pipelines without secrets start without it.
    Effect.map(
      lazyClient(async () => (await import("./readSecret.ts")).openSecretsManager(config)),
      (client) =>
        SecretSource.of({
          read: Effect.fnUntraced(function* (name) {
            const text = yield* Effect.tryPromise({
              try: async () => {
                const { readSecret } = await import("./readSecret.ts");
                return readSecret(await client(), prefix + name);
              },
              catch: (cause) => new SecretUnavailable({ name, source, ...awsFailure(cause) }),
            });
            // Kept as bytes it is nobody's password: those are texts.
            if (text === undefined) return yield* new SecretMissing({ name, source });
            return Redacted.make(text);
          }),
        }),
    ),
  );
