/**
 * One alternative in the list of a pattern's field, and whether a leaf of an event satisfies it.
 *
 * A leaf is compared in its JSON spelling: a string keeps its quotes, so that `"42"` and `42` differ and no text
 * matcher ever holds for a number.
 */
import { comparableNumber } from "./ComparableNumber.ts";
import { addressDigits, inBlock, type AddressBlock } from "./IpAddress.ts";
import {
  endsFolded,
  equalsFolded,
  matchesWildcard,
  startsFolded,
  type FoldedCharacter,
  type Wildcard,
} from "./TextMatcher.ts";

/** A test of a leaf's text; the patterns carry the quote of the side that they bind. */
export type TextTest =
  | { readonly kind: "equals"; readonly text: string }
  | { readonly kind: "prefix"; readonly text: string }
  | { readonly kind: "suffix"; readonly text: string }
  | { readonly kind: "equalsFolded"; readonly folded: ReadonlyArray<FoldedCharacter> }
  | { readonly kind: "prefixFolded"; readonly folded: ReadonlyArray<FoldedCharacter> }
  | { readonly kind: "suffixFolded"; readonly folded: ReadonlyArray<FoldedCharacter> }
  | { readonly kind: "wildcard"; readonly wildcard: Wildcard };

export type ValueMatcher =
  | { readonly kind: "text"; readonly test: TextTest }
  | { readonly kind: "anythingButText"; readonly tests: ReadonlyArray<TextTest> }
  | { readonly kind: "anythingButNumber"; readonly values: ReadonlyArray<number> }
  | { readonly kind: "number"; readonly text: string; readonly value: number | undefined }
  | {
      readonly kind: "range";
      readonly bottom: number;
      readonly bottomOpen: boolean;
      readonly top: number;
      readonly topOpen: boolean;
    }
  | { readonly kind: "address"; readonly digits: string }
  | { readonly kind: "block"; readonly block: AddressBlock }
  | { readonly kind: "exists" }
  | { readonly kind: "absent" };

/** A leaf of an event, read once for all matchers. */
export interface Leaf {
  /** Its JSON spelling: strings with their quotes. */
  readonly text: string;
  readonly isString: boolean;
  readonly number: number | undefined;
  readonly address: string | undefined;
}

const loneSurrogates = /\p{Surrogate}/gu;

/** A string as the matcher sees it. AWS compares UTF-8 bytes, where half a surrogate pair is `?`. */
export const matchedText = (value: string): string => value.replace(loneSurrogates, "?");

export const stringLeaf = (value: string): Leaf => ({
  text: `"${matchedText(value)}"`,
  isString: true,
  number: undefined,
  address: addressDigits(value),
});

export const numberLeaf = (text: string): Leaf => ({
  text,
  isString: false,
  number: comparableNumber(text),
  address: undefined,
});

export const literalLeaf = (text: string): Leaf => ({
  text,
  isString: false,
  number: undefined,
  address: undefined,
});

/** Whether one of the alternatives holds for a leaf. `absent` never does: it is about missing fields. */
export const matchesLeaf = (matchers: ReadonlyArray<ValueMatcher>, leaf: Leaf): boolean => {
  const comparesNumbers = leaf.number !== undefined && matchers.some(isNumeric);
  return matchers.some((matcher) => holds(matcher, leaf, comparesNumbers));
};

const isNumeric = (matcher: ValueMatcher): boolean =>
  matcher.kind === "range" ||
  matcher.kind === "anythingButNumber" ||
  (matcher.kind === "number" && matcher.value !== undefined);

const holds = (matcher: ValueMatcher, leaf: Leaf, comparesNumbers: boolean): boolean => {
  switch (matcher.kind) {
    case "text":
      return passes(matcher.test, leaf.text);
    case "anythingButText":
      return !matcher.tests.some((test) => passes(test, leaf.text));
    case "anythingButNumber":
      return leaf.number === undefined || !matcher.values.includes(leaf.number);
    case "number":
      return (
        leaf.text === matcher.text || (leaf.number !== undefined && leaf.number === matcher.value)
      );
    case "range":
      return leaf.number !== undefined && inRange(leaf.number, matcher);
    case "address":
      return (digitsOf(leaf, comparesNumbers) ?? "").startsWith(matcher.digits);
    case "block": {
      const digits = digitsOf(leaf, comparesNumbers);
      return digits !== undefined && inBlock(digits, matcher.block);
    }
    case "exists":
      return true;
    case "absent":
      return false;
  }
};

/**
 * What an address matcher compares. A number stands for its own digits unless the field also has numeric matchers:
 * not in the user guide, but what AWS's matcher does.
 */
const digitsOf = (leaf: Leaf, comparesNumbers: boolean): string | undefined => {
  if (leaf.isString) return leaf.address;
  return comparesNumbers ? undefined : leaf.text;
};

const inRange = (
  value: number,
  range: {
    readonly bottom: number;
    readonly bottomOpen: boolean;
    readonly top: number;
    readonly topOpen: boolean;
  },
): boolean =>
  (range.bottomOpen ? value > range.bottom : value >= range.bottom) &&
  (range.topOpen ? value < range.top : value <= range.top);

const passes = (test: TextTest, text: string): boolean => {
  switch (test.kind) {
    case "equals":
      return text === test.text;
    case "prefix":
      return text.startsWith(test.text);
    case "suffix":
      return text.endsWith(test.text);
    case "equalsFolded":
      return equalsFolded(text, test.folded);
    case "prefixFolded":
      return startsFolded(text, test.folded);
    case "suffixFolded":
      return endsFolded(text, test.folded);
    case "wildcard":
      return matchesWildcard(text, test.wildcard);
  }
};
