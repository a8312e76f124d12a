/**
 * Why an image cannot be rendered: all permanent, so none is worth a retry.
 *
 * Each says what happened, to which object (`source`), and what to do next.
 */
import { Schema } from "effect";

/** No bytes. */
export class ImageEmpty extends Schema.TaggedError<ImageEmpty>()("ImageEmpty", {
  source: Schema.String,
}) {
  readonly failureClass = "permanent";
  override get message(): string {
    return `${this.source} is empty (0 bytes). Upload it again.`;
  }
}

/** Not one of the kinds that are taken, whatever its name says. */
export class ImageTypeUnsupported extends Schema.TaggedError<ImageTypeUnsupported>()(
  "ImageTypeUnsupported",
  { source: Schema.String, firstBytes: Schema.String },
) {
  readonly failureClass = "permanent";
  override get message(): string {
    return `${this.source} is no JPEG, PNG, GIF, WebP, AVIF or SVG image (it begins with ${this.firstBytes}). Convert it to one of them.`;
  }
}

/** More pixels than may be decoded. */
export class ImageTooLarge extends Schema.TaggedError<ImageTooLarge>()("ImageTooLarge", {
  source: Schema.String,
  pixelsMax: Schema.Int,
}) {
  readonly failureClass = "permanent";
  override get message(): string {
    return `${this.source} has more than ${this.pixelsMax / 1e6} megapixels. Scale it down before uploading it.`;
  }
}

/** A larger file than may be held in memory. */
export class ImageFileTooLarge extends Schema.TaggedError<ImageFileTooLarge>()(
  "ImageFileTooLarge",
  { source: Schema.String, bytes: Schema.Int, bytesMax: Schema.Int },
) {
  readonly failureClass = "permanent";
  override get message(): string {
    return `${this.source} has ${this.bytes} bytes, ${this.bytesMax} are allowed. Save it with less quality, or scale it down.`;
  }
}

/** Its rendering took longer than that of any honest image. */
export class ImageTooSlow extends Schema.TaggedError<ImageTooSlow>()("ImageTooSlow", {
  source: Schema.String,
  secondsMax: Schema.Int,
}) {
  readonly failureClass = "permanent";
  override get message(): string {
    return `${this.source} was given up after ${this.secondsMax} s of rendering: it is made to be slow, or far too complicated. Save it as a plain image.`;
  }
}

/** Cut off or corrupt. */
export class ImageBroken extends Schema.TaggedError<ImageBroken>()("ImageBroken", {
  source: Schema.String,
  detail: Schema.String,
}) {
  readonly failureClass = "permanent";
  override get message(): string {
    return `${this.source} is truncated or corrupt: ${this.detail}. Upload it again from the original.`;
  }
}

/** An SVG that does more than draw: entities, references to other files, embedded images. */
export class SvgUnsafe extends Schema.TaggedError<SvgUnsafe>()("SvgUnsafe", {
  source: Schema.String,
  detail: Schema.String,
}) {
  readonly failureClass = "permanent";
  override get message(): string {
    return `${this.source} is an SVG that is not rendered: ${this.detail}. Export it as plain shapes and paths, or upload a PNG.`;
  }
}

/** Any reason for which an image cannot be rendered. */
export const ImageFailure = Schema.Union([
  ImageEmpty,
  ImageTypeUnsupported,
  ImageTooLarge,
  ImageFileTooLarge,
  ImageTooSlow,
  ImageBroken,
  SvgUnsafe,
]);
export type ImageFailure = typeof ImageFailure.Type;
