/**
 * The object versions of a bucket of the stage, page by page.
 */
import { S3Client } from "@aws-sdk/client-s3";
import type { ObjectVersion } from "@millrace/core";
import { listVersions as listVersionsOf } from "@millrace/core/aws";
import type { Effect } from "effect";
import type { Stage } from "./Stage.ts";

/** Hands every page to `use`. */
export const listVersions = <E, R>(
  stage: Stage,
  where: Parameters<typeof listVersionsOf>[1],
  use: (versions: ReadonlyArray<ObjectVersion>) => Effect.Effect<void, E, R>,
) => listVersionsOf(new S3Client(stage.clients), where, use);
