/**
 * The key of a rendition (D4.5): `resized/<WxH>/<name>.<ext>`, the name with its folders, so that no two inputs share one.
 *
 * A name whose extension fits the rendition's format is kept as it is: `a/b.jpg` and `a/b.JPEG` stay apart. Others get the
 * format's extension behind their own: `logo.svg` gives `logo.svg.png`, beside what `logo.png` gives (see
 * collisionFreeName). At most 9 bytes longer than the input's key besides the folder.
 */
import { collisionFreeName, withoutPrefix } from "../collisionFreeName.ts";
import type { RenditionType } from "./ImageType.ts";

const extensions: Record<RenditionType, ReadonlyArray<string>> = {
  jpeg: ["jpg", "jpeg"],
  png: ["png"],
  gif: ["gif"],
  webp: ["webp"],
  avif: ["avif"],
};

const known = new Set([...Object.values(extensions).flat(), "svg"]);

/** What the key is made of. */
export interface RenditionKeyInput {
  /** The input object's key, decoded. */
  readonly key: string;
  /** The box's name, e.g. `800x600`. */
  readonly box: string;
  readonly type: RenditionType;
  /** The trigger's prefix, cut off. @default none */
  readonly prefix?: string | undefined;
}

/** The output key. */
export const renditionKey = ({ key, box, type, prefix = "" }: RenditionKeyInput): string => {
  const name = collisionFreeName(withoutPrefix(key, prefix), {
    known,
    replaces: (extension) => extensions[type].includes(extension.toLowerCase()),
    plainOutput: (extension) => extension,
    output: type === "jpeg" ? "jpg" : type,
  });
  return `resized/${box}/${name}`;
};
