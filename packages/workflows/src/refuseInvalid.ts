/**
 * What happens to an object that cannot be processed: quarantined with its reason, then dead-lettered.
 *
 * Both are activities, so they are facts of the history before the execution ends as failed: a crash in between loses
 * neither. A failure of the quarantine does not hide the failure that led to it.
 */
import {
  DeadLetter,
  failureClassOf,
  FailureHandler,
  makeActivity,
  type ObjectCreated,
  objectName,
  ReadFailure,
  Retry,
  toEventText,
  WriteFailure,
} from "@millrace/core";
import { Cause, Context, Effect, Schema } from "effect";
import { LoopStopped } from "./outputMetadata.ts";
import { ReferenceInvalid } from "./steps/Reference.ts";
import { quarantine, Quarantined } from "./quarantine.ts";
import { type PipelineTopology, queueNames } from "./topology.ts";

const QuarantineFailure = Schema.Union([...ReadFailure.members, ...WriteFailure.members]);

const isNotItsFault = (error: unknown): boolean =>
  error instanceof LoopStopped || error instanceof ReferenceInvalid;

/** Wraps the body of a pipeline's workflow. */
export const refuseInvalid =
  (pipeline: PipelineTopology, object: ObjectCreated) =>
  <A, E, R>(self: Effect.Effect<A, E, R>) =>
    self.pipe(
      Effect.tapCauseIf(
        // What may succeed later is not the object's fault: it is dead-lettered, and stays where it is.
        // Nor is a loop: the object is well, and a copy of it would be one more. Nor is a step's broken table.
        (cause) => {
          const error = Cause.squash(cause);
          return failureClassOf(error) === "permanent" && !isNotItsFault(error);
        },
        (cause) =>
          makeActivity({
            name: "quarantine",
            success: Quarantined,
            error: QuarantineFailure,
            execute: quarantine(object, Cause.squash(cause)),
            annotations: Context.make(FailureHandler, true),
          }).pipe(
            Retry.retryActivity(),
            Effect.catch((error) => Effect.logError("quarantine failed", error.message)),
          ),
      ),
      DeadLetter.routeActivity({
        pipeline: pipeline.name,
        queue: queueNames(pipeline).deadLetterQueue,
        subject: objectName(object),
        // An event, and not the payload: sent to the queue again, the intake understands it.
        original: toEventText(object),
      }),
    );
