/**
 * A function as Lambda runs it: environments that take one invocation at a time, are frozen between two, and are
 * killed at the deadline or whenever the platform likes.
 *
 * The handler below is the one of `@millrace/functions` without its logging: each record through the worker, the
 * failed ones named, the invocation's deadline handed down as the lease of every run that begins in it.
 */
import { Cause, Context, Effect, Exit, Fiber, Layer, Scope } from "effect";
import { ProcessDeadline } from "../../LiveExecution.ts";
import { type Pipeline, Worker } from "../../Worker.ts";
import type { Faults } from "./Faults.ts";
import { type Caller, leaseMs } from "./request.ts";
import { SimulatedProcess } from "./SimulatedProcess.ts";
import type { QueueMessage, SimulatedQueues } from "./SimulatedQueues.ts";
import type { World } from "./World.ts";

export interface FunctionSettings {
  readonly name: string;
  readonly pipeline: Pipeline;
  /** The function's services, in a process that reaches the outside as the caller says. */
  readonly services: (caller: Caller) => Layer.Layer<Worker>;
}

export interface FunctionHost {
  readonly world: World;
  readonly faults: Faults;
  readonly queues: SimulatedQueues;
  readonly counted: (name: string) => void;
  /** Hears of every message whose handling failed. */
  readonly reportFailure: (text: string) => void;
}

interface Environment {
  readonly process: SimulatedProcess;
  readonly worker: Effect.Effect<Worker["Service"]>;
  busy: boolean;
}

/** Records of a batch that are handled side by side. */
const recordsAtOnce = 4;
/** An idle environment lives at most this long, in milliseconds. */
const idleMsMax = 600_000;

export class SimulatedFunction {
  invocations = 0;
  readonly #settings: FunctionSettings;
  readonly #host: FunctionHost;
  #environments: Array<Environment> = [];
  #made = 0;

  constructor(host: FunctionHost, settings: FunctionSettings) {
    this.#host = host;
    this.#settings = settings;
  }

  /** Handles a batch in an idle environment, or in a new one. */
  invoke(batch: ReadonlyArray<QueueMessage>): void {
    const { queues, world } = this.#host;
    this.invocations++;
    const environment = this.#take();
    const { process } = environment;
    world.mark(`${process.name} invoked with ${batch.map(({ id }) => id).join()}`);
    const callOffDeadline = world.after(leaseMs, () => {
      world.mark(`${process.name} reached its deadline`);
      process.kill();
    });
    const done = new Set<QueueMessage>();
    const handled = Effect.forEach(batch, (message) => this.#handle(environment, message, done), {
      concurrency: recordsAtOnce,
      discard: true,
    }).pipe(Effect.provideService(ProcessDeadline, process.epochMs + leaseMs));
    process.fork(handled, () => {
      callOffDeadline();
      world.mark(`${process.name} answered ${done.size} of ${batch.length}`);
      for (const message of done) queues.delete(message);
      environment.busy = false;
      process.freeze();
    });
  }

  /** Ends the idle environments, as a deployment does. */
  retireAll(): void {
    for (const environment of this.#environments) {
      if (!environment.busy) environment.process.kill();
    }
  }

  #handle(environment: Environment, message: QueueMessage, done: Set<QueueMessage>) {
    const { reportFailure, world } = this.#host;
    return environment.worker.pipe(
      Effect.flatMap((worker) => worker.handle(this.#settings.pipeline, message.body)),
      Effect.exit,
      Effect.map((exit) => {
        if (Exit.isSuccess(exit)) {
          done.add(message);
          for (const { outcome } of exit.value) world.mark(`message ${message.id} ${outcome}`);
        } else {
          const text = Cause.pretty(exit.cause);
          world.mark(`message ${message.id} failed ${text.split("\n", 1)[0] ?? ""}`);
          reportFailure(text);
        }
      }),
    );
  }

  #take(): Environment {
    const { faults, world } = this.#host;
    this.#environments = this.#environments.filter(({ process }) => !process.dead);
    const idle = this.#environments.find(({ busy }) => !busy);
    if (idle && faults.strikes("retire")) {
      idle.process.kill();
      return this.#take();
    }
    if (!idle) return this.#make();
    idle.busy = true;
    idle.process.thaw();
    if (faults.strikes("clock-jump")) {
      idle.process.skewMs += world.prng.between(-3_600_000, 3_600_000);
    }
    return idle;
  }

  #make(): Environment {
    const { counted, faults, world } = this.#host;
    const name = `${this.#settings.name}#${++this.#made}`;
    const skewMs = faults.strikes("clock-skew", 4) ? world.prng.between(-leaseMs, leaseMs) : 0;
    const process = new SimulatedProcess(world, name, skewMs);
    const services = this.#settings.services({ process, faults, counted });
    const built = Effect.runForkWith(process.context)(
      Layer.buildWithScope(Layer.fresh(services), Scope.makeUnsafe()),
    );
    const worker = Fiber.join(built).pipe(Effect.map((context) => Context.get(context, Worker)));
    const environment: Environment = { process, worker, busy: true };
    this.#environments.push(environment);
    if (faults.isOn("clock-jump")) this.#jumpLater(process);
    world.after(world.prng.between(idleMsMax / 2, idleMsMax), () => {
      if (!environment.busy) process.kill();
    });
    return environment;
  }

  /** Sets the clock wrong in the middle of whatever the process does then. */
  #jumpLater(process: SimulatedProcess): void {
    const { faults, world } = this.#host;
    world.after(world.prng.between(0, 2_000), () => {
      if (faults.strikes("clock-jump")) process.skewMs += world.prng.between(-3_600_000, 3_600_000);
    });
  }
}
