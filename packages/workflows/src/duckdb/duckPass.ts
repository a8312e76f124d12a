/**
 * A whole CSV file by the DuckDB engine, part after part.
 */
import { Effect } from "effect";
import type { CsvOptions } from "../csv/CsvOptions.ts";
import type { CsvPart } from "../csv/CsvReport.ts";
import type { OpenBytes, PartEnd, PartSinks } from "../csv/FilePass.ts";
import type { DuckDbLimits } from "./DuckDb.ts";
import { openDuckPass } from "./DuckFilePass.ts";

/** Where a part goes. */
export interface DuckSinks<E, R> extends PartSinks<E, R> {
  /** Called when a part is complete; without one when there were rejected rows only. */
  readonly end: (part: CsvPart | undefined) => Effect.Effect<void, E, R>;
}

/** Transforms a CSV file into parts. Fails as `openDuckPass` does. */
export const duckPass = Effect.fnUntraced(function* <E1, R1, E, R>(
  given: CsvOptions,
  open: OpenBytes<E1, R1>,
  nextSinks: () => Effect.Effect<DuckSinks<E, R>, E, R>,
  limits: DuckDbLimits = {},
) {
  const pass = yield* openDuckPass(given, open, limits);
  const parts: Array<CsvPart> = [];
  let next: PartEnd["next"];
  do {
    const sinks = yield* nextSinks();
    const end = yield* pass.part(parts.length + 1, sinks);
    yield* sinks.end(end.part);
    if (end.part !== undefined) parts.push(end.part);
    ({ next } = end);
  } while (next !== undefined);
  return yield* pass.report(parts);
}, Effect.scoped);
