/**
 * The faults of a simulated world, and how often each of them strikes.
 *
 * The row numbers are those of the fault matrix in docs/simulation.md.
 */
import type { World } from "./World.ts";

export const faultNames = [
  /** 1: the process dies before its request leaves. */
  "crash-before",
  /** 2, 15, 19, 32, 33: the process dies when its request has been applied. */
  "crash-after",
  /** 3: a message is delivered once more. */
  "duplicate",
  /** 4: a message is late, so that others pass it. */
  "delay",
  /** 5: a wake or a timer of ours is lost. */
  "lost-wake",
  /** 6: a process's clock is wrong by up to a lease. */
  "clock-skew",
  /** 7: a process stands still for one to four leases in the middle of a request. */
  "pause",
  /** 8: a store asks for patience. */
  "throttle",
  /** 9: applied, and the answer is lost. */
  "answer-lost",
  /** 10: not applied, and no answer comes. */
  "request-lost",
  /** 11: applied up to 75 s after the caller gave up. */
  "applied-later",
  /** 12: requests take so long that invocations reach their deadline. */
  "slow",
  /** 13: several messages per invocation. */
  "batch",
  /** 14: an upload that can never be processed. */
  "poison",
  /** 16: a second version under the key. */
  "overwrite",
  /** 17: the version is deleted before it is read. */
  "delete",
  /** 18: the object store asks for patience. */
  "slow-down",
  /** 21: values that no commit may hold. */
  "oversize",
  /** 22: a stored commit is damaged. */
  "damage",
  /** 25: other code is deployed while executions are on their way. */
  "changed-code",
  /** 23: a process's clock jumps by up to an hour. */
  "clock-jump",
  /** 24: all events of the past at once. */
  "replay-storm",
  /** 27: the index loses writes and shows old rows. */
  "index-lag",
  /** 29: the queue does not take a message, or takes it and does not say so. */
  "send-fails",
  /** 30: a signal is sent twice, or before its execution exists. */
  "signal-twice",
  /** 31: an execution is asked to stop while it goes on. */
  "cancel",
  /** 29: the scheduler does not take a schedule, or takes it and does not say so. */
  "schedule-fails",
  /** 3, 29: a schedule fires twice. */
  "schedule-twice",
  /** 4, 23: a schedule fires one to two minutes early, by the clocks of whoever gets its message. */
  "schedule-early",
  /** 4: a schedule fires minutes late. */
  "schedule-late",
  /** 5, 19: a schedule that was taken never fires. */
  "schedule-lost",
  /** 29: the bus does not take what is announced, takes some of it, or takes it and does not say so. */
  "bus-fails",
  /** A person pauses a pipeline, and resumes it up to twenty minutes later. */
  "intake-paused",
  /** A person pauses an execution, and resumes it up to twenty minutes later. */
  "execution-paused",
  /** A person redrives what has failed or was parked, twice at once. */
  "redriven",
  /** The platform ends idle processes without a word. */
  "retire",
  /** 29: there is no capacity for a task, or it is started and nobody is told. */
  "task-refused",
  /** 1, 2: a container is killed at its work. */
  "task-killed",
  /** A container is told that its capacity is taken back, and killed when it does not end. */
  "task-reclaimed",
] as const;
export type FaultName = (typeof faultNames)[number];

export const isFaultName = (name: string): name is FaultName =>
  faultNames.some((known) => known === name);

/** What a run is put through. */
export type FaultPlan =
  | { readonly _tag: "None" }
  | { readonly _tag: "Single"; readonly fault: FaultName }
  /** Each fault is on with probability 1/2 (1/10 for the rare ones), at a rate of its own up to `rateMax`. */
  | {
      readonly _tag: "Swarm";
      readonly rateMax: number;
      readonly without?: ReadonlyArray<FaultName>;
    };

/** Highest rate of a fault in a swarm, and the rate of a single fault. */
export const swarmRateMax = 0.15;
const singleRate = 0.12;

/** These end so much of what a world is about that most swarms have to do without. */
const rareInSwarms: ReadonlySet<FaultName> = new Set(["damage", "changed-code"]);

/**
 * So many of the refusals begin an outage, which lasts up to so long, in milliseconds: half of them about as long as patience in
 * process, so that what was given up in one is stored after it; the others longer.
 */
const outageShare = 0.4;
const outagesMsMax = [2_000, 30_000] as const;

export class Faults {
  readonly rates = new Map<FaultName, number>();
  readonly counts = new Map<FaultName, number>();
  /** The liveness phase: everything heals. */
  calm = false;
  readonly #world: World;
  readonly #awayUntilMs = new Map<FaultName, number>();

  constructor(world: World, plan: FaultPlan) {
    this.#world = world;
    if (plan._tag === "Single") this.rates.set(plan.fault, singleRate);
    if (plan._tag !== "Swarm") return;
    for (const name of faultNames) {
      if (plan.without?.includes(name)) continue;
      if (world.prng.chance(rareInSwarms.has(name) ? 0.1 : 0.5))
        this.rates.set(name, world.prng.next() * plan.rateMax);
    }
  }

  /** Whether that part of the outside is away for a while, or turns this one request away. */
  refuses(name: FaultName, scale = 1): boolean {
    const { nowMs, prng } = this.#world;
    if (!this.calm && nowMs < (this.#awayUntilMs.get(name) ?? 0)) return true;
    if (!this.strikes(name, scale)) return false;
    if (prng.chance(outageShare)) {
      const longestMs = outagesMsMax[prng.below(outagesMsMax.length)] ?? 0;
      this.#awayUntilMs.set(name, nowMs + prng.between(0, longestMs));
    }
    return true;
  }

  isOn(name: FaultName): boolean {
    return !this.calm && this.rates.has(name);
  }

  /** Whether the fault strikes now; `scale` makes it rarer (or likelier) where it is asked more (or less) often. */
  strikes(name: FaultName, scale = 1): boolean {
    const rate = this.calm ? undefined : this.rates.get(name);
    if (rate === undefined || !this.#world.prng.chance(Math.min(0.9, rate * scale))) return false;
    this.counts.set(name, (this.counts.get(name) ?? 0) + 1);
    this.#world.mark(`fault ${name}`);
    return true;
  }
}
