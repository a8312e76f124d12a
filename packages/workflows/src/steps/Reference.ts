/**
 * A table that a step looks things up in: an object in a bucket, CSV or JSON like any input, with a declared schema.
 *
 * It is held in memory, so its size is bounded. Which version an execution reads is recorded before the first row is
 * read: whatever is repeated, after a crash or in the next part, reads the same one.
 */
import { ObjectRef } from "@millrace/core";
import { Schema } from "effect";
import type { RowSchema } from "../schema/columnPlan.ts";
import type { CellValue } from "../schema/readCell.ts";
import type { BucketName } from "../topology.ts";

/** Bytes of a reference table, as it lies in its bucket and as the text in it. */
export const referenceBytesMax = 64 * 1024 * 1024;

/** Where a table lies, and what is in it. */
export interface Reference<Rows extends RowSchema = RowSchema> {
  readonly key: string;
  /** @default raw */
  readonly bucket?: BucketName | undefined;
  /** Its columns; others are left out. */
  readonly rows: Rows;
}

/** The version of a step's table that an execution reads. */
export const PinnedReference = Schema.Struct({ step: Schema.String, object: ObjectRef });
export type PinnedReference = typeof PinnedReference.Type;

/** Values of a row, in the order of its columns. */
export type Values = ReadonlyArray<CellValue | null>;

/** What a table's rows are, in its order. */
export type ReferenceRows = ReadonlyArray<Values>;

/** A step's table cannot be used: no fault of the file, which stays where it is. Permanent: the table must be mended. */
export class ReferenceInvalid extends Schema.TaggedError<ReferenceInvalid>()("ReferenceInvalid", {
  step: Schema.String,
  reference: Schema.String,
  detail: Schema.String,
}) {
  readonly failureClass = "permanent";
  override get message(): string {
    return `The reference table ${this.reference} of the step ${this.step} cannot be used: ${this.detail}. Mend it, then redrive the execution.`;
  }
}
