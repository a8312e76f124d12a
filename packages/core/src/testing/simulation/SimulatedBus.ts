/**
 * The product's bus: takes announcements, all of them or the first few, and hands each to whoever follows.
 */
import { Exit, Layer } from "effect";
import {
  Lifecycle,
  type LifecycleEvent,
  lifecycleSource,
  LifecycleUnavailable,
} from "../../Lifecycle.ts";
import { type Caller, request } from "./request.ts";

const unavailable = (reason: string) => new LifecycleUnavailable({ target: "bus", reason });

export class SimulatedBus {
  /** Everything that was announced, repetitions included. */
  readonly told: Array<LifecycleEvent> = [];
  readonly #followers: Array<(envelope: string) => void> = [];

  /** Whoever is given every event as the bus delivers it. */
  follow(take: (envelope: string) => void): void {
    this.#followers.push(take);
  }

  /** The bus as a process reaches it. */
  layerFor(caller: Caller): Layer.Layer<never> {
    const { faults, process } = caller;
    return Layer.succeed(Lifecycle, {
      announce: (events) =>
        request(caller, {
          name: `announce ${events.map(({ kind }) => kind).join()}`,
          apply: () => {
            const isPartial = faults.strikes("bus-fails", 0.5);
            const taken = isPartial ? process.world.prng.below(events.length) : events.length;
            for (const event of events.slice(0, taken)) this.#take(event);
            return isPartial ? Exit.fail(unavailable("took some of them")) : Exit.void;
          },
          unavailable,
          refusal: "bus-fails",
        }),
    });
  }

  #take(event: LifecycleEvent): void {
    this.told.push(event);
    const envelope = { source: lifecycleSource, "detail-type": event.kind, detail: event };
    for (const take of this.#followers) take(JSON.stringify(envelope));
  }
}
