/** Whether Node's heap is bounded, and leaves at least a third of the memory to what lies outside of it. */
export const isHeapWithin = (options: string, memoryMb: number): boolean => {
  const young = Number(/--max-semi-space-size=(\d+)/.exec(options)?.[1]);
  const old = Number(/--max-old-space-size=(\d+)/.exec(options)?.[1]);
  return young <= 16 && old > 0 && old <= (memoryMb * 2) / 3;
};
