/**
 * How large a bundle is: what a start reads, and all that is deployed of the code.
 */
import { readdirSync, readFileSync, statSync } from "node:fs";
import { dirname, join } from "node:path";

/** `import ... from "./chunk.mjs"` and the like, as the bundler writes them; not what is imported dynamically. */
const imported = /(?:\bfrom|\bimport)\s*"\.\/([\w-]+\.mjs)"/g;

export interface BundleBytes {
  /** The bundle, and what it imports whatever happens. */
  readonly start: number;
  /** With what is imported only when it is needed; without packages that lie beside it. */
  readonly all: number;
}

const bytes = (files: Iterable<string>): number =>
  [...files].reduce((sum, file) => sum + statSync(file).size, 0);

export const bundleBytes = (bundle: string): BundleBytes => {
  const folder = dirname(bundle);
  const read = new Set<string>();
  const follow = (file: string): void => {
    if (read.has(file)) return;
    read.add(file);
    const text = readFileSync(file, "utf8");
    for (const [, name = ""] of text.matchAll(imported)) follow(join(folder, name));
  };
  follow(bundle);
  const all = readdirSync(folder).filter((name) => name.endsWith(".mjs"));
  return { start: bytes(read), all: bytes(all.map((name) => join(folder, name))) };
};
