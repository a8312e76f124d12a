/**
 * Who looks after the pipelines: the sweeper on its schedule, and a person who redrives what was parked.
 *
 * Each of their doings is a process of its own, which a fault or the deadline may end.
 */
import { type HistoryEvent, QueueWakes, redrive, Sweeper, type Wakes } from "@millrace/core";
import {
  type Caller,
  type FunctionHost,
  leaseMs,
  type SimulatedJournal,
  SimulatedProcess,
  type SimulatedQueues,
} from "@millrace/core/testing/simulation";
import { DailySalesTransform } from "@millrace/workflows/DailySales";
import { Effect, Layer } from "effect";
import { isFailure } from "./invariants.ts";
import { type Outsides, queueOf } from "./simulatedPipelines.ts";

/** The sweeper comes this often, in milliseconds. */
const sweepEveryMs = 300_000;

/** What an execution's standing hangs on; other facts may come after a stop. */
const turns: ReadonlySet<string> = new Set(["RunStarted", "Suspended", "Redriven", "Completed"]);

/** A person looks about this often, in milliseconds. */
const lookEveryMs = 300_000;
/** The longest pause of a pipeline, in milliseconds. */
const pausedMsMax = 1_200_000;

/** A failure that waits for other code. */
export const isParked = (turn: HistoryEvent): boolean => turn._tag === "Suspended" && turn.failed;

/** What a container runs: whoever has launched it looks after it, and launches the next. */
const isOfTask = (workflow: string): boolean => workflow === DailySalesTransform._tag;

const isFailedEnd = (turn: HistoryEvent): boolean => turn._tag === "Completed" && isFailure(turn);

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
      const swept = Effect.map(Sweeper.sweep({ skips: isOfTask }), ({ nudged }) => {
        this.nudged += nudged;
      });
      this.#run("sweeper", swept);
      this.sweepRegularly();
    });
  }

  /** Pauses one of the queues now and then, for as long as the faults last. */
  pauseNowAndThen(queues: SimulatedQueues, names: ReadonlyArray<string>, untilMs: number): void {
    const { faults, world } = this.#host;
    world.after(world.prng.between(0, lookEveryMs), () => {
      if (!faults.isOn("intake-paused") || world.nowMs > untilMs) return;
      const name = names[world.prng.below(names.length)];
      if (name !== undefined && faults.strikes("intake-paused", 2)) {
        queues.pause(name, Math.min(untilMs, world.nowMs + world.prng.between(0, pausedMsMax)));
      }
      this.pauseNowAndThen(queues, names, untilMs);
    });
  }

  /** Redrives what stands still now and then, for as long as the faults last. */
  redriveNowAndThen(journal: SimulatedJournal, untilMs: number): void {
    const { faults, world } = this.#host;
    world.after(world.prng.between(0, lookEveryMs), () => {
      if (!faults.isOn("redriven") || world.nowMs > untilMs) return;
      if (faults.strikes("redriven", 5)) {
        this.redriveAll(journal, (turn) => isParked(turn) || isFailedEnd(turn));
      }
      this.redriveNowAndThen(journal, untilMs);
    });
  }

  /** Redrives every execution that stands so: two people at once, who both pressed the button. */
  redriveAll(journal: SimulatedJournal, isIt: (turn: HistoryEvent) => boolean): void {
    const found = [...journal.executionIds].filter((id) => {
      const events = journal.history(id).flatMap((commit) => commit.events);
      if (events.some((event) => event._tag === "ExecutionStarted" && isOfTask(event.workflow))) {
        return false;
      }
      const turn = events.findLast(({ _tag }) => turns.has(_tag));
      return turn !== undefined && isIt(turn);
    });
    for (const id of found) {
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
