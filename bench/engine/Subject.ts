/**
 * What the load asks of an engine: the same few workflows, written in the engine's own way.
 *
 * No import, and no library: the peers, whose packages are not part of this project's install, are measured with it too.
 */

/**
 * - `sequence`    `steps` trivial steps, one after the other
 * - `fan`         `steps` trivial steps, side by side
 * - `resume`      `steps` steps, a durable wait of `waitMs` at which the engine lets go of the run, one more step
 * - `suspending`  `steps` steps, with such a wait after every `stepsPerSuspension`
 */
export type Kind = "sequence" | "fan" | "resume" | "suspending";

export interface Job {
  readonly id: string;
  readonly kind: Kind;
  readonly steps: number;
}

/** Durable wait of the workflows that suspend, in milliseconds: long enough that no engine spends it in memory. */
export const waitMs = 50;
export const stepsPerSuspension = 50;

/** An engine under load. */
export interface Subject {
  readonly engine: string;
  readonly version: string;
  readonly durability: string;
  /** Starts the workflow and waits for its end. */
  readonly run: (job: Job) => Promise<unknown>;
  /** Loads that this engine has no way to run, or not within a benchmark's patience. */
  readonly leavesOut: ReadonlyArray<"resume" | "suspending" | "steps10000">;
  /** Processes whose processor time counts besides this one's. */
  readonly processIds?: () => ReadonlyArray<number>;
  /** Counted writes to the journal of one execution of ten steps. */
  readonly writesPerExecution?: () => Promise<number>;
  readonly close: () => Promise<void>;
}

/** What the workflows' bodies tell, by job: when each step ran, and how often the body was entered. */
interface Track {
  entries: number;
  readonly stepsAtMs: Array<number>;
}

const tracks = new Map<string, Track>();

const trackOf = (id: string): Track => {
  const track = tracks.get(id) ?? { entries: 0, stepsAtMs: [] };
  tracks.set(id, track);
  return track;
};

/** A body begins, for the first time or as a replay. */
export const enterBody = (id: string): void => void trackOf(id).entries++;

/** A step's body runs: each call is one, so that a step that ran twice is counted twice. */
export const runStep = (id: string, index: number): number => {
  trackOf(id).stepsAtMs.push(performance.now());
  return index;
};

/** Hands a job's track over, and forgets it. */
export const takeTrack = (id: string): Track => {
  const track = trackOf(id);
  tracks.delete(id);
  return track;
};
