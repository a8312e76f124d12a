/**
 * How many elements an SVG comes to when its references are followed: a few hundred bytes of `use` within `use` can come
 * to billions, and a renderer that counts them itself has worked for a quarter of a minute by then (measured).
 *
 * An estimate in one pass over the text: what is no element of XML is skipped, because a parser will refuse it anyway.
 */

/** An element that others may refer to, or the document: what is directly in it, and whom that refers to. */
interface Node {
  elements: number;
  readonly targets: Array<string>;
}

/** Deeper than any drawing is nested, or refers; what goes beyond counts as endless. */
const depthMax = 500;

const idIn = (tag: string): string | undefined => /\sid\s*=\s*["']([^"']*)["']/i.exec(tag)?.[1];

/** `href="#a"`, `xlink:href="#a"`, `fill="url(#a)"` and the like. */
const targetsIn = (tag: string): ReadonlyArray<string> =>
  [...tag.matchAll(/(?:href\s*=\s*["']\s*#|url\(\s*["']?\s*#)([^"')\s]*)/gi)].map(
    ([, target = ""]) => target,
  );

/** Where the tag that begins there ends; quotes may hold `>`. */
const endOfTag = (text: string, from: number): number => {
  let quote = "";
  for (let at = from; at < text.length; at++) {
    const character = text.charAt(at);
    if (quote !== "") {
      if (character === quote) quote = "";
    } else if (character === '"' || character === "'") {
      quote = character;
    } else if (character === ">") {
      return at;
    }
  }
  return text.length;
};

const readNodes = (text: string): ReadonlyMap<string, Node> => {
  const nodes = new Map<string, Node>([["", { elements: 0, targets: [] }]]);
  const open: Array<string> = [""];
  let at = text.indexOf("<");
  while (at >= 0) {
    if (text.startsWith("<!--", at)) {
      const end = text.indexOf("-->", at);
      if (end < 0) break;
      at = text.indexOf("<", end);
      continue;
    }
    const end = endOfTag(text, at);
    const tag = text.slice(at, end);
    if (tag.startsWith("</")) {
      if (open.length > 1) open.pop();
    } else if (!tag.startsWith("<?") && !tag.startsWith("<!")) {
      const parent = open.at(-1) ?? "";
      const id = idIn(tag) ?? parent;
      const node = nodes.get(id) ?? { elements: 0, targets: [] };
      nodes.set(id, node);
      node.elements += 1;
      node.targets.push(...targetsIn(tag));
      // What is drawn where it stands is a part of what it stands in.
      if (id !== parent) nodes.get(parent)?.targets.push(id);
      if (!tag.endsWith("/")) open.push(id);
    }
    at = text.indexOf("<", end);
  }
  return nodes;
};

/** The number of elements with all references followed; infinite for one that comes back to itself or goes too deep. */
export const svgUnfolded = (text: string): number => {
  const nodes = readNodes(text);
  const known = new Map<string, number>();
  const count = (id: string, depth: number): number => {
    const before = known.get(id);
    if (before !== undefined) return before;
    if (depth > depthMax) return Number.POSITIVE_INFINITY;
    const node = nodes.get(id);
    if (!node) return 0;
    // Until it is known: whoever asks for it now is within it.
    known.set(id, Number.POSITIVE_INFINITY);
    const all = node.targets.reduce((sum, target) => sum + count(target, depth + 1), node.elements);
    known.set(id, all);
    return all;
  };
  return count("", 0);
};
