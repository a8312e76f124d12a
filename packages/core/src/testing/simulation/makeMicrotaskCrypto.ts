/**
 * WebCrypto without threads: Effect derives execution ids through `subtle.digest`, which works in a thread pool and
 * answers when it likes. Here the digest is computed at once and answered in a microtask.
 */
import { createHash } from "node:crypto";
import type { World } from "./World.ts";

/** The platform's crypto with a digest that answers within the world's present instant. */
export const makeMicrotaskCrypto = (world: World): typeof globalThis.crypto => {
  const subtle = new Proxy(globalThis.crypto.subtle, {
    get: (target, property) =>
      property === "digest"
        ? (algorithm: string, data: Uint8Array) => {
            world.awaitsMicrotasks = true;
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
