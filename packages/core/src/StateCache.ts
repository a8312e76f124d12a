/**
 * States of executions that this process ran and may be asked for again: the next run loads only what came since.
 *
 * A journal is only ever appended to, so a state once folded stays true of its history's beginning: a cached one is
 * never wrong, only behind. Who takes one gets a copy, because folding changes a state in place.
 */
import { type ExecutionState, initialState } from "./ExecutionState.ts";
import { cachedStatesBytesMax } from "./Limits.ts";

export class StateCache {
  /** The least recently used first. */
  private readonly entries = new Map<string, { readonly state: ExecutionState; bytes: number }>();
  private readonly bytesMax: number;
  private bytes = 0;

  constructor(bytesMax = cachedStatesBytesMax) {
    this.bytesMax = bytesMax;
  }

  /** The state as this process last saw it; the initial one when it has not, or not lately. */
  find(executionId: string): ExecutionState {
    const entry = this.entries.get(executionId);
    return entry ? copyOf(entry.state) : initialState();
  }

  /** Keeps the state of an execution that goes on, and lets go of the one that has ended. */
  keep(executionId: string, state: ExecutionState): void {
    this.forget(executionId);
    if (state.completed || state.commit === 0) return;
    const bytes = stateBytes(state, this.bytesMax);
    if (bytes > this.bytesMax) return;
    this.entries.set(executionId, { state, bytes });
    this.bytes += bytes;
    for (const oldest of this.entries.keys()) {
      if (this.bytes <= this.bytesMax) return;
      this.forget(oldest);
    }
  }

  private forget(executionId: string): void {
    this.bytes -= this.entries.get(executionId)?.bytes ?? 0;
    this.entries.delete(executionId);
  }
}

const copyOf = (state: ExecutionState): ExecutionState => ({
  ...state,
  activities: new Map(state.activities),
  deferreds: new Map(state.deferreds),
  clocks: new Map(state.clocks),
  positions: new Map(state.positions),
  yields: new Map(state.yields),
});

/** What an event costs in memory beside its value: its members, its name, its places in the maps. */
const eventBytes = 400;

/** About what a state holds; counts no further than `bytesMax`, which is too much already. */
const stateBytes = (state: ExecutionState, bytesMax: number): number => {
  let bytes = jsonBytes(state.started?.payload);
  for (const { result } of state.activities.values()) {
    bytes += eventBytes + jsonBytes(result);
    if (bytes > bytesMax) return bytes;
  }
  for (const { exit } of state.deferreds.values()) bytes += eventBytes + jsonBytes(exit);
  return bytes + state.clocks.size * eventBytes;
};

/** About what a JSON value takes in memory. */
const jsonBytes = (value: unknown): number => {
  if (typeof value === "string") return 16 + 2 * value.length;
  if (typeof value !== "object" || value === null) return 8;
  let bytes = 32;
  for (const [name, member] of Object.entries(value)) bytes += name.length + jsonBytes(member);
  return bytes;
};
