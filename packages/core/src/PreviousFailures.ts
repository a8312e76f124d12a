/**
 * The failures of the attempts before this one, oldest first; empty in the first attempt and outside `Retry`.
 *
 * An attempt may decide by them: to ask for less, or to give up because the same thing has happened before.
 */
import { Context } from "effect";

export const PreviousFailures = Context.Reference<ReadonlyArray<unknown>>(
  "@millrace/core/PreviousFailures",
  { defaultValue: () => [] },
);
