/** JSON parse source text access: in V8 since 11.4, in Node since 21. Source: TC39, ECMA-262 (stage 4). */
interface JSON {
  parse(
    text: string,
    reviver: (key: string, value: unknown, context: { readonly source?: string }) => unknown,
  ): unknown;
  rawJSON(text: string): object;
  isRawJSON(value: unknown): boolean;
}
