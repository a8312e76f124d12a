/**
 * A file that is being read for the DuckDB engine: its bytes as text, its text as good records.
 */
import { Effect, Pull, Stream } from "effect";
import type { CompleteCsvOptions } from "../csv/CsvOptions.ts";
import { CsvPass } from "../csv/CsvPass.ts";
import type { OpenBytes } from "../csv/FilePass.ts";
import type { PassPosition } from "../csv/PassPosition.ts";
import { inflated, type InflateFigures } from "../input/inflated.ts";
import { GoodRecords } from "./GoodRecords.ts";
import type { RowKeeper } from "./RowKeeper.ts";

/**
 * Read before records are looked at. Node keeps text of a megabyte outside of the heap, and then the whole heap is collected twice as
 * often: 2 % of the processor time (measured).
 */
const windowBytes = 512 * 1024;

/** Begins to read the file at a position. */
export const openReading = Effect.fnUntraced(function* <E, R>(
  options: CompleteCsvOptions,
  open: OpenBytes<E, R>,
  opening: CsvPass,
  position: PassPosition,
  isCareful: boolean,
  keeper: RowKeeper,
) {
  const pass = new CsvPass(options);
  pass.resume(opening, position);
  const { delimiter = ",", text } = yield* Effect.orDie(Effect.fromNullishOr(pass.opened));
  const records = new GoodRecords(pass, { ...options, delimiter, isCareful }, position, keeper);
  const figures: InflateFigures = { compression: undefined, bytes: 0 };
  const fromByte = position.byteOffset ?? 0;
  const bytes = fromByte > 0 ? open(fromByte) : inflated(options.source, open(0), options, figures);
  const pull = yield* Stream.toPull(bytes);
  let skip = position.byteOffset === undefined ? position.textOffset : 0;
  let isEnd = false;
  const push = (given: Uint8Array): void => {
    const skipped = Math.min(skip, given.length);
    skip -= skipped;
    records.push(given.subarray(skipped));
  };
  return {
    pass,
    records,
    figures,
    isEnd: () => isEnd,
    /** Reads on. */
    advance: Effect.gen(function* () {
      for (let read = 0; read < windowBytes && !isEnd;) {
        const chunks = yield* pull.pipe(Pull.catchDone(() => Effect.undefined));
        isEnd = chunks === undefined;
        for (const chunk of chunks ?? []) {
          read += chunk.length;
          pass.bytesIn += chunk.length;
          push(yield* Effect.fromResult(text.push(chunk)));
        }
      }
      if (isEnd) push(yield* Effect.fromResult(text.end()));
    }),
    /** Where the next part begins. */
    next: (): PassPosition | undefined => {
      const position = pass.positionAt(records.position);
      if (position === undefined || figures.compression === undefined) return position;
      // Only a plain file can be read from a byte of it on.
      const { byteOffset: _, ...others } = position;
      return others;
    },
  };
});

/** An open file. */
export type DuckReading<E, R> = Effect.Success<ReturnType<typeof openReading<E, R>>>;
