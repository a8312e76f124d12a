/**
 * How the engine asks for a later run of an execution, in whatever process: now, or when a timer is due.
 *
 * A wake is a hint: it may be lost, doubled, late or early; what it is for stands in the journal. On AWS a wake is a
 * message in the pipeline's queue (`QueueWakes`); in a single process it is a call (`Engine.layerInProcess`).
 */
import { Context, type Effect } from "effect";

export interface WakeTarget {
  readonly workflow: string;
  readonly executionId: string;
}

export class Wakes extends Context.Service<
  Wakes,
  {
    /** Asks for a run, now or not before an instant, because something that the execution waits for became true. */
    readonly wake: (
      target: WakeTarget,
      mode: "automatic" | "explicit",
      notBeforeEpochMs?: number,
    ) => Effect.Effect<void>;
    /** Asks for the named clock of the execution to be completed at `wakeAtEpochMs`. */
    readonly timer: (
      target: WakeTarget & { readonly clock: string; readonly wakeAtEpochMs: number },
    ) => Effect.Effect<void>;
  }
>()("@millrace/core/Wakes") {}
