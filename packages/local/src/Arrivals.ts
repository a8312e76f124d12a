/**
 * Wakes fibers that wait under a name (a queue, the outbox) the moment that something may be there for them.
 */
import { Effect } from "effect";

export class Arrivals {
  readonly #waiting = new Map<string, Set<() => void>>();
  readonly #versions = new Map<string, number>();

  /** A mark to be taken before looking into the queue; what arrives after it ends the wait. */
  version(queue: string): number {
    return this.#versions.get(queue) ?? 0;
  }

  notify(queue: string): void {
    this.#versions.set(queue, this.version(queue) + 1);
    const waiting = this.#waiting.get(queue);
    this.#waiting.delete(queue);
    for (const wake of waiting ?? []) wake();
  }

  /** Returns when `notify` was called after `version` was read. */
  wait(queue: string, version: number): Effect.Effect<void> {
    return Effect.callback<void>((resume) => {
      const wake = () => resume(Effect.void);
      if (this.version(queue) !== version) return wake();
      const waiting = this.#waiting.get(queue) ?? new Set();
      waiting.add(wake);
      this.#waiting.set(queue, waiting);
      return Effect.sync(() => waiting.delete(wake));
    });
  }
}
