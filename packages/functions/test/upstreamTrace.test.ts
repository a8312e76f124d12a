/**
 * Goal: a message's span links to the trace that the message comes from.
 * Method: headers as AWS documents them, and such as name no span.
 */
import { assert, describe, it } from "@effect/vitest";
import { Tracing } from "@millrace/core";
import { Effect } from "effect";
import { linkUpstream, readTraceHeader } from "../src/upstreamTrace.ts";

const header = "Root=1-5759e988-bd862e3fe1be46a994272793;Parent=53995c3f42cd8ad8;Sampled=1";
const ids = { traceId: "5759e988bd862e3fe1be46a994272793", spanId: "53995c3f42cd8ad8" };

describe("a trace header", () => {
  it("is read in any order, and only when it names a span", () => {
    assert.deepStrictEqual(readTraceHeader(header), ids);
    assert.deepStrictEqual(readTraceHeader(header.split(";").toReversed().join("; ")), ids);
    for (const none of ["", "Root=1-5759e988-bd862e3fe1be46a994272793", "Root=1-5;Parent=5", "x"]) {
      assert.isUndefined(readTraceHeader(none), none);
    }
  });

  it.effect("becomes a link of the current span, where something traces", () =>
    Effect.gen(function* () {
      const record = { messageId: "m", body: "", attributes: { AWSTraceHeader: header } };
      const links = linkUpstream(record).pipe(
        Effect.andThen(Effect.orDie(Effect.currentSpan)),
        Effect.map((span) => span.links.map((link) => [link.span.traceId, link.span.spanId])),
        Effect.withSpan("message"),
      );
      assert.deepStrictEqual(yield* links, []);
      assert.deepStrictEqual(yield* Effect.provideService(links, Tracing, true), [
        [ids.traceId, ids.spanId],
      ]);
    }),
  );
});
