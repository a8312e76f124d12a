/**
 * Pauses as tags of the queue, which whoever polls it honours: local mode's event source mapping does.
 *
 * Lambda's own mappings do not look at tags: over a real account MappingPauses disables the mapping, too.
 *
 * Source: AWS SQS API reference, TagQueue (a value has 256 characters at most)
 */
import {
  ListQueueTagsCommand,
  SQSClient,
  type SQSClientConfig,
  TagQueueCommand,
  UntagQueueCommand,
} from "@aws-sdk/client-sqs";
import { Effect, Layer } from "effect";
import { IntakePauses, type Pause, PausesUnavailable } from "../IntakePauses.ts";

/** The tags of a paused queue. */
const tags = { reason: "millrace:paused", since: "millrace:paused-since" };

const tagCharactersMax = 256;

/** Characters that a tag's value may not have. */
const foreign = /[^\p{L}\p{Z}\p{N}_.:/=+\-@]/gu;

/** The pause that a queue's tags tell of. */
export const pauseOf = (all: Readonly<Record<string, string>>): Pause | undefined => {
  const reason = all[tags.reason];
  return reason === undefined ? undefined : { reason, sinceEpochMs: Number(all[tags.since] ?? 0) };
};

/** `urlOf` gives the URL of a queue by its name in the topology. */
export const layerTags = (
  urlOf: (queue: string) => string,
  config: SQSClientConfig = {},
): Layer.Layer<IntakePauses> =>
  Layer.effect(
    IntakePauses,
    Effect.gen(function* () {
      const client = yield* Effect.acquireRelease(
        Effect.sync(() => new SQSClient(config)),
        (open) => Effect.sync(() => open.destroy()),
      );
      return IntakePauses.of({
        pause: (queue, { reason, sinceEpochMs }) =>
          attempt(queue, "pause", () =>
            client.send(
              new TagQueueCommand({
                QueueUrl: urlOf(queue),
                Tags: {
                  [tags.reason]: reason.replaceAll(foreign, "_").slice(0, tagCharactersMax),
                  [tags.since]: String(sinceEpochMs),
                },
              }),
            ),
          ).pipe(Effect.asVoid),
        resume: (queue) =>
          attempt(queue, "resume", () =>
            client.send(
              new UntagQueueCommand({ QueueUrl: urlOf(queue), TagKeys: Object.values(tags) }),
            ),
          ).pipe(Effect.asVoid),
        find: (queue) =>
          attempt(queue, "look", () =>
            client.send(new ListQueueTagsCommand({ QueueUrl: urlOf(queue) })),
          ).pipe(Effect.map(({ Tags = {} }) => pauseOf(Tags))),
      });
    }),
  );

const attempt = <A>(queue: string, operation: string, run: () => Promise<A>) =>
  Effect.tryPromise({
    try: run,
    catch: (cause) => new PausesUnavailable({ queue, operation, cause }),
  });
