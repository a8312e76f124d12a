/**
 * WebCrypto without threads: Effect derives execution ids through `subtle.digest`, which works in a thread pool and
 * answers when it likes. Here the digest is computed at once and answered in a microtask.
 */
import { createHash } from "node:crypto";

/** The platform's crypto with a digest that answers in a microtask; `begun` hears of each. */
export const makeMicrotaskCrypto = (begun: () => void): typeof globalThis.crypto => {
  const subtle = new Proxy(globalThis.crypto.subtle, {
    get: (target, property) =>
      property === "digest"
        ? (algorithm: string, data: Uint8Array) => {
            begun();
            const bytes = createHash(algorithm.replace("-", "")).update(data).digest();
            return Promise.resolve(new Uint8Array(bytes).buffer);
          }
        : Reflect.get(target, property, target),
  });
  return new Proxy(globalThis.crypto, {
    get: (target, property) =>
      property === "subtle" ? subtle : Reflect.get(target, property, target),
  });
};
