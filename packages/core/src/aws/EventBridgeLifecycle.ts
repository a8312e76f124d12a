/**
 * Lifecycle events on EventBridge, and the ends among them on an SNS topic, with attributes for filter policies.
 *
 * Topic:  attributes `outcome` (success, invalid-data, failure) and `pipeline`; the message is the event's JSON
 * Source: EventBridge API reference 2015-10-07, PutEvents; SNS API reference 2010-03-31, Publish
 */
import {
  EventBridgeClient,
  type EventBridgeClientConfig,
  PutEventsCommand,
} from "@aws-sdk/client-eventbridge";
import type { SNSClient, SNSClientConfig } from "@aws-sdk/client-sns";
import { Effect, Layer, Schema } from "effect";
import {
  Lifecycle,
  LifecycleEvent,
  lifecycleSource,
  LifecycleUnavailable,
  outcomeOf,
} from "../Lifecycle.ts";
import { lazyClient } from "./lazyClient.ts";

export interface LifecycleSettings {
  readonly busName: string;
  readonly topicArn: string;
}

/** Longest wait for one answer, in milliseconds: the run that announces is paid for while it waits. */
const patience = {
  requestHandler: {
    requestTimeout: 3_000,
    // Else the time-out is only logged.
    throwOnRequestTimeout: true,
    connectionTimeout: 1_000,
  },
  // Whoever announces tries again, with pauses for which nothing is paid.
  maxAttempts: 1,
};

const encodeEvent = Schema.encodeSync(Schema.fromJsonString(LifecycleEvent));

/** Announcements to the given bus and topic. */
export const layerEventBridge = (
  settings: LifecycleSettings,
  config: EventBridgeClientConfig & SNSClientConfig = {},
) =>
  Layer.effect(
    Lifecycle,
    Effect.gen(function* () {
      const events = yield* Effect.acquireRelease(
        Effect.sync(() => new EventBridgeClient({ ...patience, ...config })),
        (client) => Effect.sync(() => client.destroy()),
      );
      // Only ends go to the topic: a start does not wait for its client.
      const sns = yield* lazyClient(async () =>
        (await import("./publishEnd.ts")).openSns({ ...patience, ...config }),
      );
      return {
        announce: Effect.fnUntraced(function* (announced: ReadonlyArray<LifecycleEvent>) {
          yield* putEvents(events, settings.busName, announced);
          yield* Effect.forEach(announced, (event) => notify(sns, settings.topicArn, event), {
            discard: true,
          });
        }),
      };
    }),
  );

const unavailable = (target: string) => (cause: unknown) =>
  new LifecycleUnavailable({ target, reason: String(cause) });

const putEvents = Effect.fnUntraced(function* (
  client: EventBridgeClient,
  busName: string,
  announced: ReadonlyArray<LifecycleEvent>,
) {
  const target = `bus ${busName}`;
  const { Entries = [], FailedEntryCount = 0 } = yield* Effect.tryPromise({
    try: () =>
      client.send(
        new PutEventsCommand({
          Entries: announced.map((event) => ({
            EventBusName: busName,
            Source: lifecycleSource,
            DetailType: event.kind,
            Detail: encodeEvent(event),
            Time: new Date(event.atEpochMs),
          })),
        }),
      ),
    catch: unavailable(target),
  });
  // The call succeeds although entries fail.
  if (FailedEntryCount > 0) {
    const reason = Entries.map(({ ErrorCode, ErrorMessage }) => `${ErrorCode}: ${ErrorMessage}`);
    return yield* new LifecycleUnavailable({ target, reason: reason.join("; ") });
  }
});

const notify = (
  client: () => Promise<SNSClient>,
  topicArn: string,
  event: LifecycleEvent,
): Effect.Effect<void, LifecycleUnavailable> => {
  const outcome = outcomeOf(event);
  if (outcome === undefined) return Effect.void;
  const { pipeline } = event;
  return Effect.asVoid(
    Effect.tryPromise({
      try: async () => {
        const { publishEnd } = await import("./publishEnd.ts");
        const message = encodeEvent(event);
        return publishEnd(await client(), { topicArn, pipeline, outcome, message });
      },
      catch: unavailable(`topic ${topicArn}`),
    }),
  );
};
