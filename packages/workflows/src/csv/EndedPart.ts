/**
 * What a pass hands over of a part that has ended.
 */
import type { PassPosition } from "./PassPosition.ts";
import type { Reject } from "./Reject.ts";
import type { RowGroup } from "./RowGroupBuilder.ts";

/** A part that has ended, what of it had not been taken, and where the next one begins. */
export interface EndedPart {
  readonly groups: ReadonlyArray<RowGroup>;
  readonly rejects: ReadonlyArray<Reject>;
  /** The hashes of its rows, when they are kept. */
  readonly hashes: Uint32Array | undefined;
  readonly position: PassPosition;
}
