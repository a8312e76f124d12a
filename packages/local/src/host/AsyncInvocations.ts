/**
 * Lambda's asynchronous invocation of one function: what was accepted is invoked in its turn, and again after one and
 * two minutes when the function fails; then it is dropped.
 *
 * One at a time, as with a reserved concurrency of one.
 *
 * Source: AWS Lambda developer guide, "How Lambda handles errors and retries with asynchronous invocation"
 */
import { Effect, Exit, PubSub, Schedule } from "effect";
import { LocalFunctions } from "../LocalFunctions.ts";
import { type FunctionSettings, invocationReason } from "./ExecutionEnvironment.ts";
import type { HostEvent } from "./HostEvent.ts";
import { makeEnvironments } from "./makeEnvironments.ts";

/** One minute before the first repetition, two before the second. */
const repetitions = Schedule.exponential("1 minute").pipe(Schedule.upTo({ times: 2 }));

/** Takes and invokes for ever, in the caller's scope. */
export const runAsyncInvocations = Effect.fnUntraced(function* (
  settings: FunctionSettings,
  events: PubSub.PubSub<HostEvent>,
) {
  const functions = yield* LocalFunctions;
  const { acquire, release } = yield* makeEnvironments(settings, events);
  const invoke = Effect.fnUntraced(function* (event: unknown) {
    const environment = yield* acquire;
    const about = {
      function: settings.name,
      pid: environment.pid,
      requestId: crypto.randomUUID(),
    };
    yield* PubSub.publish(events, { _tag: "InvocationStarted", ...about, messages: 1 });
    const exit = yield* Effect.exit(environment.invoke(about.requestId, event));
    yield* release(environment);
    yield* PubSub.publish(
      events,
      Exit.isSuccess(exit)
        ? { _tag: "InvocationEnded", ...about, failures: 0 }
        : { _tag: "InvocationFailed", ...about, reason: invocationReason(exit.cause) },
    );
    return yield* exit;
  });
  return yield* Effect.forever(
    Effect.flatMap(functions.take(settings.name), (event) =>
      invoke(event).pipe(
        Effect.retry(repetitions),
        Effect.catchCause((cause) =>
          Effect.logWarning(`an event for function ${settings.name} is dropped`, cause),
        ),
      ),
    ),
  );
});
