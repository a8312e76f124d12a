/**
 * What comes out of pipelines again and again is not run for ever.
 */
import { assert, describe, it } from "@effect/vitest";
import { ObjectStore } from "@millrace/core";
import { Effect, Layer, Stream } from "effect";
import { openInput } from "../src/openInput.ts";
import { depthMax, depthOf } from "../src/outputMetadata.ts";

const object = { bucket: "raw", key: "incoming/a.csv", versionId: "v1", etag: "e1" };

/** A store whose object carries that metadata. */
const storeOf = (metadata: Readonly<Record<string, string>>) =>
  Layer.mock(ObjectStore, { open: () => Effect.succeed({ metadata, body: Stream.empty }) });

/** The depth that an output carries which is made of an input of this one. */
const outputOf = (metadata: Readonly<Record<string, string>>) =>
  Effect.map(Effect.provide(openInput(object), storeOf(metadata)), (opened) => opened.metadata);

describe("an input that is an output", () => {
  it.effect(`is opened until it has come through ${depthMax} times`, () =>
    Effect.gen(function* () {
      let metadata: Readonly<Record<string, string>> = {};
      for (let depth = 0; depth < depthMax; depth++) metadata = yield* outputOf(metadata);
      assert.strictEqual(depthOf(metadata), depthMax);
      const failure = yield* Effect.flip(outputOf(metadata));
      assert.strictEqual(failure._tag, "LoopStopped");
    }),
  );
});
