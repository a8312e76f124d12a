/**
 * Traces by OpenTelemetry's protocol, when an environment variable says where to:
 *
 *   OTEL_EXPORTER_OTLP_ENDPOINT          a collector, e.g. http://localhost:4318
 *   OTEL_EXPORTER_OTLP_TRACES_ENDPOINT   its whole URL for traces, instead
 *   OTEL_EXPORTER_OTLP_HEADERS           name=value,...
 *
 * Lambda freezes a process between two invocations, so spans are sent at the end of each, and not when there is time.
 */
import { Mask, Tracing } from "@millrace/core";
import { Config, Effect, Layer, Option, Schema } from "effect";
import { FetchHttpClient, HttpBody } from "effect/http";
import { OtlpExporter, OtlpSerialization, OtlpTracer } from "effect/observability";

/** Attributes of an exception's event that hold what it says; its type stays. */
const says: ReadonlySet<string> = new Set(["exception.message", "exception.stacktrace"]);

type ExportedSpan = OtlpTracer.ScopeSpan["spans"][number];

const textOf = (attributes: ExportedSpan["attributes"], name: string): string | undefined => {
  const value = attributes.find(({ key }) => key === name)?.value;
  return value?.stringValue ?? undefined;
};

/** A span without what its failure says, which may be anything: spans leave for systems that keep them long. */
const withoutMessages = (span: ExportedSpan): ExportedSpan => {
  const { message, ...status } = span.status;
  const [exception] = span.events;
  const type =
    textOf(span.attributes, "error.type") ??
    (exception && textOf(exception.attributes, "exception.type"));
  return {
    ...span,
    status: { ...status, ...(message !== undefined && { message: type ?? "failed" }) },
    events: span.events.map((event) => ({
      ...event,
      attributes: event.attributes.filter(({ key }) => !says.has(key)),
    })),
  };
};

const traces = ({ resourceSpans }: OtlpTracer.TraceData): HttpBody.HttpBody =>
  masked({
    resourceSpans: resourceSpans.map((resource) => ({
      ...resource,
      scopeSpans: resource.scopeSpans.map((scope) => ({
        ...scope,
        spans: scope.spans.map(withoutMessages),
      })),
    })),
  });

/** JSON, masked like a line of the log. */
const masked = (data: unknown): HttpBody.HttpBody =>
  HttpBody.text(JSON.stringify(Mask.maskJson(data)), "application/json");

const layerMasked = Layer.succeed(OtlpSerialization.OtlpSerialization, {
  traces,
  metrics: masked,
  logs: masked,
});

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
        onSome: (at) =>
          OtlpTracer.layer({
            url: at,
            headers: Option.getOrUndefined(headers),
            resource: { serviceName },
          }).pipe(
            Layer.provide(layerMasked),
            Layer.provide(FetchHttpClient.layer),
            Layer.merge(Layer.succeed(Tracing, true)),
          ),
      }),
    ),
  );

/** Longest wait for the collector at the end of an invocation, in milliseconds: traces are worth no late answer. */
const flushMsMax = 2_000;

/** Left of an invocation's time for its answer to get out, in milliseconds. */
const answerMs = 200;

/** Sends what was traced, where something traces; never at the cost of the invocation's answer. */
export const flushTraces = (remainingMs: number) =>
  Effect.flatMap(
    Effect.serviceOption(OtlpExporter.Flusher),
    Option.match({
      onNone: () => Effect.void,
      onSome: ({ flush }) =>
        Effect.asVoid(
          Effect.timeoutOption(flush, Math.max(0, Math.min(flushMsMax, remainingMs - answerMs))),
        ),
    }),
  );
