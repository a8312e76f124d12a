/**
 * One run of a body over its history: what it asked for, and whether that agrees with what is recorded.
 *
 * A body is deterministic: over the same facts it asks for the same steps. So when it asks for a step that is not
 * recorded while a recorded one has not been asked for, the code has changed under the history, and to go on would do
 * work twice or not at all.
 *
 * Two things look like that and are none. A step that was still running when another one failed, or when a deferred was
 * completed, may have been cut off by it (a race, a fan-out that fails): replayed, it is cut off before it is asked
 * for. `startedAfter` tells the two apart: what began after the cut was known is not a victim of it. And a side branch
 * may need a moment to ask: who finds a step missing waits before it says so.
 */
import type { ExecutionState } from "./ExecutionState.ts";
import type { ActivityCompleted, DeferredDone } from "./HistoryEvent.ts";
import { isFailedResult } from "./WorkflowCodec.ts";

export class BodyReplay {
  private readonly state: ExecutionState;
  private readonly askedActivities = new Set<string>();
  private readonly askedClocks = new Set<string>();
  /** Greatest position of a consumed fact that may have cut off what ran beside it. */
  private cut = 0;
  /** Greatest position of a consumed result. */
  private consumed = 0;
  /** Everything recorded was asked for: from here on the body makes history. */
  private caughtUp: boolean;

  constructor(state: ExecutionState) {
    this.state = state;
    this.caughtUp = state.activities.size === 0 && state.clocks.size === 0;
  }

  /** Notes that the body asks for an attempt of an activity, by `activityKey`; false when this run has asked before. */
  askActivity(key: string): boolean {
    if (this.askedActivities.has(key)) return false;
    this.askedActivities.add(key);
    return true;
  }

  askClock(name: string): void {
    this.askedClocks.add(name);
  }

  sawResult(event: typeof ActivityCompleted.Type): void {
    const position = this.state.positions.get(event) ?? 0;
    this.consumed = Math.max(this.consumed, position);
    if (isFailedResult(event.result)) this.cut = Math.max(this.cut, position);
  }

  sawDeferred(event: typeof DeferredDone.Type): void {
    this.cut = Math.max(this.cut, this.state.positions.get(event) ?? 0);
  }

  /**
   * Name of the first recorded step that was neither asked for nor cut off.
   *
   * `failed`: the body is dealing with a failure of its own, which no fact shows; whatever ran beside the last result
   * may have been cut off by it.
   */
  findUnasked(failed: boolean): string | undefined {
    if (this.caughtUp) return undefined;
    const cut = failed ? Math.max(this.cut, this.consumed) : this.cut;
    let found: { readonly name: string; readonly position: number } | undefined;
    const consider = (name: string, position: number, startedAfter: number) => {
      if (startedAfter >= cut && position < (found?.position ?? Infinity))
        found = { name, position };
    };
    for (const [key, event] of this.state.activities) {
      if (this.askedActivities.has(key) || event.role === "compensation") continue;
      // Histories from before this was recorded cannot be judged.
      if (event.startedAfter === undefined) continue;
      consider(event.name, this.state.positions.get(event) ?? 0, event.startedAfter);
    }
    for (const [name, event] of this.state.clocks) {
      if (this.askedClocks.has(name) || event.inActivity) continue;
      const position = this.state.positions.get(event) ?? 0;
      consider(name, position, position);
    }
    this.caughtUp = !failed && found === undefined;
    return found?.name;
  }
}
