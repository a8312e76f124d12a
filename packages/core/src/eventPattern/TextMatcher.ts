/**
 * Matching of one text against a literal, a case-folded literal or a wildcard, in time linear in the text.
 *
 * No regular expressions: a pattern comes from a user, and a backtracking matcher would let it stop the bus.
 */

/** One position of a case-folded literal: the spellings it may have, which may differ in length (ß and SS). */
export type FoldedCharacter = readonly [string] | readonly [lower: string, upper: string];

/**
 * Folds a text one UTF-16 unit at a time. Halves of a surrogate pair become `?`, as they do in AWS's matcher: a
 * case-insensitive pattern with an emoji does not match that emoji there, and it must not match it here.
 */
export const foldText = (text: string): ReadonlyArray<FoldedCharacter> =>
  text.split("").map((unit) => {
    if (/[\ud800-\udfff]/.test(unit)) return ["?"];
    const lower = unit.toLowerCase();
    const upper = unit.toUpperCase();
    return lower === upper ? [lower] : [lower, upper];
  });

/** The ends that a folded literal can reach in `text` when it starts at 0. */
const foldedEnds = (text: string, folded: ReadonlyArray<FoldedCharacter>): ReadonlySet<number> => {
  let positions = new Set([0]);
  for (const spellings of folded) {
    const next = new Set<number>();
    for (const position of positions) {
      for (const spelling of spellings) {
        if (text.startsWith(spelling, position)) next.add(position + spelling.length);
      }
    }
    if (next.size === 0) return next;
    positions = next;
  }
  return positions;
};

export const startsFolded = (text: string, folded: ReadonlyArray<FoldedCharacter>): boolean =>
  foldedEnds(text, folded).size > 0;

export const equalsFolded = (text: string, folded: ReadonlyArray<FoldedCharacter>): boolean =>
  foldedEnds(text, folded).has(text.length);

export const endsFolded = (text: string, folded: ReadonlyArray<FoldedCharacter>): boolean => {
  let positions = new Set([text.length]);
  for (const spellings of folded.toReversed()) {
    const next = new Set<number>();
    for (const position of positions) {
      for (const spelling of spellings) {
        if (text.endsWith(spelling, position)) next.add(position - spelling.length);
      }
    }
    if (next.size === 0) return false;
    positions = next;
  }
  return true;
};

/** A wildcard pattern as the literal pieces between its stars, each with its Knuth-Morris-Pratt table. */
export interface Wildcard {
  readonly pieces: ReadonlyArray<{ readonly text: string; readonly borders: Uint32Array }>;
}

/** Reads `*`, `\*` and `\\`; a reason when two stars meet or a backslash escapes something else. */
export const readWildcard = (pattern: string): Wildcard | { readonly reason: string } => {
  const pieces = [""];
  for (let at = 0; at < pattern.length; at += 1) {
    const character = pattern.charAt(at);
    const following = pattern.charAt(at + 1);
    if (character === "*") {
      if (following === "*") return { reason: "two wildcard characters in a row" };
      pieces.push("");
    } else if (character === "\\") {
      if (following !== "*" && following !== "\\") {
        return { reason: "a backslash may only escape '*' or '\\'" };
      }
      pieces[pieces.length - 1] += following;
      at += 1;
    } else {
      pieces[pieces.length - 1] += character;
    }
  }
  return { pieces: pieces.map((text) => ({ text, borders: bordersOf(text) })) };
};

const bordersOf = (text: string): Uint32Array => {
  const borders = new Uint32Array(text.length);
  let length = 0;
  for (let at = 1; at < text.length; at += 1) {
    while (length > 0 && text[at] !== text[length]) length = borders[length - 1] ?? 0;
    if (text[at] === text[length]) length += 1;
    borders[at] = length;
  }
  return borders;
};

/** The end of the first occurrence of a piece in `text` between `from` and `to`, or -1. */
const findPiece = (
  text: string,
  piece: { readonly text: string; readonly borders: Uint32Array },
  from: number,
  to: number,
): number => {
  let length = 0;
  for (let at = from; at < to; at += 1) {
    while (length > 0 && text[at] !== piece.text[length]) length = piece.borders[length - 1] ?? 0;
    if (text[at] === piece.text[length]) length += 1;
    if (length === piece.text.length) return at + 1;
  }
  return -1;
};

export const matchesWildcard = (text: string, { pieces }: Wildcard): boolean => {
  const first = pieces[0]?.text ?? "";
  const last = pieces.at(-1)?.text ?? "";
  if (pieces.length === 1) return text === first;
  if (!text.startsWith(first) || !text.endsWith(last)) return false;
  const end = text.length - last.length;
  let at = first.length;
  if (at > end) return false;
  for (const piece of pieces.slice(1, -1)) {
    at = findPiece(text, piece, at, end);
    if (at < 0) return false;
  }
  return true;
};
