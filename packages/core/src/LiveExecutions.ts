/**
 * The executions that this process runs at the moment, and the workflows that it has code for.
 *
 * There is at most one live execution per id; a second request joins it. A wake that arrives during a run is kept and
 * looked at when the run stops: it is never lost between "suspended" and "gone".
 */
import { Deferred, Effect, Exit } from "effect";
import { acceptsDeferred, type AdvanceRequest, type WakeMode } from "./Decision.ts";
import {
  type Advance,
  isDeferredDone,
  LiveExecution,
  type RegisteredWorkflow,
} from "./LiveExecution.ts";
import { type RunContext, runExecution } from "./runExecution.ts";
import type { WakeTarget } from "./Wakes.ts";
import { encodeDeferredExit } from "./WorkflowCodec.ts";

export class LiveExecutions {
  readonly registered = new Map<string, RegisteredWorkflow>();
  private readonly lives = new Map<string, LiveExecution>();
  private readonly completions = new Map<string, Deferred.Deferred<void>>();
  private readonly context: RunContext;

  constructor(context: RunContext) {
    this.context = context;
  }

  find(executionId: string): LiveExecution | undefined {
    return this.lives.get(executionId);
  }

  /** The live execution of that id, made (and begun) from the request when there is none; a wake is noted on it. */
  advance(
    registered: RegisteredWorkflow,
    executionId: string,
    request: AdvanceRequest,
  ): Effect.Effect<LiveExecution> {
    return Effect.suspend(() => {
      const current = this.lives.get(executionId);
      if (current && request._tag === "Wake") current.requestWake(request.mode);
      if (current) return Effect.succeed(current);
      const live = new LiveExecution(executionId, registered, this.context.wakes);
      this.lives.set(executionId, live);
      return runExecution(this.context, live, request).pipe(
        Effect.onExit((exit) => this.settle(live, exit)),
        Effect.forkIn(registered.scope),
        Effect.as(live),
      );
    });
  }

  /** Runs the execution now, or notes the wake when it is running already. Unknown workflows are another process's. */
  wakeHere(target: WakeTarget, mode: WakeMode): Effect.Effect<void> {
    return Effect.suspend(() => {
      const registered = this.registered.get(target.workflow);
      return registered
        ? Effect.asVoid(this.advance(registered, target.executionId, { _tag: "Wake", mode }))
        : Effect.void;
    });
  }

  /**
   * Completes a deferred of a live execution, from outside its run: stored at once, then the run is roused if it
   * waits for it. False when the run was fenced, and the fact is for the journal's next owner.
   */
  completeDeferred(
    live: LiveExecution,
    name: string,
    exit: Exit.Exit<unknown, unknown>,
  ): Effect.Effect<boolean> {
    return Effect.suspend(() => {
      if (!this.recordDeferred(live, name, exit)) return Effect.succeed(!live.log?.isFenced());
      live.requestWake("automatic");
      return live.flush.pipe(
        Effect.tap(() => this.preempt(live, name)),
        Effect.map((outcome) => outcome === "stored"),
      );
    });
  }

  /** The same from inside the run: the fact rides with the next flush, and the run never waits for its own unwinding. */
  completeOwnDeferred(
    live: LiveExecution,
    name: string,
    exit: Exit.Exit<unknown, unknown>,
  ): Effect.Effect<void> {
    return Effect.suspend(() => {
      if (!this.recordDeferred(live, name, exit)) return Effect.void;
      if (!live.instance?.awaitedDeferreds.has(name)) return live.linger;
      live.requestWake("automatic");
      return live.linger.pipe(Effect.andThen(this.preempt(live, name)));
    });
  }

  /** Completes when this process stores the end of the execution; may never do so. */
  awaitCompletion(executionId: string): Effect.Effect<void> {
    return Effect.suspend(() => {
      const completion = this.completions.get(executionId) ?? Deferred.makeUnsafe<void>();
      this.completions.set(executionId, completion);
      return Deferred.await(completion);
    });
  }

  private recordDeferred(
    live: LiveExecution,
    name: string,
    exit: Exit.Exit<unknown, unknown>,
  ): boolean {
    const { log } = live;
    if (!log || !acceptsDeferred(log.state, name) || log.findRecorded(isDeferredDone(name))) {
      return false;
    }
    log.record({
      _tag: "DeferredDone",
      name,
      exit: encodeDeferredExit(exit),
      atEpochMs: this.context.clock.currentTimeMillisUnsafe(),
    });
    return true;
  }

  private preempt(live: LiveExecution, name: string): Effect.Effect<void> {
    return this.context.deferreds
      .deferredDone(live.executionId, name)
      .pipe(Effect.forkIn(live.registered.scope), Effect.asVoid);
  }

  private settle(live: LiveExecution, exit: Exit.Exit<Advance>): Effect.Effect<void> {
    return Effect.suspend(() => {
      this.lives.delete(live.executionId);
      Deferred.doneUnsafe(live.opened, Effect.succeed(live.log));
      Deferred.doneUnsafe(live.ended, exit);
      const wake = live.wakeRequested;
      const completed =
        Exit.isSuccess(exit) &&
        exit.value._tag === "Ended" &&
        exit.value.result._tag === "Complete";
      if (completed) return this.announce(live);
      // The wake came after the run had looked for one the last time.
      return wake && Exit.isSuccess(exit)
        ? Effect.asVoid(
            this.advance(live.registered, live.executionId, { _tag: "Wake", mode: wake }),
          )
        : Effect.void;
    });
  }

  private announce(live: LiveExecution): Effect.Effect<void> {
    const completion = this.completions.get(live.executionId);
    if (completion) Deferred.doneUnsafe(completion, Effect.void);
    this.completions.delete(live.executionId);
    const parent = live.started?.parent;
    return parent ? this.context.wakes.wake(parent, "automatic") : Effect.void;
  }
}
