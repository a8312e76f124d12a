/**
 * Pauses as disabled event source mappings: what stops a Lambda function from taking messages of its queue.
 *
 * Why and since when is kept where everybody looks, in the tags of the queue (QueueTagPauses), and is there before the
 * mapping is disabled and until it is enabled again: whoever finds messages waiting finds the reason. A mapping that
 * somebody disabled by hand counts as a pause, too.
 *
 * Source: AWS Lambda API reference, UpdateEventSourceMapping (State: Disabling, Disabled, Enabling, Enabled, ...)
 */
import {
  type EventSourceMappingConfiguration,
  LambdaClient,
  type LambdaClientConfig,
  ListEventSourceMappingsCommand,
  UpdateEventSourceMappingCommand,
} from "@aws-sdk/client-lambda";
import { Effect, Layer } from "effect";
import { IntakePauses, PausesUnavailable } from "../IntakePauses.ts";

/** The queue has no consumer that could be paused. */
const noMapping = "no function takes messages from it";

/** `arnOf` gives the ARN of a queue by its name in the topology; the service around it keeps the reasons. */
export const layerMappings = (
  arnOf: (queue: string) => string,
  config: LambdaClientConfig = {},
): Layer.Layer<IntakePauses, never, IntakePauses> =>
  Layer.effect(
    IntakePauses,
    Effect.gen(function* () {
      const reasons = yield* IntakePauses;
      const client = yield* Effect.acquireRelease(
        Effect.sync(() => new LambdaClient(config)),
        (open) => Effect.sync(() => open.destroy()),
      );
      const mappingsOf = (queue: string, operation: string) =>
        attempt(queue, operation, () => list(client, arnOf(queue)));
      const enable = Effect.fnUntraced(function* (
        queue: string,
        operation: string,
        Enabled: boolean,
      ) {
        const mappings = yield* mappingsOf(queue, operation);
        if (mappings.length === 0) {
          return yield* new PausesUnavailable({ queue, operation, cause: noMapping });
        }
        for (const { UUID } of mappings) {
          yield* attempt(queue, operation, () =>
            client.send(new UpdateEventSourceMappingCommand({ UUID, Enabled })),
          );
        }
      });
      return IntakePauses.of({
        pause: (queue, pause) =>
          Effect.andThen(reasons.pause(queue, pause), enable(queue, "pause", false)),
        resume: (queue) => Effect.andThen(enable(queue, "resume", true), reasons.resume(queue)),
        find: Effect.fnUntraced(function* (queue) {
          const mappings = yield* mappingsOf(queue, "look");
          if (!mappings.some(isDisabled)) return undefined;
          const told = yield* reasons.find(queue);
          return told ?? { reason: "its event source mapping is disabled", sinceEpochMs: 0 };
        }),
      });
    }),
  );

const isDisabled = ({ State }: EventSourceMappingConfiguration): boolean =>
  State === "Disabled" || State === "Disabling";

const list = async (
  client: LambdaClient,
  EventSourceArn: string,
): Promise<ReadonlyArray<EventSourceMappingConfiguration>> => {
  const found: Array<EventSourceMappingConfiguration> = [];
  let Marker: string | undefined;
  do {
    const page = await client.send(new ListEventSourceMappingsCommand({ EventSourceArn, Marker }));
    found.push(...(page.EventSourceMappings ?? []));
    Marker = page.NextMarker;
  } while (Marker !== undefined && Marker !== "");
  return found;
};

const attempt = <A>(queue: string, operation: string, run: () => Promise<A>) =>
  Effect.tryPromise({
    try: run,
    catch: (cause) => new PausesUnavailable({ queue, operation, cause }),
  });
