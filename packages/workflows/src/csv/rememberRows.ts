/**
 * Fills the table of rows seen with the hashes that parts before have left.
 */
import { Effect, Stream } from "effect";
import { lanes } from "./RowHash.ts";
import type { SeenRows } from "./SeenRows.ts";

const hashBytes = lanes * 4;

/** Reads hashes of 12 bytes, however the stream is chunked; `spill` is asked after each chunk. */
export const rememberRows = Effect.fnUntraced(function* <E, R, E2, R2>(
  seen: SeenRows,
  hashes: Stream.Stream<Uint8Array, E, R>,
  spill: Effect.Effect<void, E2, R2>,
) {
  let rest = Buffer.alloc(0);
  yield* Stream.runForEach(hashes, (chunk) => {
    const bytes = Buffer.concat([rest, chunk]);
    const whole = bytes.length - (bytes.length % hashBytes);
    // A copy, because a view of words must begin at a multiple of four.
    const words = new Uint32Array(new Uint8Array(bytes.subarray(0, whole)).buffer);
    for (let at = 0; at < words.length; at += lanes) seen.add(words.subarray(at, at + lanes));
    rest = Buffer.from(bytes.subarray(whole));
    return spill;
  });
});
