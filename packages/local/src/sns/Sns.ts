/**
 * The topics of the embedded AWS: published to by clients (`operations`) and by the bus, delivered to queues.
 */
import { Context, Effect, Layer } from "effect";
import type { AwsError } from "../AwsError.ts";
import type { JsonOperations } from "../http/AwsRequest.ts";
import { LocalState } from "../LocalState.ts";
import { Sqs } from "../sqs/Sqs.ts";
import { makePublish, type Publication } from "./publish.ts";
import { publishOperations } from "./publishOperations.ts";
import { SnsState } from "./SnsState.ts";
import { subscriptionOperations } from "./subscriptionOperations.ts";
import { topicOperations } from "./topicOperations.ts";

export class Sns extends Context.Service<
  Sns,
  {
    /** Fails: NotFound for a topic that does not exist, or what SNS finds wrong with the message. */
    readonly publish: (
      topicArn: string,
      publication: Publication,
    ) => Effect.Effect<{ readonly messageId: string }, AwsError>;
    /** The operations of the wire protocol (query, version 2010-03-31). */
    readonly operations: JsonOperations;
  }
>()("@millrace/local/sns/Sns") {
  static readonly layer = Layer.effect(
    Sns,
    Effect.gen(function* () {
      const { database } = yield* LocalState;
      const state = new SnsState(database);
      const publish = makePublish(state, yield* Sqs);
      return Sns.of({
        publish,
        operations: {
          ...topicOperations(state),
          ...subscriptionOperations(state),
          ...publishOperations(state, publish),
        },
      });
    }),
  );
}
