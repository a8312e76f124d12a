/**
 * Gunzips a file piece by piece, and stops where it grows beyond all measure.
 *
 * A gzip file of 10 MB can hold 10 GB. Pieces are small, so that one of them never makes more than 16 MiB; the sums are
 * looked at after each. Members that follow one another are one file; what follows them and is no member means that the
 * file is damaged, and is not passed over in silence.
 */
import { createGunzip } from "node:zlib";
import { Effect, type Scope } from "effect";
import { CsvInflatesTooFar, CsvNotInflatable } from "../csv/CsvFailure.ts";

/** Bytes given to zlib at once: at deflate's best ratio, 1,032 to 1, they become 16 MiB. */
export const inflatePieceBytesMax = 16 * 1024;

/** How far a compressed file may grow. */
export interface InflateLimits {
  /** Bytes that it may hold. */
  readonly inflatedBytesMax: number;
  /** Bytes that it may hold per byte of its own, beyond the first `ratioFreeBytes`. */
  readonly inflateRatioMax: number;
}

/** Small files may be as dense as they like: an export of zeros is no attack. */
const ratioFreeBytes = 64 * 1024 * 1024;

/** Whether a file that begins like this is a gzip archive; undefined while too little is known. */
export const isGzip = (first: Uint8Array): boolean | undefined => {
  if (first.length >= 2) return first[0] === 0x1f && first[1] === 0x8b;
  return first.length === 1 && first[0] !== 0x1f ? false : undefined;
};

/** One compressed file being read. */
export interface Inflater {
  /** Takes the file's next bytes, at most `inflatePieceBytesMax`, and gives what they hold. */
  readonly push: (
    piece: Uint8Array,
  ) => Effect.Effect<ReadonlyArray<Uint8Array>, CsvNotInflatable | CsvInflatesTooFar>;
  /** The file ends here. */
  readonly end: Effect.Effect<ReadonlyArray<Uint8Array>, CsvNotInflatable | CsvInflatesTooFar>;
}

/** Opens a compressed file. */
export const makeInflater = (
  source: string,
  limits: InflateLimits,
): Effect.Effect<Inflater, never, Scope.Scope> =>
  Effect.gen(function* () {
    const gunzip = yield* Effect.acquireRelease(
      Effect.sync(() => createGunzip()),
      (open) => Effect.sync(() => open.destroy()),
    );
    let bytesIn = 0;
    let bytesOut = 0;
    let produced: Array<Uint8Array> = [];
    let failure: Error | undefined;
    gunzip.on("data", (bytes: Uint8Array) => {
      produced.push(bytes);
      bytesOut += bytes.length;
    });
    gunzip.on("error", (error) => {
      failure ??= error;
    });

    const broken = () => new CsvNotInflatable({ source, bytesRead: bytesIn });
    const take = Effect.suspend(() => {
      const isTooFar =
        bytesOut > limits.inflatedBytesMax ||
        (bytesOut > ratioFreeBytes && bytesOut > bytesIn * limits.inflateRatioMax);
      if (isTooFar) return Effect.fail(new CsvInflatesTooFar({ source, bytesIn, bytesOut }));
      const taken = produced;
      produced = [];
      return Effect.succeed(taken);
    });
    /** Waits until zlib has worked through what it was given, or has given up. */
    const settled = (work: (done: () => void) => void) =>
      Effect.callback<void, CsvNotInflatable>((resume) => {
        const end = () => resume(failure === undefined ? Effect.void : Effect.fail(broken()));
        if (failure !== undefined) return end();
        gunzip.once("error", end);
        work(() => {
          gunzip.off("error", end);
          end();
        });
      });

    return {
      push: (piece) => {
        bytesIn += piece.length;
        return settled((done) => gunzip.write(piece, done)).pipe(Effect.andThen(take));
      },
      end: settled((done) => {
        gunzip.once("end", done);
        gunzip.end();
      }).pipe(
        // What zlib has left lying is no member of the archive.
        Effect.andThen(
          Effect.suspend(() =>
            gunzip.bytesWritten < bytesIn ? Effect.fail(broken()) : Effect.void,
          ),
        ),
        Effect.andThen(take),
      ),
    };
  });

/** The beginning of what a compressed file holds, from its own beginning: at least `bytesMax` if there are as many. */
export const inflateFirst = (source: string, first: Uint8Array, bytesMax: number) =>
  Effect.gen(function* () {
    const inflater = yield* makeInflater(source, {
      inflatedBytesMax: Number.POSITIVE_INFINITY,
      inflateRatioMax: Number.POSITIVE_INFINITY,
    });
    const inflated: Array<Uint8Array> = [];
    let bytes = 0;
    for (let at = 0; at < first.length && bytes < bytesMax; at += inflatePieceBytesMax) {
      const pieces = yield* inflater.push(first.subarray(at, at + inflatePieceBytesMax));
      inflated.push(...pieces);
      bytes += pieces.reduce((sum, piece) => sum + piece.length, 0);
    }
    return { bytes: Buffer.concat(inflated), isAll: bytes < bytesMax };
  }).pipe(Effect.scoped);
