/**
 * Traces by OpenTelemetry's protocol, when an environment variable says where to:
 *
 *   OTEL_EXPORTER_OTLP_ENDPOINT          a collector, e.g. http://localhost:4318
 *   OTEL_EXPORTER_OTLP_TRACES_ENDPOINT   its whole URL for traces, instead
 *   OTEL_EXPORTER_OTLP_HEADERS           name=value,...
 *
 * Lambda freezes a process between two invocations, so spans are sent at the end of each, and not when there is time.
 */
import { Clock, Config, Effect, Layer, Option, Schema } from "effect";
import { TraceFlusher } from "./TraceFlusher.ts";

const tracesPath = "/v1/traces";

const environment = Config.all({
  url: Config.String("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT").pipe(
    Config.orElse(() =>
      Config.map(
        Config.String("OTEL_EXPORTER_OTLP_ENDPOINT"),
        (endpoint) => endpoint.replace(/\/$/, "") + tracesPath,
      ),
    ),
    Config.option,
  ),
  headers: Config.option(
    Config.Record(Schema.String, Schema.StringFromUriComponent, "OTEL_EXPORTER_OTLP_HEADERS"),
  ),
});

/** The tracer of a function's process; nothing at all without the variable. */
export const tracing = (serviceName: string) =>
  Layer.unwrap(
    Effect.map(environment, ({ headers, url }) =>
      Option.match(url, {
        onNone: () => Layer.empty,
        // The exporter and its client of HTTP are a tenth of the engine's code: only who traces loads them.
        onSome: (at) =>
          Layer.unwrap(
            Effect.map(
              Effect.promise(() => import("./otlpTracer.ts")),
              ({ otlpTracer }) =>
                otlpTracer(serviceName, { url: at, headers: Option.getOrUndefined(headers) }),
            ),
          ),
      }),
    ),
  );

/** Longest wait for the collector at the end of an invocation, in milliseconds: traces are worth no late answer. */
const flushMsMax = 2_000;

/** Left of an invocation's time for its answer to get out, in milliseconds. */
const answerMs = 200;

/** A collector that was waited for in vain is not waited for again for so long, in milliseconds. */
const quietMs = 60_000;

/** Sends what was traced, where something traces; never at the cost of an invocation's answer. One for each process. */
export const makeFlushTraces = () => {
  let quietUntilEpochMs = 0;
  return Effect.fnUntraced(function* (remainingMs: number) {
    const flusher = yield* Effect.serviceOption(TraceFlusher);
    const now = yield* Clock.currentTimeMillis;
    if (Option.isNone(flusher) || now < quietUntilEpochMs) return;
    const patienceMs = Math.max(0, Math.min(flushMsMax, remainingMs - answerMs));
    const sent = yield* Effect.timeoutOption(flusher.value.flush, patienceMs);
    if (Option.isSome(sent)) return;
    quietUntilEpochMs = now + quietMs;
    yield* Effect.logWarning("the collector of traces did not answer in time");
  });
};
