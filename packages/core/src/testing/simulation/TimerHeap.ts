/**
 * A binary heap of timers, ordered by instant and then by the order in which they were set.
 */
export interface Timer {
  readonly atMs: number;
  readonly order: number;
  /** Gone when it was called off. */
  task: (() => void) | undefined;
}

const isBefore = (a: Timer, b: Timer): boolean =>
  a.atMs < b.atMs || (a.atMs === b.atMs && a.order < b.order);

export class TimerHeap {
  readonly #heap: Array<Timer> = [];
  #order = 0;

  /** Adds a timer; answers with a way to call it off. */
  add(atMs: number, task: () => void): () => void {
    const timer: Timer = { atMs, order: this.#order++, task };
    this.#rise(timer);
    return () => {
      timer.task = undefined;
    };
  }

  /** The earliest timer that was not called off. */
  peek(): Timer | undefined {
    while (this.#heap[0] && !this.#heap[0].task) this.take();
    return this.#heap[0];
  }

  /** Takes the earliest timer out. */
  take(): Timer | undefined {
    const first = this.#heap[0];
    const last = this.#heap.pop();
    if (last && this.#heap.length > 0) this.#sink(last);
    return first;
  }

  #rise(timer: Timer): void {
    const heap = this.#heap;
    let index = heap.length;
    while (index > 0) {
      const above = (index - 1) >> 1;
      const parent = heap[above];
      if (!parent || !isBefore(timer, parent)) break;
      heap[index] = parent;
      index = above;
    }
    heap[index] = timer;
  }

  #sink(timer: Timer): void {
    const heap = this.#heap;
    let index = 0;
    while (true) {
      let below = 2 * index + 1;
      const left = heap[below];
      const right = heap[below + 1];
      if (left && right && isBefore(right, left)) below++;
      const child = heap[below];
      if (!child || !isBefore(child, timer)) break;
      heap[index] = child;
      index = below;
    }
    heap[index] = timer;
  }
}
