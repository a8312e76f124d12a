/**
 * The execution environments of one function: a warm one when there is one, otherwise a new process.
 */
import { Effect, PubSub, Scope } from "effect";
import {
  type ExecutionEnvironment,
  type FunctionSettings,
  startEnvironment,
} from "./ExecutionEnvironment.ts";
import type { HostEvent } from "./HostEvent.ts";

/** Processes live as long as the caller's scope. */
export const makeEnvironments = Effect.fnUntraced(function* (
  settings: FunctionSettings,
  events: PubSub.PubSub<HostEvent>,
) {
  const idle: Array<ExecutionEnvironment> = [];
  const scope = yield* Effect.scope;
  const { name } = settings;
  return {
    acquire: Effect.suspend(() => {
      const warm = idle.pop();
      if (warm?.isAlive()) return Effect.succeed(warm);
      return startEnvironment(settings, (line, pid) => {
        PubSub.publishUnsafe(events, { _tag: "Line", function: name, pid, line });
      }).pipe(
        Scope.provide(scope),
        Effect.tap(({ pid }) =>
          PubSub.publish(events, { _tag: "EnvironmentStarted", function: name, pid }),
        ),
      );
    }),
    /** Keeps it warm for the next invocation, unless it has ended. */
    release: (environment: ExecutionEnvironment) =>
      Effect.sync(() => {
        if (environment.isAlive()) idle.push(environment);
      }),
  };
});
