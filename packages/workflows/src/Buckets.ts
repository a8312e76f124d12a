/**
 * The real names of the stage's buckets, and of the dead-letter queue: all that an activity must be told about where
 * it runs.
 */
import { Context } from "effect";
import type { BucketName } from "./topology.ts";

export class Buckets extends Context.Service<Buckets, Readonly<Record<BucketName, string>>>()(
  "@millrace/workflows/Buckets",
) {}
