/**
 * What empties the exporter of traces, apart from the exporter itself, which is loaded only where there is one.
 */
import { Context, type Effect } from "effect";

/** Sends what was traced so far; there where something traces. */
export class TraceFlusher extends Context.Service<
  TraceFlusher,
  { readonly flush: Effect.Effect<void> }
>()("@millrace/functions/tracing/TraceFlusher") {}
