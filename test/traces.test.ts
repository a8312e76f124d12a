/**
 * Goal: what an execution did can be followed across its runs, in traces and in logs, and neither holds what it was about.
 * Method: a whole local mode that sends its spans to a collector of the test's; a payment that waits for an approval.
 */
import { assert, layer } from "@effect/vitest";
import { QueueSchedules, QueueWakes, signal } from "@millrace/core";
import { SqsMessageQueue } from "@millrace/core/aws";
import { clientConfig, EmbeddedAws, localQueues, queueUrl } from "@millrace/local";
import { Context, Effect, Layer, Option, Schema } from "effect";
import { bank, payments } from "./bank/bank.ts";
import { attributeOf, makeCollector, type Span } from "./Collector.ts";
import { layerLocalWorld, LocalWorld } from "./LocalWorld.ts";

class Collector extends Context.Service<Collector, Effect.Success<typeof makeCollector>>()(
  "millrace/test/Collector",
) {}

const world = Layer.unwrap(
  Effect.map(Collector, ({ endpoint }) =>
    layerLocalWorld({
      timeoutSeconds: 30,
      variables: {
        OTEL_EXPORTER_OTLP_ENDPOINT: endpoint,
        MILLRACE_LOG_LEVEL: "Debug",
        MILLRACE_SECRET_BANK_KEY: "the bank's own key",
      },
      ...bank,
    }),
  ),
).pipe(Layer.provideMerge(Layer.effect(Collector, makeCollector)));

const wakes = Layer.unwrap(
  Effect.map(EmbeddedAws, (connection) =>
    QueueWakes.layerQueue(() => localQueues(payments).queue).pipe(
      Layer.provide(QueueSchedules.layerQueueDelay),
      Layer.provide(
        SqsMessageQueue.layerSqs(
          (queue) => queueUrl(connection.endpoint, queue),
          clientConfig(connection),
        ),
      ),
    ),
  ),
);

const LogLine = Schema.fromJsonString(
  Schema.Struct({
    message: Schema.Unknown,
    annotations: Schema.Record(Schema.String, Schema.Unknown),
  }),
);
const decodeLine = Schema.decodeUnknownOption(LogLine);

const order = (behaviour: string) =>
  JSON.stringify({ invoice: `private-invoice-${behaviour}`, card: "private-card", behaviour });

layer(world, { timeout: "60 seconds", excludeTestServices: true })("traces", (it) => {
  it.effect("tie the runs of an execution together, across its suspension", () =>
    Effect.gen(function* () {
      const { ended, handledAbout, until, upload, watchers } = yield* LocalWorld;
      const { bodies, paths, spans } = yield* Collector;
      const lines: Array<typeof LogLine.Type> = [];
      watchers.add((event) => {
        if (event._tag === "Line") lines.push(...Option.toArray(decodeLine(event.line)));
      });
      const uploaded = yield* upload("payments/asks.json", order("ask"));
      yield* until(() => handledAbout(uploaded.subject).length > 0);
      const [first] = handledAbout(uploaded.subject);
      const executionId = first?.executionId ?? "";
      yield* Effect.provide(signal(executionId, { deferred: "approval", value: "ada" }), wakes);
      const row = yield* ended(uploaded);
      assert.strictEqual(row.status, "completed");
      const runs = () =>
        spans.filter(
          (span) =>
            span.name === "run Payment" && attributeOf(span, "millrace.execution") === executionId,
        );
      yield* until(() => runs().length >= 2);

      const [one, two] = runs();
      assert.isDefined(one);
      assert.isDefined(two);
      assert.deepStrictEqual(one?.links, []);
      assert.notStrictEqual(one?.traceId, two?.traceId, "each run is of its own invocation");
      const linked = two?.links.map((link) => [
        attributeOf(link, "millrace.link"),
        link.traceId,
        link.spanId,
      ]);
      assert.deepStrictEqual(linked, [
        ["previous run", one?.traceId, one?.spanId],
        ["first run", one?.traceId, one?.spanId],
      ]);

      const parentOf = (span: Span | undefined) =>
        spans.find(({ spanId }) => spanId === span?.parentSpanId);
      const attempt = spans.find(({ name }) => name === "activity pay");
      assert.strictEqual(
        attributeOf(attempt ?? { attributes: [] }, "millrace.execution"),
        executionId,
      );
      assert.lengthOf(
        spans.filter(({ name }) => name === "activity look"),
        1,
        "a replay does nothing",
      );
      assert.strictEqual(parentOf(two)?.name, "message");
      assert.strictEqual(parentOf(parentOf(two))?.name, "invocation");
      assert.deepStrictEqual([...paths], ["/v1/traces"]);
      for (const text of bodies) assert.notInclude(text, "private-");

      const paying = lines.find(({ message }) => message === "paying");
      assert.include(paying?.annotations ?? {}, {
        execution: executionId,
        object: uploaded.subject,
        pipeline: "payments",
        workflow: "Payment",
        activity: "pay",
        attempt: 1,
      });
    }),
  );

  it.effect("show a failed attempt as failed, by its tag alone", () =>
    Effect.gen(function* () {
      const { process, until } = yield* LocalWorld;
      const { bodies, spans } = yield* Collector;
      const { row } = yield* process("payments/declined.json", order("decline"));
      const failed = () =>
        spans.find(
          (span) =>
            span.name === "activity pay" &&
            attributeOf(span, "millrace.execution") === row.executionId,
        );
      yield* until(() => failed() !== undefined);
      assert.deepStrictEqual(failed()?.status, { code: 2, message: "CardDeclined" });
      for (const text of bodies) assert.notInclude(text, "private-");
    }),
  );
});
