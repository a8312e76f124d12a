/**
 * How eagerly a workflow's results are stored; an annotation on the workflow.
 *
 * `strict` (default): an activity starts only when everything that it can depend on is stored, so a crash repeats at
 * most the activities that were running. `express`: results are stored at suspension and completion only, one write
 * for a workflow that never waits; a crash repeats all activities since then, which must therefore be idempotent.
 */
import { Context } from "effect";

export const Durability = Context.Reference<"strict" | "express">("@millrace/core/Durability", {
  defaultValue: () => "strict",
});
