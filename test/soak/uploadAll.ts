/**
 * Puts all files of a soak into the bucket, so many at a time, and waits for the end of each; events that are to come
 * twice come twice.
 */
import { localBuckets } from "@millrace/local";
import { Deferred, Effect } from "effect";
import { eventOf } from "../events.ts";
import type { SoakOptions } from "./SoakReport.ts";
import { type SoakFile, soakFile } from "./soakFile.ts";
import { SoakWorld } from "./SoakWorld.ts";

/** Enough that no worker waits for an upload, even while some wait for a killed one's message. */
const windowDefault = 64;

/** What a soak remembers of an upload; its expectations come from its number. */
export interface SoakUpload {
  readonly subject: string;
  readonly fate: SoakFile["fate"];
  /** From the upload to its end; of an ignored one to the answer. */
  readonly ms: number;
}

/** Uploads one file and waits for its end. */
export const uploadOne = Effect.fnUntraced(function* (file: SoakFile) {
  const { deliver, lines, upload } = yield* SoakWorld;
  const { again, fate, key, pipeline } = file;
  const beganMs = performance.now();
  const ended = yield* Deferred.make<number>();
  if (pipeline) lines.await(`${localBuckets.raw}/${key}`, { ended });
  const uploaded = yield* upload(file);
  const { subject } = uploaded;
  if (!pipeline) {
    return { subject, fate, ms: performance.now() - beganMs } satisfies SoakUpload;
  }
  const twice = deliver(pipeline, eventOf(uploaded));
  if (again === "at once") yield* twice;
  const endedMs = yield* Deferred.await(ended);
  if (again === "later") yield* twice;
  return { subject, fate, ms: endedMs - beganMs } satisfies SoakUpload;
});

/** All files from number `from` on. */
export const uploadAll = Effect.fnUntraced(function* (
  options: SoakOptions,
  onUpload: (upload: SoakUpload, again: boolean) => void,
) {
  const numbers = Array.from({ length: options.uploads }, (_, number) => number);
  yield* Effect.forEach(
    numbers,
    Effect.fnUntraced(function* (number) {
      const file = yield* Effect.promise(() => soakFile(options.seed, number));
      onUpload(yield* uploadOne(file), file.again !== "never");
    }),
    { concurrency: options.windowMax ?? windowDefault, discard: true },
  );
});
