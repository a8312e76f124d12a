/**
 * Where produced bytes go: a multipart upload, a file, a buffer in a test.
 *
 * The producer waits for each call before it makes more bytes, which is the only back-pressure there is. Bytes are
 * handed over for good: the producer never touches them again, so a sink may keep them.
 */
import type { Effect } from "effect";

export type ByteSink<E = never, R = never> = (bytes: Uint8Array) => Effect.Effect<void, E, R>;
