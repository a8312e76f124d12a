/**
 * How renditions are written, by format.
 */
import type { Sharp } from "sharp";
import type { RenditionType } from "./ImageType.ts";

/** JPEG's and WebP's, of 100 (D4.5). */
const qualityOf: Readonly<Record<RenditionType, number>> = {
  jpeg: 85,
  png: 100,
  gif: 100,
  webp: 85,
  avif: 60,
};

export const encodeImage = (
  image: Sharp,
  type: RenditionType,
  quality = qualityOf[type],
): Sharp => {
  switch (type) {
    case "jpeg":
      // There is nothing to see through in a JPEG.
      return image.flatten({ background: "#fff" }).jpeg({ quality, optimiseCoding: true });
    case "png":
      return image.png();
    case "gif":
      return image.gif();
    case "webp":
      return image.webp({ quality });
    case "avif":
      // A higher effort costs seconds for a few percent.
      return image.avif({ quality, effort: 2 });
  }
};
