/**
 * A request from a process to something outside it: a store, a queue, a service.
 *
 * The request travels, is applied once at an instant of the world, and is answered; every step of that can fail on
 * its own. A process that dies or is frozen meanwhile does not call back what it has sent.
 */
import { Effect, type Exit } from "effect";
import type { Faults } from "./Faults.ts";
import type { SimulatedProcess } from "./SimulatedProcess.ts";

/** One process's way to the outside. */
export interface Caller {
  readonly process: SimulatedProcess;
  readonly faults: Faults;
  /** Counts requests, for the cost of an execution. */
  readonly counted: (name: string) => void;
}

export interface Request<A, E> {
  readonly name: string;
  /** What happens outside, at one instant. */
  readonly apply: () => Exit.Exit<A, E>;
  /** The caller's view when it gets no answer, or is turned away. */
  readonly unavailable: (reason: string) => E;
  /** Faults that belong to this kind of request. @default the ones of a store */
  readonly refusal?:
    | "throttle"
    | "slow-down"
    | "send-fails"
    | "schedule-fails"
    | "bus-fails"
    | "task-refused";
  /** How many times likelier it is refused than others: requests that are made rarely. @default 1 */
  readonly refusedMore?: number;
}

/** How long a caller waits for an answer before it gives up, in milliseconds. */
const answerTimeoutMs = 1_000;
/** A request that is applied late comes at most this long after it was sent, in milliseconds. */
const appliedLaterMsMax = 75_000;
/** A lease of the simulated functions, in milliseconds: pauses are measured in leases. */
export const leaseMs = 60_000;

/** Sends the request and waits for its answer. */
export const request = <A, E>(caller: Caller, asked: Request<A, E>): Effect.Effect<A, E> =>
  Effect.callback<A, E>((resume) => {
    const { faults, process } = caller;
    const { prng } = process.world;
    caller.counted(asked.name);
    if (faults.strikes("crash-before", 0.25)) return process.kill();
    const answer = (exit: Effect.Effect<A, E>) => process.run(() => resume(exit));
    const send = () => process.run(() => travel(caller, asked, answer));
    if (!faults.strikes("pause", 0.25)) return send();
    const beforeSending = prng.chance(0.5);
    if (!beforeSending) send();
    process.freeze(prng.between(1, 4) * leaseMs);
    if (beforeSending) send();
  });

const travel = <A, E>(
  { faults, process }: Caller,
  { apply, name, refusal = "throttle", refusedMore = 1, unavailable }: Request<A, E>,
  answer: (exit: Effect.Effect<A, E>) => void,
): void => {
  const { world } = process;
  const latencyMs = () =>
    faults.strikes("slow", 0.5) ? world.prng.between(1_000, 30_000) : world.prng.between(1, 15);
  const give = (exit: Effect.Effect<A, E>, afterMs: number) =>
    world.after(afterMs, () => answer(exit));
  const fail = (reason: string, afterMs: number) =>
    give(
      Effect.suspend(() => Effect.fail(unavailable(reason))),
      afterMs,
    );
  const applied = () => {
    const exit = apply();
    world.mark(`${process.name} ${name}${exit._tag === "Success" ? "" : " refused"}`);
    return exit;
  };
  if (faults.refuses(refusal, refusedMore)) return void fail("asked for patience", latencyMs());
  if (faults.strikes("request-lost", 0.5)) return void fail("no answer", answerTimeoutMs);
  if (faults.strikes("applied-later", 0.5)) {
    world.after(world.prng.between(0, appliedLaterMsMax), applied);
    return void fail("no answer", answerTimeoutMs);
  }
  const mayBeTaken = refusal !== "throttle" && refusal !== "slow-down";
  const answerLost = faults.strikes("answer-lost", 0.5) || (mayBeTaken && faults.strikes(refusal));
  const crash = faults.strikes("crash-after", 0.25);
  world.after(latencyMs(), () => {
    const exit = applied();
    if (crash) process.kill();
    else if (answerLost) fail("no answer", answerTimeoutMs);
    else give(exit, latencyMs());
  });
};
