/**
 * What in an SVG could reach outside of it or blow up, found before any renderer sees it.
 *
 * The renderer gets a buffer, so it has no folder to load from, and its loader limits references and pixels; this check
 * stands in front of both. It allows rather than forbids: a reference must begin with `#`, whatever it hides behind.
 */
import { svgUnfolded } from "./svgUnfolded.ts";

/** Larger SVGs are refused: a drawing of a megabyte is an embedded photograph or an attack. */
const svgBytesMax = 1024 * 1024;

/** More elements than a drawing has, when all references are followed. */
const elementsMax = 50_000;

const hazards: ReadonlyArray<readonly [RegExp, string]> = [
  [/<!ENTITY/i, "it declares entities"],
  [/<!DOCTYPE[^>]*\[/i, "it has a document type with declarations"],
  [/<\?xml-stylesheet/i, "it asks for a style sheet"],
  [/@import/i, "it imports a style sheet"],
  [/<(?:\w+:)?(?:script|foreignObject|iframe|object|embed)\b/i, "it holds foreign content"],
  [
    /(?:href|src)\s*=\s*(?:"(?!\s*#)|'(?!\s*#)|[^\s"'])/i,
    "it refers to something outside itself or embeds an image",
  ],
  [/url\(\s*(?!["']?\s*#)/i, "it refers to something outside itself"],
];

/** Why an SVG must not be rendered; undefined when nothing speaks against it. */
export const svgHazard = (bytes: Uint8Array): string | undefined => {
  if (bytes.length > svgBytesMax) return `it has ${bytes.length} bytes, ${svgBytesMax} are allowed`;
  const text = Buffer.from(bytes).toString("utf8");
  // An XML declaration of another encoding would make the renderer read other text than this check does.
  const declared = /<\?xml[^>]*encoding\s*=\s*["']([^"']+)["']/i.exec(text)?.[1] ?? "utf-8";
  if (!/^(?:utf-8|us-ascii)$/i.test(declared))
    return "it is declared in another encoding than UTF-8";
  const hazard = hazards.find(([pattern]) => pattern.test(text))?.[1];
  if (hazard !== undefined) return hazard;
  return svgUnfolded(text) > elementsMax
    ? `its references come to more than ${elementsMax} elements`
    : undefined;
};
