/**
 * The way from a service of the embedded AWS to a hosted function: Lambda's asynchronous invocation.
 *
 * An invocation is accepted at once and waits for the host, which retries it as Lambda does. What is accepted lives in
 * this process only: after a crash the next firing of the schedule makes up for it.
 */
import { Context, Effect, Layer, Queue, Schema } from "effect";
import { AwsError } from "./AwsError.ts";
import { localAccount } from "./LocalAccount.ts";

const arnStart = `arn:aws:lambda:${localAccount.region}:${localAccount.accountId}:function:`;

/** The ARN of a hosted function. */
export const functionArn = (name: string): string => `${arnStart}${name}`;

/** The function's name, when the ARN is one of this account. */
export const functionName = (arn: string): string | undefined =>
  arn.startsWith(arnStart) ? arn.slice(arnStart.length) : undefined;

export class LocalFunctions extends Context.Service<
  LocalFunctions,
  {
    /** Accepts an invocation with that JSON text. Fails: ResourceNotFoundException, InvalidRequestContentException. */
    readonly invoke: (name: string, payload: string) => Effect.Effect<void, AwsError>;
    /** The next event that a function was invoked with, for its host. */
    readonly take: (name: string) => Effect.Effect<unknown>;
  }
>()("@millrace/local/LocalFunctions") {
  /** The functions that this process hosts. */
  static readonly layer = (names: ReadonlyArray<string>) =>
    Layer.effect(
      LocalFunctions,
      Effect.gen(function* () {
        const accepted = new Map<string, Queue.Queue<unknown>>();
        for (const name of names) accepted.set(name, yield* Queue.unbounded<unknown>());
        return LocalFunctions.of({
          invoke: Effect.fnUntraced(function* (name, payload) {
            const queue = accepted.get(name);
            if (!queue) return yield* notFound(name);
            const event = yield* Effect.mapError(decodeJson(payload), () => notJson(name));
            yield* Queue.offer(queue, event);
          }),
          take: (name) => {
            const queue = accepted.get(name);
            return queue ? Queue.take(queue) : Effect.never;
          },
        });
      }),
    );
}

const decodeJson = Schema.decodeEffect(Schema.fromJsonString(Schema.Unknown));

const notFound = (name: string): AwsError =>
  new AwsError({
    code: "ResourceNotFoundException",
    message: `Function not found: ${functionArn(name)}`,
    status: 404,
  });

const notJson = (name: string): AwsError =>
  new AwsError({
    code: "InvalidRequestContentException",
    message: `Could not parse request body into json: the event for function ${name} is no JSON document`,
    status: 400,
  });
