/**
 * One execution environment of a function: a child process that handles one invocation at a time, kept warm between
 * them. A timeout or a crash ends the process, as it does on Lambda; the next invocation gets a new one.
 */
import { Cause, Clock, Deferred, Effect, Exit, Schema, type Scope } from "effect";
import { type ChildProcess, fork } from "node:child_process";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import { EnvironmentMessage, type Invocation } from "./Invocation.ts";

/** The process of the environment ended before the handler answered: killed, out of memory, or an exit in the code. */
export class EnvironmentDied extends Schema.TaggedError<EnvironmentDied>()("EnvironmentDied", {
  function: Schema.String,
  reason: Schema.String,
}) {
  override get message(): string {
    return `the process of function ${this.function} ended during an invocation (${this.reason}): its messages come back when their visibility timeout is over`;
  }
}

/** The handler took longer than the function's timeout; its process was killed. */
export class InvocationTimedOut extends Schema.TaggedError<InvocationTimedOut>()(
  "InvocationTimedOut",
  { function: Schema.String, timeoutSeconds: Schema.Finite },
) {
  override get message(): string {
    return `function ${this.function} timed out after ${this.timeoutSeconds} seconds`;
  }
}

/** The handler threw. */
export class HandlerThrew extends Schema.TaggedError<HandlerThrew>()("HandlerThrew", {
  function: Schema.String,
  errorType: Schema.String,
  errorMessage: Schema.String,
}) {
  override get message(): string {
    return `function ${this.function} threw ${this.errorType}: ${this.errorMessage}`;
  }
}

export type InvocationFailure = EnvironmentDied | InvocationTimedOut | HandlerThrew;

/** A function as the host runs it. */
export interface FunctionSettings {
  readonly name: string;
  /** Absolute path of the module that exports `handler`. */
  readonly file: string;
  readonly timeoutSeconds: number;
  readonly variables: Readonly<Record<string, string>>;
}

export interface ExecutionEnvironment {
  readonly pid: number;
  readonly isAlive: () => boolean;
  readonly invoke: (requestId: string, event: unknown) => Effect.Effect<unknown, InvocationFailure>;
}

const decodeMessage = Schema.decodeUnknownExit(EnvironmentMessage);

/** Starts the process; it is killed with the scope. `onLine` gets what it prints, line by line. */
export const startEnvironment = Effect.fnUntraced(function* (
  settings: FunctionSettings,
  onLine: (line: string, pid: number) => void,
): Effect.fn.Return<ExecutionEnvironment, EnvironmentDied, Scope.Scope> {
  const died = Deferred.makeUnsafe<never, EnvironmentDied>();
  const ready = Deferred.makeUnsafe<void, EnvironmentDied>();
  const waiting = new Map<string, Deferred.Deferred<unknown, InvocationFailure>>();
  const child = yield* Effect.acquireRelease(
    Effect.sync(() => forkProcess(settings, onLine)),
    (process) => Effect.sync(() => process.kill("SIGKILL")),
  );
  child.on("message", (message) => {
    const decoded = decodeMessage(message);
    if (Exit.isSuccess(decoded)) settle(settings.name, decoded.value, ready, waiting);
  });
  const end = (reason: string) => {
    const error = new EnvironmentDied({ function: settings.name, reason });
    Deferred.doneUnsafe(ready, Effect.fail(error));
    Deferred.doneUnsafe(died, Effect.fail(error));
  };
  child.on("exit", (code, signal) => end(signal ?? `exit code ${code}`));
  // Without a listener an error here (no process to be had, a closed channel) would end the host.
  child.on("error", (error) => end(error.message));
  yield* Deferred.await(ready);

  return {
    pid: child.pid ?? 0,
    // One that was told to die counts as dead: it takes a moment until it is.
    isAlive: () => child.exitCode === null && child.signalCode === null && !child.killed,
    invoke: Effect.fnUntraced(function* (requestId, event) {
      const { timeoutSeconds } = settings;
      const now = yield* Clock.currentTimeMillis;
      const answer = Deferred.makeUnsafe<unknown, InvocationFailure>();
      waiting.set(requestId, answer);
      const invocation: Invocation = {
        _tag: "Invocation",
        requestId,
        event,
        deadlineEpochMs: now + timeoutSeconds * 1_000,
      };
      child.send(invocation);
      return yield* Effect.raceFirst(Deferred.await(answer), Deferred.await(died)).pipe(
        Effect.timeoutOrElse({
          duration: timeoutSeconds * 1_000,
          orElse: () =>
            Effect.suspend(() => {
              child.kill("SIGKILL");
              return Effect.fail(
                new InvocationTimedOut({ function: settings.name, timeoutSeconds }),
              );
            }),
        }),
        Effect.ensuring(Effect.sync(() => waiting.delete(requestId))),
      );
    }),
  };
});

const forkProcess = (
  settings: FunctionSettings,
  onLine: (line: string, pid: number) => void,
): ChildProcess => {
  const child = fork(
    fileURLToPath(new URL("environmentProcess.ts", import.meta.url)),
    [settings.file],
    {
      env: { ...process.env, ...settings.variables },
      stdio: ["ignore", "pipe", "pipe", "ipc"],
      serialization: "json",
      execArgv: ["--disable-warning=ExperimentalWarning"],
    },
  );
  for (const output of [child.stdout, child.stderr]) {
    if (output)
      createInterface({ input: output }).on("line", (line) => onLine(line, child.pid ?? 0));
  }
  return child;
};

const settle = (
  name: string,
  message: EnvironmentMessage,
  ready: Deferred.Deferred<void, EnvironmentDied>,
  waiting: ReadonlyMap<string, Deferred.Deferred<unknown, InvocationFailure>>,
): void => {
  if (message._tag === "Ready") {
    Deferred.doneUnsafe(ready, Effect.void);
    return;
  }
  const deferred = waiting.get(message.requestId);
  if (!deferred) return;
  Deferred.doneUnsafe(
    deferred,
    message._tag === "InvocationEnded"
      ? Effect.succeed(message.response)
      : Effect.fail(
          new HandlerThrew({
            function: name,
            errorType: message.errorType,
            errorMessage: message.errorMessage,
          }),
        ),
  );
};

/** The first reason of a failed invocation, for people. */
export const invocationReason = (cause: Cause.Cause<InvocationFailure>): string => {
  const error = Cause.squash(cause);
  return error instanceof Error ? error.message : String(error);
};
