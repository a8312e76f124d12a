/**
 * One-time schedules as EventBridge Scheduler keeps them: fired within the minute after their instant, at least once,
 * and gone by their name as soon as they have fired.
 */
import { Exit, Layer } from "effect";
import { type ScheduledMessage, Schedules, SchedulerUnavailable } from "../../Schedules.ts";
import type { Faults } from "./Faults.ts";
import { type Caller, request } from "./request.ts";
import type { SimulatedQueues } from "./SimulatedQueues.ts";
import { type World, worldEpochMs } from "./World.ts";

/** A schedule fires within this time after its instant, in milliseconds. Source: Scheduler user guide, "Schedule types". */
export const schedulePrecisionMs = 60_000;
/** A late schedule fires at most this much later, in milliseconds: past the sweeper's patience. */
const lateMsMax = 600_000;

export class SimulatedSchedules {
  /** Schedules that were made. */
  made = 0;
  readonly #names = new Set<string>();
  readonly #world: World;
  readonly #faults: Faults;
  readonly #queues: SimulatedQueues;

  constructor(world: World, faults: Faults, queues: SimulatedQueues) {
    this.#world = world;
    this.#faults = faults;
    this.#queues = queues;
  }

  /** The scheduler as a process reaches it. */
  layerFor(caller: Caller): Layer.Layer<Schedules> {
    return Layer.succeed(Schedules, {
      create: (schedule) =>
        request(caller, {
          name: `schedule ${schedule.name.slice(0, 8)} ${schedule.body.slice(0, 40)}`,
          apply: () => {
            this.#add(schedule);
            return Exit.void;
          },
          unavailable: (reason) =>
            new SchedulerUnavailable({
              schedule: schedule.name,
              queue: schedule.queue,
              cause: reason,
            }),
          refusal: "schedule-fails",
        }),
    });
  }

  #add(schedule: ScheduledMessage): void {
    if (this.#names.has(schedule.name)) return;
    this.#names.add(schedule.name);
    this.made++;
    const secondMs = Math.ceil(schedule.atEpochMs / 1_000) * 1_000 - worldEpochMs;
    this.#fireAt(schedule, secondMs);
    if (this.#faults.strikes("schedule-twice", 2)) {
      this.#fireAt(schedule, secondMs + this.#world.prng.between(0, lateMsMax));
    }
  }

  #fireAt(schedule: ScheduledMessage, atMs: number): void {
    const { prng } = this.#world;
    const early = this.#faults.strikes("schedule-early", 6) ? 2 * schedulePrecisionMs : 0;
    const late = this.#faults.strikes("schedule-late", 3) ? prng.between(0, lateMsMax) : 0;
    this.#world.at(atMs + prng.between(0, schedulePrecisionMs) - early + late, () => {
      this.#names.delete(schedule.name);
      if (this.#faults.strikes("schedule-lost", 1.5)) return;
      this.#world.mark(`schedule ${schedule.name.slice(0, 8)} fired`);
      this.#queues.put(schedule.queue, schedule.body);
    });
  }
}
