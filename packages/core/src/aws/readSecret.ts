/**
 * What Secrets Manager's client is asked for, apart from SecretsManagerSource: loaded when the first secret is read.
 *
 * Source: AWS Secrets Manager API reference, GetSecretValue
 */
import {
  GetSecretValueCommand,
  SecretsManagerClient,
  type SecretsManagerClientConfig,
} from "@aws-sdk/client-secrets-manager";
import { isNamed } from "./awsFailure.ts";

/** Longest wait for an answer, in milliseconds; without one the SDK waits for ever. */
const requestTimeoutMs = 3_000;

/** A client that somebody closes. */
export const openSecretsManager = (config: SecretsManagerClientConfig): SecretsManagerClient =>
  new SecretsManagerClient({
    requestHandler: { requestTimeout: requestTimeoutMs, throwOnRequestTimeout: true },
    ...config,
  });

/** The text of the secret's current version; undefined when there is no secret, or no text. */
export const readSecret = (
  client: SecretsManagerClient,
  SecretId: string,
): Promise<string | undefined> =>
  client.send(new GetSecretValueCommand({ SecretId })).then(
    ({ SecretString }) => SecretString,
    (error: unknown) => {
      if (isNamed(error, "ResourceNotFoundException")) return undefined;
      throw error;
    },
  );
