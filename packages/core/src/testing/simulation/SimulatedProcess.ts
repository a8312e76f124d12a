/**
 * A process of a simulated world: it can be killed or frozen between any two instructions of its fibers.
 *
 * Its Scheduler, Clock and Random are its own, so that death is what SIGKILL is (no finalizer runs, nothing more is
 * sent), a freeze is what a suspended machine is (its sleeping fibers oversleep), and its clock may be wrong. What it
 * has sent is on its way all the same: requests live in the world, not in the process.
 */
import { Clock, Context, Duration, Effect, Random, References } from "effect";
import * as WebCrypto from "effect/crypto/WebCrypto";
import { Scheduler } from "effect/Scheduler";
import { type World, worldEpochMs } from "./World.ts";

export class SimulatedProcess {
  readonly name: string;
  readonly world: World;
  /** How far its clock is ahead, in milliseconds. */
  skewMs: number;
  dead = false;
  readonly context: Context.Context<never>;
  #frozenUntilMs: number | undefined;
  #freezes = 0;
  #parked: Array<() => void> = [];

  constructor(world: World, name: string, skewMs = 0) {
    this.world = world;
    this.name = name;
    this.skewMs = skewMs;
    this.context = Context.empty().pipe(
      Context.add(Scheduler, {
        executionMode: "async",
        shouldYield: (fiber) => fiber.currentOpCount >= fiber.cache.maxOpsBeforeYield,
        makeDispatcher: () => ({
          scheduleTask: (task) => world.ready(this, task),
          flush: () => undefined,
        }),
      }),
      Context.add(Clock.Clock, this.#makeClock()),
      Context.add(Random.Random, {
        nextDoubleUnsafe: () => world.prng.next(),
        nextIntUnsafe: () => Math.floor(world.prng.between(-(2 ** 53) + 1, 2 ** 53)),
      }),
      // What it would log and trace, nobody reads: the world has its own trace.
      Context.add(References.MinimumLogLevel, "None"),
      Context.add(References.TracerEnabled, false),
      Context.add(WebCrypto.WebCrypto, world.crypto),
    );
  }

  get epochMs(): number {
    return Math.floor(worldEpochMs + this.world.nowMs + this.skewMs);
  }

  get frozen(): boolean {
    return this.#frozenUntilMs !== undefined;
  }

  /** Runs a task of this process: now, after its thaw, or never. */
  readonly run = (task: () => void): void => {
    if (this.dead) return;
    if (this.frozen) this.#parked.push(task);
    else task();
  };

  kill(): void {
    this.dead = true;
    this.#parked = [];
  }

  /** Stands still for a while; without an end until `thaw`. */
  freeze(forMs: number = Number.POSITIVE_INFINITY): void {
    const untilMs = this.world.nowMs + forMs;
    this.#frozenUntilMs = Math.max(untilMs, this.#frozenUntilMs ?? 0);
    const freeze = ++this.#freezes;
    if (forMs !== Number.POSITIVE_INFINITY) {
      this.world.at(untilMs, () => {
        if (freeze === this.#freezes) this.thaw();
      });
    }
  }

  thaw(): void {
    this.#freezes++;
    this.#frozenUntilMs = undefined;
    const parked = this.#parked;
    this.#parked = [];
    for (const task of parked) this.world.ready(this, task);
  }

  /** Begins an effect in this process; `ended` hears of its end, unless the process dies before. */
  fork<A, E>(effect: Effect.Effect<A, E>, ended: (succeeded: boolean) => void): void {
    Effect.runForkWith(this.context)(
      Effect.onExit(effect, (exit) => Effect.sync(() => ended(exit._tag === "Success"))),
    );
  }

  #makeClock(): Clock.Clock {
    const millis = () => this.epochMs;
    const nanos = () => BigInt(Math.round(this.epochMs)) * 1_000_000n;
    const monotonic = () => BigInt(Math.round(this.world.nowMs * 1_000_000));
    return {
      currentTimeMillisUnsafe: millis,
      currentTimeMillis: Effect.sync(millis),
      currentTimeNanosUnsafe: nanos,
      currentTimeNanos: Effect.sync(nanos),
      monotonicTimeNanosUnsafe: monotonic,
      monotonicTimeNanos: Effect.sync(monotonic),
      sleep: (duration) =>
        Effect.callback((resume) => {
          const cancel = this.world.after(Duration.toMillis(duration), () =>
            this.run(() => resume(Effect.void)),
          );
          return Effect.sync(cancel);
        }),
    };
  }
}
