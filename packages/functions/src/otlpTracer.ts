/**
 * The exporter of traces, apart from `tracing`: loaded only where traces are sent somewhere.
 */
import { Mask, Tracing } from "@millrace/core";
import { Effect, Layer } from "effect";
import { FetchHttpClient, HttpBody } from "effect/http";
import { OtlpExporter, OtlpSerialization, OtlpTracer } from "effect/observability";
import { TraceFlusher } from "./TraceFlusher.ts";

/** Where traces are sent to. */
export interface Collector {
  readonly url: string;
  readonly headers: Readonly<Record<string, string>> | undefined;
}

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

/** The tracer that sends to the collector, and what empties it. */
export const otlpTracer = (serviceName: string, { headers, url }: Collector) => {
  const tracer = OtlpTracer.layer({ url, headers, resource: { serviceName } }).pipe(
    Layer.provide(layerMasked),
    Layer.provide(FetchHttpClient.layer),
    Layer.provideMerge(OtlpExporter.layerFlusher),
  );
  const flusher = Layer.effect(
    TraceFlusher,
    Effect.map(OtlpExporter.Flusher, ({ flush }) => ({ flush })),
  );
  return flusher.pipe(Layer.provideMerge(tracer), Layer.merge(Layer.succeed(Tracing, true)));
};
