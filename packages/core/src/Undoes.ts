/**
 * Names the steps whose work an activity takes back (removes what they wrote); an annotation on the activity.
 *
 * Their results stay in the history, but are of nothing that is there any more: a redrive forgets them with the failure, and
 * the steps run again. What undoes as a compensation needs none: an execution that has compensated is not redriven.
 */
import { Context } from "effect";

export const Undoes = Context.Reference<ReadonlyArray<string>>("@millrace/core/Undoes", {
  defaultValue: () => [],
});
