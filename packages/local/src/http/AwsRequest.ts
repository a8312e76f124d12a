/**
 * One HTTP request to the embedded AWS and its answer, free of any server's types.
 *
 * The path stays as the client sent it: keys such as `a/../b` and `a%2Bb` lose their meaning once a URL parser has
 * touched them.
 */
import type { Effect, Stream } from "effect";
import type { AwsError } from "../AwsError.ts";

export interface AwsRequest {
  readonly method: string;
  /** The path before `?`, still percent-encoded, exactly as sent. */
  readonly rawPath: string;
  /** The query string after `?`, still encoded, without the `?`; empty when there is none. */
  readonly rawQuery: string;
  /** Header names in lower case. */
  readonly headers: Readonly<Record<string, string>>;
  readonly body: Stream.Stream<Uint8Array, AwsError>;
}

export interface AwsResponse {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: Uint8Array | string | Stream.Stream<Uint8Array, AwsError>;
}

/** One AWS service: pure routing from request to answer, so that a test can call it without a socket. */
export type AwsHandler = (request: AwsRequest) => Effect.Effect<AwsResponse, AwsError>;

/**
 * A service of one of the JSON protocols (SQS, EventBridge): operation name to implementation.
 * Input is the parsed JSON body; output is serialised as JSON (`undefined` as an empty body).
 */
export type JsonOperations = Readonly<
  Record<string, (input: unknown) => Effect.Effect<unknown, AwsError>>
>;
