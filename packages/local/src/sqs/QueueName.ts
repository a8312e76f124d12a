/**
 * Names, ARNs and URLs of queues of the one local account.
 */
import { localAccount } from "../LocalAccount.ts";

const arnPrefix = `arn:aws:sqs:${localAccount.region}:${localAccount.accountId}:`;

export const queueArn = (name: string): string => `${arnPrefix}${name}`;

/** The queue that an ARN of this account and region names. */
export const arnName = (arn: string): string | undefined =>
  arn.startsWith(arnPrefix) && arn.length > arnPrefix.length
    ? arn.slice(arnPrefix.length)
    : undefined;

export const queueUrl = (origin: string, name: string): string =>
  `${origin}/${localAccount.accountId}/${name}`;

/**
 * The queue that a request means: a queue URL (any host: clients reach this server by many names), or inside the
 * process also an ARN or the plain name.
 */
export const referredName = (reference: string): string | undefined => {
  if (reference.startsWith("arn:")) return arnName(reference);
  if (!reference.includes("/")) return reference;
  const [name, account] = reference.split("/").toReversed();
  return account === localAccount.accountId ? name : undefined;
};

/** Source: SQS API reference, CreateQueue. */
export const isQueueName = (name: string): boolean => /^[A-Za-z0-9_-]{1,80}$/.test(name);
