/**
 * Feeds a part with records until it is full or the file has ended.
 */
import { Effect } from "effect";
import { failWith } from "../csv/failWith.ts";
import type { Reject } from "../csv/Reject.ts";
import type { DuckJob, openDuckPart } from "./DuckPart.ts";
import type { DuckReading } from "./DuckReading.ts";

/** Gives the part, which is opened when the first record comes, and whether the file has ended. */
export const feedPart = Effect.fnUntraced(function* <E, R, E2, R2>(
  { advance, isEnd, pass, records }: DuckReading<E, R>,
  { keeper, options }: DuckJob,
  openPart: ReturnType<typeof openDuckPart>,
  takeRejects: (rejects: ReadonlyArray<Reject>) => Effect.Effect<void, E2, R2>,
) {
  const { partRowsMax } = options;
  let part: Effect.Success<typeof openPart> | undefined;
  let isOver = false;
  while (!isOver && keeper.kept < partRowsMax) {
    yield* failWith(records.read(partRowsMax, isEnd()));
    const text = records.take();
    const { rejects } = pass.take();
    if (rejects.length > 0) yield* takeRejects(rejects);
    if (text.length > 0) yield* (part ??= yield* openPart).write(text);
    if (records.hasMore || keeper.kept === partRowsMax) continue;
    if (isEnd()) isOver = true;
    else yield* advance;
  }
  return { part, isOver };
});
