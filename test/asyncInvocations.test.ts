/**
 * Goal: a hosted function that fails is invoked again after one and after two minutes, and its event then dropped, as
 * Lambda does with asynchronous invocations. Method: the stub function in a process of its own, on a test clock.
 */
import { assert, it } from "@effect/vitest";
import { Effect, PubSub } from "effect";
import { TestClock } from "effect/testing";
import { fileURLToPath } from "node:url";
import { runAsyncInvocations } from "../packages/local/src/host/AsyncInvocations.ts";
import type { HostEvent } from "../packages/local/src/host/HostEvent.ts";
import { LocalFunctions } from "../packages/local/src/LocalFunctions.ts";

/** An event that has the stub do something, the first time and every other. */
const order = (name: string, first: string) =>
  JSON.stringify({
    Records: [
      {
        messageId: name,
        body: JSON.stringify({ name, first, again: first }),
        attributes: { ApproximateReceiveCount: "1" },
      },
    ],
  });

it.effect("an event whose invocation fails is brought three times, then the next one", () =>
  Effect.gen(function* () {
    const functions = yield* LocalFunctions;
    const pubsub = yield* PubSub.unbounded<HostEvent>();
    const events = yield* PubSub.subscribe(pubsub);
    const ended = PubSub.take(events).pipe(
      Effect.map(({ _tag }) => _tag),
      Effect.repeat({ until: (tag) => tag === "InvocationEnded" || tag === "InvocationFailed" }),
    );
    yield* Effect.forkScoped(
      runAsyncInvocations(
        {
          name: "stub",
          file: fileURLToPath(new URL("fixtures/stubHandler.ts", import.meta.url)),
          timeoutSeconds: 30,
          variables: {},
        },
        pubsub,
      ),
    );
    yield* functions.invoke("stub", order("one", "throw"));
    yield* functions.invoke("stub", order("two", "succeed"));
    assert.strictEqual(yield* ended, "InvocationFailed");
    for (const minutes of [1, 2]) {
      yield* TestClock.adjust(minutes * 60_000 - 1);
      assert.isFalse((yield* PubSub.takeUpTo(events, 10)).some(isStart));
      yield* TestClock.adjust(1);
      assert.strictEqual(yield* ended, "InvocationFailed");
    }
    assert.strictEqual(yield* ended, "InvocationEnded");
  }).pipe(Effect.scoped, Effect.provide(LocalFunctions.layer(["stub"]))),
);

const isStart = ({ _tag }: HostEvent): boolean => _tag === "InvocationStarted";
