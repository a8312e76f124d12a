/**
 * The text of a file that may be compressed: found out by its content, never by its name.
 */
import { Effect, Scope, Stream } from "effect";
import type { CsvInflatesTooFar, CsvNotInflatable } from "../csv/CsvFailure.ts";
import {
  type InflateLimits,
  inflatePieceBytesMax,
  type Inflater,
  isGzip,
  makeInflater,
} from "./Inflater.ts";

/** What has been found out about a file while it was read. */
export interface InflateFigures {
  /** Set when the file is compressed. */
  compression: "gzip" | undefined;
  /** Bytes of the file itself. */
  bytes: number;
}

const piecesOf = (bytes: Uint8Array): ReadonlyArray<Uint8Array> =>
  Array.from({ length: Math.ceil(bytes.length / inflatePieceBytesMax) }, (_, index) =>
    bytes.subarray(index * inflatePieceBytesMax, (index + 1) * inflatePieceBytesMax),
  );

/** The source's bytes, gunzipped if they are a gzip archive. The figures are complete when the stream has ended. */
export const inflated = <E, R>(
  source: string,
  bytes: Stream.Stream<Uint8Array, E, R>,
  limits: InflateLimits,
  figures: InflateFigures,
): Stream.Stream<Uint8Array, E | CsvNotInflatable | CsvInflatesTooFar, R> =>
  Stream.unwrap(
    Effect.gen(function* () {
      const scope = yield* Scope.Scope;
      let first: Uint8Array = new Uint8Array(0);
      let inflater: Inflater | undefined;
      let isPlain = false;

      const push = Effect.fnUntraced(function* (open: Inflater, chunk: Uint8Array) {
        const all: Array<Uint8Array> = [];
        for (const piece of piecesOf(chunk)) all.push(...(yield* open.push(piece)));
        return all;
      });
      const take = Effect.fnUntraced(function* (chunk: Uint8Array) {
        figures.bytes += chunk.length;
        if (isPlain) return [chunk];
        if (inflater !== undefined) return yield* push(inflater, chunk);
        first = first.length === 0 ? chunk : Buffer.concat([first, chunk]);
        const gzip = isGzip(first);
        if (gzip === undefined) return [];
        if (!gzip) {
          isPlain = true;
          return [first];
        }
        figures.compression = "gzip";
        inflater = yield* Scope.provide(makeInflater(source, limits), scope);
        return yield* push(inflater, first);
      });
      const end = Effect.suspend(() => {
        if (inflater !== undefined) return inflater.end;
        return Effect.succeed(isPlain || first.length === 0 ? [] : [first]);
      });
      return Stream.mapEffect(bytes, take).pipe(
        Stream.concat(Stream.fromEffect(end)),
        Stream.flattenIterable,
      );
    }),
  );
