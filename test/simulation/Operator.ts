/**
 * Who looks after the pipelines: the sweeper on its schedule, and a person who redrives what was parked.
 *
 * Each of their doings is a process of its own, which a fault or the deadline may end.
 */
import { QueueWakes, redrive, Sweeper, type Wakes } from "@millrace/core";
import {
  type Caller,
  type FunctionHost,
  leaseMs,
  type SimulatedJournal,
  SimulatedProcess,
} from "@millrace/core/testing/simulation";
import { Effect, Layer } from "effect";
import { type Outsides, queueOf } from "./simulatedPipelines.ts";

/** The sweeper comes this often, in milliseconds. */
const sweepEveryMs = 300_000;

/** What an execution's standing hangs on; other facts may come after a stop. */
const turns: ReadonlySet<string> = new Set(["RunStarted", "Suspended", "Redriven", "Completed"]);

export class Operator {
  /** Executions that the sweeper found forgotten. */
  nudged = 0;
  redriven = 0;
  readonly #host: FunctionHost;
  readonly #outsideOf: (caller: Caller) => Layer.Layer<Outsides>;

  constructor(host: FunctionHost, outsideOf: (caller: Caller) => Layer.Layer<Outsides>) {
    this.#host = host;
    this.#outsideOf = outsideOf;
  }

  sweepRegularly(): void {
    this.#host.world.after(sweepEveryMs, () => {
      const swept = Effect.map(Sweeper.sweep(), ({ nudged }) => {
        this.nudged += nudged;
      });
      this.#run("sweeper", swept);
      this.sweepRegularly();
    });
  }

  /** Redrives every execution that is parked: two people at once, who both pressed the button. */
  redriveParked(journal: SimulatedJournal): void {
    const parked = [...journal.executionIds].filter((id) => {
      const events = journal.history(id).flatMap((commit) => commit.events);
      const turn = events.findLast(({ _tag }) => turns.has(_tag));
      return turn?._tag === "Suspended" && turn.failed;
    });
    for (const id of parked) {
      this.redriven++;
      this.#run("operator", redrive(id, { reason: "other code is there" }));
      this.#run("operator", redrive(id, { reason: "other code is there" }));
    }
  }

  #run<A, E>(name: string, effect: Effect.Effect<A, E, Outsides | Wakes>): void {
    const { faults, world } = this.#host;
    const process = new SimulatedProcess(world, name);
    const outside = this.#outsideOf({ process, faults, counted: () => undefined });
    const services = Layer.provideMerge(QueueWakes.layerQueue(queueOf), outside);
    world.after(leaseMs, () => process.kill());
    process.fork(effect.pipe(Effect.provide(services), Effect.ignore), () => process.kill());
  }
}
