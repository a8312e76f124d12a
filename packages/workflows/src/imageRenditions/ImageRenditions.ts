/**
 * Image renditions, as a workflow: an image under `images/` gets three smaller ones under `resized/`, and a record.
 *
 *   render      one decode, the renditions of images/renditionTable.ts, written under names that cannot collide
 *   catalog     the record: where they are, how large, until when
 *   on failure  the record says so with its reason; quarantine and dead letter as for every pipeline
 *
 * Its start and its end are announced (see announceLife).
 *
 * Requirements D4.5, D4.6, D4.8.
 */
import {
  announceLife,
  describeFailure,
  makeActivity,
  objectName,
  Retry,
  WorkflowVersion,
} from "@millrace/core";
import { Cause, Clock, Context, Effect, Layer } from "effect";
import { Workflow } from "effect/workflow";
import { objectKey, objectPayload, sameObject } from "../objectPayload.ts";
import type { ImageOptions } from "../images/renderRenditions.ts";
import { checkRenditions, renditionBoxes } from "../images/renditionTable.ts";
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
  makeActivity({ name: "catalog", error: CatalogUnavailable, execute: catalog(record) }).pipe(
    Retry.retryActivity(),
  );

const body = (options: ImageOptions) =>
  Effect.fnUntraced(function* ({ object }: typeof ImageRenditions.payloadSchema.Type) {
    // The body's clock stands at the execution's recorded start: every run writes the same record.
    const startedEpochMs = yield* Clock.currentTimeMillis;
    return yield* Effect.gen(function* () {
      const rendered = yield* makeActivity({
        name: "render",
        success: Rendered,
        error: ImageObjectFailure,
        execute: render(object, options),
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
  });

/**
 * The workflow's code, for a table of renditions or animations of one's own. The options are no part of an execution's
 * history: a redriven execution is rendered by those of the code that is deployed then.
 *
 * Fails:  RenditionTableInvalid - two lines would write one object, or one none
 */
export const layerImageRenditionsWith = (options: ImageOptions) =>
  Layer.unwrap(
    Effect.as(
      checkRenditions(options.boxes ?? renditionBoxes),
      ImageRenditions.toLayer(body(options)),
    ),
  );

/** The workflow's code, with the renditions of renditionTable.ts. */
export const layerImageRenditions = ImageRenditions.toLayer(body({}));
