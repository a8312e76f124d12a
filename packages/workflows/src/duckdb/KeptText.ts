/**
 * The text that goes to DuckDB: the records kept, each with a plain line end. Records that stand beside each other are one run,
 * and a window of which all is kept is not copied at all.
 */
const lineFeed = 10;
const roomBytes = 1024 * 1024;
const newLine = Uint8Array.of(lineFeed);
const nothing = new Uint8Array(0);

/** Collects the text of one file, window by window. */
export class KeptText {
  /** One buffer for the whole file: each window's own would keep the garbage collector busy. */
  #room: Uint8Array = new Uint8Array(roomBytes);
  #length = 0;
  #window: Uint8Array = nothing;
  /** The records kept of the window that have not been copied. */
  #runFrom = -1;
  #runTo = -1;

  /** Keeps a record of the window; `textEnd` is where its line end begins. */
  keep(window: Uint8Array, from: number, textEnd: number, end: number): void {
    if (from !== this.#runTo || window !== this.#window) this.#endRun();
    this.#window = window;
    if (this.#runFrom === -1) this.#runFrom = from;
    this.#runTo = end;
    if (end === textEnd + 1 && window[textEnd] === lineFeed) return;
    this.#runTo = textEnd;
    this.#endRun();
    this.#append(newLine);
  }

  /** The text collected so far; it is to be used before the next is kept. */
  take(): Uint8Array {
    const tail = this.#runFrom === -1 ? nothing : this.#window.subarray(this.#runFrom, this.#runTo);
    this.#runFrom = -1;
    this.#runTo = -1;
    if (this.#length === 0) return tail;
    this.#append(tail);
    const taken = this.#room.subarray(0, this.#length);
    this.#length = 0;
    return taken;
  }

  #endRun(): void {
    if (this.#runFrom !== -1) this.#append(this.#window.subarray(this.#runFrom, this.#runTo));
    this.#runFrom = -1;
    this.#runTo = -1;
  }

  #append(bytes: Uint8Array): void {
    const needed = this.#length + bytes.length;
    if (needed > this.#room.length) {
      const grown = new Uint8Array(needed * 2);
      grown.set(this.#room.subarray(0, this.#length));
      this.#room = grown;
    }
    this.#room.set(bytes, this.#length);
    this.#length = needed;
  }
}
