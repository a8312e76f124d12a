/**
 * Which renditions an image gets: the table to edit. A line more is one more object for each image; a line less leaves
 * the objects of older images where they are.
 */
import { Effect, Schema } from "effect";
import type { RenditionType } from "./ImageType.ts";

/** One rendition: it fits into the box, keeps the aspect ratio and is never enlarged. */
export interface RenditionBox {
  /** In pixels. */
  readonly width: number;
  readonly height: number;
  /** @default that of the image; PNG for SVG */
  readonly type?: RenditionType;
  /** From 1 to 100, for formats that lose something. @default 85; 60 for AVIF */
  readonly quality?: number;
}

/** What every image gets (D4.5). */
export const renditionBoxes: ReadonlyArray<RenditionBox> = [
  { width: 800, height: 600 },
  { width: 400, height: 300 },
  { width: 150, height: 150 },
];

/** A box's name in keys and records, e.g. `800x600`. */
export const boxName = ({ height, width }: RenditionBox): string => `${width}x${height}`;

/** The table cannot be used; said before any image comes. */
export class RenditionTableInvalid extends Schema.TaggedError<RenditionTableInvalid>()(
  "RenditionTableInvalid",
  { reason: Schema.String },
) {
  readonly failureClass = "permanent";
  override get message(): string {
    return `the table of renditions cannot be used: ${this.reason}`;
  }
}

/** Largest side of a rendition, in pixels: what JPEG and WebP can hold. */
const sideMax = 16_383;

const isWithin = (value: number, max: number): boolean =>
  Number.isInteger(value) && value >= 1 && value <= max;

/** Refuses a table of which two lines would write one object, or one line none. */
export const checkRenditions = Effect.fnUntraced(function* (boxes: ReadonlyArray<RenditionBox>) {
  if (boxes.length === 0) return yield* new RenditionTableInvalid({ reason: "it is empty" });
  const known = new Set<string>();
  for (const box of boxes) {
    const name = `${boxName(box)} as ${box.type ?? "the image is"}`;
    const reason = !(isWithin(box.width, sideMax) && isWithin(box.height, sideMax))
      ? `sides have 1 to ${sideMax} pixels`
      : !isWithin(box.quality ?? 1, 100)
        ? "quality is 1 to 100"
        : known.has(name)
          ? "it is in the table twice, and would be one object"
          : undefined;
    if (reason !== undefined) {
      return yield* new RenditionTableInvalid({ reason: `${name}: ${reason}` });
    }
    known.add(name);
  }
});
