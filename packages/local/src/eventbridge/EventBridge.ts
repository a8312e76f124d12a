/**
 * The event buses of the embedded AWS: rules, targets, archives and replays for EventBridge clients, and the default
 * bus for the services inside the process (`layerLocalEvents`).
 *
 * Events that were taken are delivered by a background worker from a stored outbox, also after a crash.
 */
import { Clock, Context, Effect, Layer } from "effect";
import { makeDelivery } from "../delivery/makeDelivery.ts";
import type { JsonOperations } from "../http/AwsRequest.ts";
import { LocalEvents } from "../LocalEvents.ts";
import { LocalState } from "../LocalState.ts";
import { Sns } from "../sns/Sns.ts";
import { Sqs } from "../sqs/Sqs.ts";
import { archiveOperations } from "./archiveOperations.ts";
import { busOperations } from "./busOperations.ts";
import { busRoute } from "./busRoute.ts";
import { defaultBus } from "./EventNames.ts";
import { EventState } from "./EventState.ts";
import { makeEvent, takeEvents } from "./ingest.ts";
import { putEventsOperations } from "./putEvents.ts";
import { replayOperations } from "./replayOperations.ts";
import { makeReplays } from "./replays.ts";
import { ruleOperations } from "./ruleOperations.ts";
import { targetOperations } from "./targetOperations.ts";

export class EventBridge extends Context.Service<
  EventBridge,
  {
    /** The operations of the wire protocol (JSON 1.1, target prefix `AWSEvents`). */
    readonly operations: JsonOperations;
    /** Publishes to the default bus as an AWS service does; see LocalEvents. */
    readonly publish: LocalEvents["Service"]["publish"];
  }
>()("@millrace/local/eventbridge/EventBridge") {
  static readonly layer = Layer.effect(
    EventBridge,
    Effect.gen(function* () {
      const { database } = yield* LocalState;
      const targets = { sqs: yield* Sqs, sns: yield* Sns };
      const state = new EventState(database);
      const delivery = makeDelivery(busRoute(state, targets));
      yield* Effect.forkScoped(delivery.run);
      const replays = yield* makeReplays(state, delivery.wake);
      return EventBridge.of({
        operations: {
          ...busOperations(state),
          ...ruleOperations(state),
          ...targetOperations(state),
          ...putEventsOperations(state, delivery.wake),
          ...archiveOperations(state),
          ...replayOperations(state, replays.start),
        },
        publish: Effect.fnUntraced(function* (event) {
          const nowMs = yield* Clock.currentTimeMillis;
          const taken = makeEvent({
            bus: defaultBus,
            source: event.source,
            detailType: event["detail-type"],
            detail: JSON.stringify(event.detail),
            resources: event.resources,
            timeMs: nowMs,
          });
          takeEvents(state, [taken], nowMs);
          yield* delivery.wake;
        }),
      });
    }),
  );
}

/** The way from the other services to the default bus. */
export const layerLocalEvents = Layer.effect(
  LocalEvents,
  Effect.map(EventBridge, ({ publish }) => LocalEvents.of({ publish })),
);
