/** A collector of OpenTelemetry traces on the loopback interface: what came, as text and as spans. */
import { Effect, Schema } from "effect";
import { serveJson } from "../packages/core/test/jsonServer.ts";

const Attributes = Schema.Array(
  Schema.Struct({
    key: Schema.String,
    value: Schema.Struct({ stringValue: Schema.optionalKey(Schema.String) }),
  }),
);

const Span = Schema.Struct({
  traceId: Schema.String,
  spanId: Schema.String,
  parentSpanId: Schema.optionalKey(Schema.String),
  name: Schema.String,
  status: Schema.Struct({ code: Schema.Int, message: Schema.optionalKey(Schema.String) }),
  attributes: Attributes,
  links: Schema.Array(
    Schema.Struct({ traceId: Schema.String, spanId: Schema.String, attributes: Attributes }),
  ),
});
export type Span = typeof Span.Type;

const decodeBody = Schema.decodeUnknownSync(
  Schema.fromJsonString(
    Schema.Struct({
      resourceSpans: Schema.Array(
        Schema.Struct({
          resource: Schema.Struct({ attributes: Attributes }),
          scopeSpans: Schema.Array(Schema.Struct({ spans: Schema.Array(Span) })),
        }),
      ),
    }),
  ),
);

/** Listens until the scope closes. */
export const makeCollector = Effect.gen(function* () {
  const bodies: Array<string> = [];
  const paths = new Set<string>();
  const spans: Array<Span> = [];
  const endpoint = yield* serveJson(({ body, path }) => {
    bodies.push(body);
    paths.add(path);
    for (const { scopeSpans } of decodeBody(body).resourceSpans) {
      for (const scope of scopeSpans) spans.push(...scope.spans);
    }
    return { status: 200, body: {} };
  });
  return { endpoint, bodies, paths, spans };
});

/** An attribute's text. */
export const attributeOf = (
  { attributes }: Pick<Span, "attributes">,
  key: string,
): string | undefined => attributes.find((one) => one.key === key)?.value.stringValue;
