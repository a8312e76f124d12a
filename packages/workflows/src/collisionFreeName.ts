/**
 * Output names from input names, such that two inputs never share an output.
 *
 * `a.csv` becomes `a.parquet`, but then what of `a.tsv`, `a.CSV`, `a` and `a.tsv.csv`? The rule, for known extensions K
 * (compared without case), an input `<stem>.<e>` and the marker `file`, which no extension in K equals:
 *   plain     e is to be replaced and the stem ends in neither K nor `file`   -> `<stem>.<output>`
 *   kept      e in K otherwise                                               -> `<stem>.<e>.<output>`
 *   unknown   e not in K, or no extension at all                             -> `<name>.file.<output>`
 * Why it is one to one: a kept name ends in K before the output's extension, an unknown one in `file`, a plain one in
 * neither; and within each case the input can be read back from the output. A property test tries to break it.
 */

const marker = "file";

/** The extension of a key's last segment, without the dot; "" when there is none or the name begins with it. */
const extensionOf = (key: string): string => {
  const name = key.slice(key.lastIndexOf("/") + 1);
  const dot = name.lastIndexOf(".");
  return dot <= 0 ? "" : name.slice(dot + 1);
};

/** What a family of outputs looks like. */
export interface NameRule {
  /** The known extensions, in lower case. */
  readonly known: ReadonlySet<string>;
  /** Whether an extension, as written, is the one that is replaced by the output's. */
  readonly replaces: (extension: string) => boolean;
  /** The extension of the output in the plain case, from that of the input. */
  readonly plainOutput: (extension: string) => string;
  /** The extension of the output otherwise. */
  readonly output: string;
}

/** The output's key for an input's key, by the rule above. */
export const collisionFreeName = (key: string, rule: NameRule): string => {
  const extension = extensionOf(key);
  const known = rule.known.has(extension.toLowerCase());
  if (!known) return `${key}.${marker}.${rule.output}`;
  const stem = key.slice(0, key.length - extension.length - 1);
  const inner = extensionOf(stem).toLowerCase();
  return rule.replaces(extension) && !rule.known.has(inner) && inner !== marker
    ? `${stem}.${rule.plainOutput(extension)}`
    : `${key}.${rule.output}`;
};

/** A key without the prefix that its trigger filters by. Keys that one trigger sees all have it, so none are confused. */
export const withoutPrefix = (key: string, prefix: string): string =>
  key.startsWith(prefix) ? key.slice(prefix.length) : key;
