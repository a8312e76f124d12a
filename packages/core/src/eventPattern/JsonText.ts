/**
 * A JSON reader that keeps what `JSON.parse` loses and event patterns need: the spelling of numbers, repeated keys,
 * and the order of keys (`JSON.parse` moves integer-like ones to the front).
 *
 * It accepts exactly RFC 8259 and refuses nesting beyond `nestingMax`, so that hostile text cannot exhaust the stack.
 */

/** Levels of nesting that are read; AWS refuses deeper events and patterns too (PutEvents quota). */
const nestingMax = 1_000;

export type JsonNode =
  | { readonly kind: "object"; readonly entries: ReadonlyArray<readonly [string, JsonNode]> }
  | { readonly kind: "array"; readonly items: ReadonlyArray<JsonNode> }
  | { readonly kind: "string"; readonly value: string }
  | { readonly kind: "number"; readonly text: string }
  | { readonly kind: "literal"; readonly text: "true" | "false" | "null" };

/** Where and why a text is not JSON. */
export interface JsonFault {
  readonly kind: "fault";
  readonly at: number;
  readonly reason: string;
}

/** Reads a whole text; a fault is a value, because most callers only ask "is it JSON?". */
export const readJson = (text: string): JsonNode | JsonFault => {
  const reader = new Reader(text);
  const node = reader.value(0);
  if (node === undefined) return reader.fault("unexpected character or end of text");
  if (reader.failure !== undefined) return reader.failure;
  reader.skipSpace();
  return reader.atEnd() ? node : reader.fault("text goes on after the JSON value");
};

const escapeToken = /\\(?:["\\/bfnrt]|u[0-9a-fA-F]{4})/y;
const numberToken = /-?(?:0|[1-9][0-9]*)(?:\.[0-9]+)?(?:[eE][+-]?[0-9]+)?/y;
const quote = 0x22;
const backslash = 0x5c;
/** JSON refuses unescaped characters below the space. */
const firstPrintable = 0x20;
const literalToken = /true|false|null/y;
const space = /[ \t\n\r]*/y;

class Reader {
  readonly #text: string;
  #at = 0;
  failure: JsonFault | undefined;

  constructor(text: string) {
    this.#text = text;
  }

  atEnd(): boolean {
    return this.#at >= this.#text.length;
  }

  fault(reason: string): JsonFault {
    this.failure ??= { kind: "fault", at: this.#at, reason };
    return this.failure;
  }

  skipSpace(): void {
    this.#token(space);
  }

  value(depth: number): JsonNode | undefined {
    if (depth > nestingMax) {
      this.fault(`nested deeper than ${nestingMax} levels`);
      return undefined;
    }
    this.skipSpace();
    const first = this.#text[this.#at];
    if (first === "{") return this.#object(depth);
    if (first === "[") return this.#array(depth);
    if (first === '"') {
      const value = this.#string();
      return value === undefined ? undefined : { kind: "string", value };
    }
    const literal = this.#token(literalToken);
    if (literal === "true" || literal === "false" || literal === "null") {
      return { kind: "literal", text: literal };
    }
    const number = this.#token(numberToken);
    return number === undefined ? undefined : { kind: "number", text: number };
  }

  #token(pattern: RegExp): string | undefined {
    pattern.lastIndex = this.#at;
    const found = pattern.exec(this.#text)?.[0];
    if (found !== undefined) this.#at += found.length;
    return found;
  }

  /** Scans by hand: a regular expression over a megabyte of text would need a stack as deep. */
  #string(): string | undefined {
    const start = this.#at;
    let escaped = false;
    for (let at = start + 1; at < this.#text.length; at += 1) {
      const code = this.#text.charCodeAt(at);
      if (code === quote) {
        this.#at = at + 1;
        const token = this.#text.slice(start, this.#at);
        return escaped ? String(JSON.parse(token)) : token.slice(1, -1);
      }
      if (code < firstPrintable) break;
      if (code === backslash) {
        escapeToken.lastIndex = at;
        const escape = escapeToken.exec(this.#text)?.[0];
        if (escape === undefined) break;
        escaped = true;
        at += escape.length - 1;
      }
    }
    this.fault("a string is not closed, or holds a control character or a bad escape");
    return undefined;
  }

  #takes(character: string): boolean {
    this.skipSpace();
    if (this.#text[this.#at] !== character) return false;
    this.#at += 1;
    return true;
  }

  #object(depth: number): JsonNode | undefined {
    const entries: Array<readonly [string, JsonNode]> = [];
    this.#at += 1;
    if (this.#takes("}")) return { kind: "object", entries };
    do {
      this.skipSpace();
      if (this.#text[this.#at] !== '"') return undefined;
      const key = this.#string();
      if (key === undefined || !this.#takes(":")) return undefined;
      const node = this.value(depth + 1);
      if (node === undefined) return undefined;
      entries.push([key, node]);
    } while (this.#takes(","));
    return this.#takes("}") ? { kind: "object", entries } : undefined;
  }

  #array(depth: number): JsonNode | undefined {
    const items: Array<JsonNode> = [];
    this.#at += 1;
    if (this.#takes("]")) return { kind: "array", items };
    do {
      const node = this.value(depth + 1);
      if (node === undefined) return undefined;
      items.push(node);
    } while (this.#takes(","));
    return this.#takes("]") ? { kind: "array", items } : undefined;
  }
}
