/**
 * Marks an activity that tells of its execution's failure (a dead letter, a quarantine); an annotation on the activity.
 *
 * Its record is a fact like any other, but of the failure, not of the work: when the execution is redriven and fails
 * again, it runs again.
 */
import { Context } from "effect";

export const FailureHandler = Context.Reference<boolean>("@millrace/core/FailureHandler", {
  defaultValue: () => false,
});
