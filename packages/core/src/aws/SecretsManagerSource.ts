/**
 * Secrets from AWS Secrets Manager: the current version (`AWSCURRENT`) of `<prefix><name>`, as text.
 *
 * Source: AWS Secrets Manager API reference, GetSecretValue
 */
import {
  GetSecretValueCommand,
  ResourceNotFoundException,
  SecretsManagerClient,
  type SecretsManagerClientConfig,
} from "@aws-sdk/client-secrets-manager";
import { Effect, Layer, Redacted } from "effect";
import { SecretMissing, SecretSource, SecretUnavailable } from "../Secrets.ts";
import { awsFailure } from "./awsFailure.ts";

const source = "Secrets Manager";

/** Longest wait for an answer, in milliseconds; without one the SDK waits for ever. */
const requestTimeoutMs = 3_000;

/** The secrets of this account whose names begin with the prefix. */
export const layerSecretsManager = (
  prefix: string,
  config: SecretsManagerClientConfig = {},
): Layer.Layer<SecretSource> =>
  Layer.effect(
    SecretSource,
    Effect.map(
      Effect.acquireRelease(
        Effect.sync(
          () =>
            new SecretsManagerClient({
              requestHandler: { requestTimeout: requestTimeoutMs, throwOnRequestTimeout: true },
              ...config,
            }),
        ),
        (client) => Effect.sync(() => client.destroy()),
      ),
      (client) =>
        SecretSource.of({
          read: Effect.fnUntraced(function* (name) {
            const { SecretString } = yield* Effect.tryPromise({
              try: () => client.send(new GetSecretValueCommand({ SecretId: prefix + name })),
              catch: (cause) =>
                cause instanceof ResourceNotFoundException
                  ? new SecretMissing({ name, source })
                  : new SecretUnavailable({ name, source, ...awsFailure(cause) }),
            });
            // Kept as bytes it is nobody's password: those are texts.
            if (SecretString === undefined) return yield* new SecretMissing({ name, source });
            return Redacted.make(SecretString);
          }),
        }),
    ),
  );
