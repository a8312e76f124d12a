/**
 * Closes the iterators that dynalite opens in its LevelDB.
 *
 * dynalite reads a query's range through a stream, and when the stream is done it calls its iterator's `return`, which the
 * version of abstract-level that it runs on does not have (it has `close`). So no iterator was ever closed: each query
 * left some 30 KB of memory behind, and a snapshot that kept every file alive which compaction had replaced.
 */
import { Predicate } from "effect";
import { createRequire } from "node:module";
import { fileURLToPath } from "node:url";

/** What dynalite itself requires, wherever it is installed. */
const requireOfDynalite = createRequire(fileURLToPath(import.meta.resolve("dynalite")));

/** Stores by the module and the class that dynalite makes them of. */
const stores = [
  ["level", "Level"],
  ["memory-level", "MemoryLevel"],
] as const;

const counts = { opened: 0, closed: 0 };
/** Iterators that were given a `return`, and those of them that were closed, in this process. */
export const iteratorCounts = (): { readonly opened: number; readonly closed: number } => ({
  ...counts,
});

const patched = new WeakSet<object>();

/** Gives every iterator of dynalite's stores a `return` that closes it; doing so again changes nothing. */
export const closeIterators = (): void => {
  for (const [module, name] of stores) {
    const loaded: unknown = requireOfDynalite(module);
    const store: unknown = Predicate.hasProperty(loaded, name) ? loaded[name] : undefined;
    const prototype: unknown = typeof store === "function" ? store.prototype : undefined;
    if (!Predicate.isObject(prototype) || patched.has(prototype)) continue;
    patched.add(prototype);
    for (const method of ["keys", "values"]) returnCloses(prototype, method);
  }
};

const returnCloses = (prototype: object, method: string): void => {
  const original: unknown = Reflect.get(prototype, method);
  if (typeof original !== "function") return;
  Object.defineProperty(prototype, method, {
    configurable: true,
    writable: true,
    value: function (this: unknown, ...options: ReadonlyArray<unknown>): unknown {
      const iterator: unknown = Reflect.apply(original, this, options);
      if (!Predicate.isObject(iterator) || "return" in iterator) return iterator;
      const close: unknown = Reflect.get(iterator, "close");
      if (typeof close !== "function") return iterator;
      counts.opened++;
      let isOpen = true;
      Object.defineProperty(iterator, "return", {
        value: (): unknown => {
          if (isOpen) counts.closed++;
          isOpen = false;
          return Reflect.apply(close, iterator, []);
        },
      });
      return iterator;
    },
  });
};
