/**
 * A world of one thread: what is ready runs in random order, and time stands still until nothing is ready.
 *
 * Everything that happens is drawn from one seed: which ready task is next, how long a request takes, which fault
 * strikes. The trace hash takes in every event that the world marks, so that two runs can be compared as wholes.
 *
 * Units:  milliseconds of virtual time since the world began
 */
import { makeMicrotaskCrypto } from "./makeMicrotaskCrypto.ts";
import { Prng } from "./Prng.ts";
import { TimerHeap } from "./TimerHeap.ts";

/** Whose task it is: a process may be dead (the task is dropped) or frozen (the task waits for its thaw). */
export interface TaskOwner {
  readonly run: (task: () => void) => void;
}

/** Why a world stopped. */
export type WorldStop = "idle" | "until" | "stepsMax";

/** Epoch of every simulated world: a fixed instant, so that dates in keys and files are the same in every run. */
export const worldEpochMs = Date.UTC(2026, 0, 1);

/** A run that takes more steps than this has livelocked. */
const stepsMax = 300_000;

export class World {
  readonly prng: Prng;
  nowMs = 0;
  steps = 0;
  /** Set by whoever has begun a real promise: the loop gives the microtasks a turn before time moves. */
  awaitsMicrotasks = false;
  readonly crypto = makeMicrotaskCrypto(() => {
    this.awaitsMicrotasks = true;
  });
  /** The last marks, for the history of a violation. */
  readonly recent: Array<string> = [];
  recentMax = 0;
  readonly #ready: Array<{ readonly owner: TaskOwner; readonly task: () => void }> = [];
  readonly #timers = new TimerHeap();
  #hash = 2_166_136_261;

  constructor(seed: number) {
    this.prng = new Prng(seed);
  }

  /** FNV-1a over all marks. */
  get traceHash(): string {
    return (this.#hash >>> 0).toString(16).padStart(8, "0");
  }

  /** Notes that something happened. */
  mark(text: string): void {
    let hash = this.#hash;
    for (let index = 0; index < text.length; index++) {
      hash = Math.imul(hash ^ text.charCodeAt(index), 16_777_619);
    }
    this.#hash = Math.imul(hash ^ Math.round(this.nowMs * 1_000), 16_777_619);
    if (this.recentMax === 0) return;
    this.recent.push(`${(this.nowMs / 1_000).toFixed(3).padStart(10)} s  ${text}`);
    if (this.recent.length > this.recentMax) this.recent.shift();
  }

  ready(owner: TaskOwner, task: () => void): void {
    this.#ready.push({ owner, task });
  }

  /** Runs the task at an instant; answers with a way to call it off. */
  at(atMs: number, task: () => void): () => void {
    return this.#timers.add(Math.max(atMs, this.nowMs), task);
  }

  after(delayMs: number, task: () => void): () => void {
    return this.at(this.nowMs + delayMs, task);
  }

  /** Runs until nothing is left to happen, or until the instant. */
  async run(untilMs: number): Promise<WorldStop> {
    for (; this.steps < stepsMax; this.steps++) {
      if (this.#ready.length > 0) {
        this.#runOneReady();
      } else if (this.awaitsMicrotasks) {
        this.awaitsMicrotasks = false;
        await new Promise((resolve) => setImmediate(resolve));
      } else {
        const timer = this.#timers.peek();
        if (!timer) return "idle";
        if (timer.atMs > untilMs) {
          this.nowMs = untilMs;
          return "until";
        }
        this.#timers.take();
        this.nowMs = timer.atMs;
        timer.task?.();
      }
    }
    return "stepsMax";
  }

  #runOneReady(): void {
    const index = this.prng.below(this.#ready.length);
    const chosen = this.#ready[index];
    const last = this.#ready.pop();
    if (!chosen || !last) return;
    if (index < this.#ready.length) this.#ready[index] = last;
    chosen.owner.run(chosen.task);
  }
}
