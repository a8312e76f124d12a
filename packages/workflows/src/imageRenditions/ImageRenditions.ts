/**
 * Image renditions, as a workflow: an image under `images/` gets three smaller ones under `resized/`, and a record.
 *
 *   render      one decode, three renditions (800x600, 400x300, 150x150), written under names that cannot collide
 *   catalog     the record: where they are, how large, until when
 *   on failure  the record says so with its reason; quarantine and dead letter as for every pipeline
 *
 * Its start and its end are announced (see announceLife).
 *
 * Requirements D4.5, D4.6, D4.8.
 */
import { announceLife, describeFailure, objectName, Retry, WorkflowVersion } from "@millrace/core";
import { Cause, Clock, Context, Effect } from "effect";
import { Activity, Workflow } from "effect/workflow";
import { objectKey, objectPayload, sameObject } from "../objectPayload.ts";
import { refuseInvalid } from "../refuseInvalid.ts";
import { pipelines } from "../topology.ts";
import { catalog, ImageObjectFailure, imageRecord, render, Rendered } from "./activities.ts";
import { CatalogUnavailable, type ImageRecord } from "./ImageCatalog.ts";

export const ImageRenditions = Workflow.make("ImageRenditions", {
  payload: objectPayload,
  success: Rendered,
  error: ImageObjectFailure,
  idempotencyKey: objectKey,
  annotations: Context.add(sameObject, WorkflowVersion, 2),
});

const keepRecord = (record: ImageRecord) =>
  Activity.make({ name: "catalog", error: CatalogUnavailable, execute: catalog(record) }).pipe(
    Retry.retryActivity(),
  );

/** The workflow's code. */
export const layerImageRenditions = ImageRenditions.toLayer(
  Effect.fnUntraced(function* ({ object }) {
    // The body's clock stands at the execution's recorded start: every run writes the same record.
    const startedEpochMs = yield* Clock.currentTimeMillis;
    return yield* Effect.gen(function* () {
      const rendered = yield* Activity.make({
        name: "render",
        success: Rendered,
        error: ImageObjectFailure,
        execute: render(object),
      }).pipe(
        Retry.retryActivity(),
        Effect.tapCauseIf(
          (cause) => !Cause.hasInterruptsOnly(cause),
          (cause) => {
            const { message: reason } = describeFailure(Cause.squash(cause));
            return keepRecord(imageRecord(object, startedEpochMs, { reason }));
          },
        ),
        refuseInvalid(pipelines.imageRenditions, object),
      );
      yield* keepRecord(imageRecord(object, startedEpochMs, { rendered }));
      return rendered;
    }).pipe(
      announceLife({
        pipeline: pipelines.imageRenditions.name,
        subject: objectName(object),
        object,
        success: Rendered,
        sinceVersion: 2,
      }),
    );
  }),
);
