/**
 * Bounds of Node's heap: left alone, V8 lets garbage grow with the machine's memory, not with the function's.
 *
 * A young generation of 16 MB a half, and half of the memory for the old one: the rest is for buffers, DuckDB, sharp and the
 * process itself.
 */
export const heapOptions = (memoryMb: number): string =>
  `--max-semi-space-size=16 --max-old-space-size=${Math.floor(memoryMb / 2)}`;
