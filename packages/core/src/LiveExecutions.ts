/**
 * The executions that this process runs at the moment, and the workflows that it has code for.
 *
 * There is at most one live execution per id; a second request joins it. A wake that arrives during a run is kept and
 * looked at when the run stops: it is never lost between "suspended" and "gone".
 */
import { Deferred, Effect, Exit } from "effect";
import { appendFact } from "./appendFact.ts";
import { acceptsDeferred, type AdvanceRequest, type WakeMode } from "./Decision.ts";
import {
  type Advance,
  isDeferredDone,
  LiveExecution,
  type RegisteredWorkflow,
} from "./LiveExecution.ts";
import type { HistoryEvent } from "./HistoryEvent.ts";
import { afterLeaseMs } from "./Limits.ts";
import type { RunContext } from "./RunContext.ts";
import { runExecution } from "./runExecution.ts";
import { traceRun } from "./traceRun.ts";
import type { WakeTarget } from "./Wakes.ts";
import { doneExit } from "./WorkflowCodec.ts";

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
      if (current) {
        if (request._tag === "Wake") current.requestWake(request.mode);
        else current.joined.push(request);
        return Effect.succeed(current);
      }
      const live = new LiveExecution(executionId, registered, this.context.wakes);
      this.lives.set(executionId, live);
      return runExecution(this.context, live, request).pipe(
        traceRun(live),
        Effect.onExit((exit) => this.settle(live, exit)),
        Effect.forkIn(registered.scope, { startImmediately: true }),
        // In a scope that is closed already the fiber ends before it has begun, and settles nothing.
        Effect.tap((fiber) =>
          Effect.sync(() => fiber.addObserver((exit) => this.letGo(live, exit))),
        ),
        Effect.as(live),
      );
    });
  }

  /** Runs the execution now, or notes the wake when it is running already. Unknown workflows are another process's. */
  wakeHere(target: WakeTarget, mode: WakeMode): Effect.Effect<void> {
    return Effect.suspend(() => {
      const registered = this.registered.get(target.workflow);
      if (!registered) return Effect.void;
      return this.advance(registered, target.executionId, { _tag: "Wake", mode }).pipe(
        Effect.flatMap((live) =>
          Effect.forkIn(this.wakeAfterLease(live, target, mode), registered.scope),
        ),
        Effect.asVoid,
      );
    });
  }

  /** A wake that met another process's lease is made again when it has ended: that process may be dead. */
  private wakeAfterLease(live: LiveExecution, target: WakeTarget, mode: WakeMode) {
    return Effect.flatMap(Deferred.await(live.ended), (advance) =>
      advance._tag === "NotRun" && advance.reason._tag === "Leased"
        ? this.context.wakes.wake(target, mode, advance.reason.leaseUntilEpochMs + afterLeaseMs)
        : Effect.void,
    );
  }

  /**
   * Completes a deferred of a live execution (with an encoded exit), from outside its run: stored at once, then the run is roused if it
   * waits for it. False when the run was fenced, and the fact is for the journal's next owner.
   */
  completeDeferred(live: LiveExecution, name: string, exit: unknown): Effect.Effect<boolean> {
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
  completeOwnDeferred(live: LiveExecution, name: string, exit: unknown): Effect.Effect<void> {
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

  private recordDeferred(live: LiveExecution, name: string, exit: unknown): boolean {
    const { log } = live;
    if (!log || !acceptsDeferred(log.state, name) || log.findRecorded(isDeferredDone(name))) {
      return false;
    }
    log.record({
      _tag: "DeferredDone",
      name,
      exit,
      atEpochMs: this.context.clock.currentTimeMillisUnsafe(),
    });
    return true;
  }

  /** Rouses the run where it waits for the deferred; whatever it was at, it runs again instead of suspending. */
  private preempt(live: LiveExecution, name: string): Effect.Effect<void> {
    return Effect.suspend(() => {
      // A later run has loaded the fact, and must not be interrupted for it.
      if (this.lives.get(live.executionId) !== live) return Effect.void;
      live.requestWake("automatic");
      // Nothing waits any more in a body that has ended; what runs now are compensations.
      if (live.bodyEnded) return Effect.void;
      live.preempted = true;
      return this.context.deferreds.deferredDone(live.executionId, name);
    }).pipe(Effect.forkIn(live.registered.scope), Effect.asVoid);
  }

  /** Tells everybody that the run is over; those who have heard already hear nothing. */
  private letGo(live: LiveExecution, exit: Exit.Exit<Advance>): void {
    if (this.lives.get(live.executionId) === live) this.lives.delete(live.executionId);
    Deferred.doneUnsafe(live.opened, Effect.succeed(live.log));
    Deferred.doneUnsafe(live.ended, exit);
  }

  /**
   * Lets go of a run that stopped. Whoever waits for its end hears of it last: with that answer a message is deleted,
   * and what has not left this process by then would be lost with it.
   */
  private settle(live: LiveExecution, exit: Exit.Exit<Advance>): Effect.Effect<void> {
    return Effect.suspend(() => {
      this.lives.delete(live.executionId);
      Deferred.doneUnsafe(live.opened, Effect.succeed(live.log));
      if (live.log) this.context.states.keep(live.executionId, live.log.state);
      // A run that failed stores nothing any more: its message comes back, and another run decides anew.
      if (Exit.isFailure(exit)) live.log?.close();
      return Exit.isSuccess(exit) ? this.afterStop(live, exit.value) : Effect.void;
    }).pipe(
      Effect.exit,
      Effect.map((after) => {
        Deferred.doneUnsafe(live.ended, Exit.isFailure(after) ? Exit.failCause(after.cause) : exit);
      }),
    );
  }

  private afterStop(live: LiveExecution, advance: Advance): Effect.Effect<void> {
    const { state } = live.log ?? {};
    // Who joined a run that had been overtaken knows nothing of the execution as it stands: it is looked at again.
    if (advance._tag === "Fenced" || !state?.started) return this.takeOver(live, advance);
    const after = state.completed
      ? this.announce(live.executionId, state.started.parent).pipe(
          // A redrive that came while the failure was being told of.
          Effect.andThen(
            live.wakeRequested === "explicit" ? this.takeOver(live, advance) : Effect.void,
          ),
        )
      : this.takeOver(live, advance);
    // A duplicate of what has ended changes nothing: it looks whether the row is there, and writes nothing else.
    const project =
      advance._tag === "NotRun" && state.completed ? this.context.repair : this.context.project;
    // The row tells of the end when the parent has been told, so that the sweeper finds a child whose parent was not.
    return Effect.andThen(after, project(live.executionId, state));
  }

  /** What came while the run was at work for another request, or after it had looked for wakes the last time. */
  private takeOver(live: LiveExecution, advance: Advance): Effect.Effect<void> {
    const unseen =
      advance._tag === "Fenced" || (advance._tag === "NotRun" && advance.reason._tag === "Unknown");
    const left = live.joined.filter(({ _tag }) => _tag === "TimerDue" || unseen);
    const mode = live.wakeRequested;
    const [first, ...rest]: ReadonlyArray<AdvanceRequest> =
      left.length > 0 || !mode ? left : [{ _tag: "Wake", mode }];
    if (!first) return Effect.void;
    return this.advance(live.registered, live.executionId, first).pipe(
      Effect.map((next) => {
        next.joined.push(...rest);
        if (left.length > 0 && mode) next.requestWake(mode);
        live.next = next;
      }),
    );
  }

  /** Tells those who wait for the end here, and the parent: as a fact of its history first, so that the wake may be lost. */
  private announce(executionId: string, parent: WakeTarget | undefined): Effect.Effect<void> {
    const completion = this.completions.get(executionId);
    if (completion) Deferred.doneUnsafe(completion, Effect.void);
    this.completions.delete(executionId);
    return parent ? this.tellParent(`Child/${executionId}`, parent) : Effect.void;
  }

  private tellParent(name: string, parent: WakeTarget): Effect.Effect<void> {
    return Effect.suspend(() => {
      const live = this.lives.get(parent.executionId);
      if (!live?.log) return this.tellParentElsewhere(name, parent);
      // Stored at once: a parent that is fenced takes nothing of its own along, and its heir may wait for this child.
      return Effect.flatMap(this.completeDeferred(live, name, doneExit), (stored) =>
        stored ? Effect.void : this.tellParentElsewhere(name, parent),
      );
    });
  }

  private tellParentElsewhere(name: string, parent: WakeTarget): Effect.Effect<void> {
    const { clock, journal, nextWriter, wakes } = this.context;
    const done = (): HistoryEvent => ({
      _tag: "DeferredDone",
      name,
      exit: doneExit,
      atEpochMs: clock.currentTimeMillisUnsafe(),
    });
    return appendFact(journal, parent.executionId, nextWriter, (state) =>
      state.started && acceptsDeferred(state, name) ? [done()] : [],
    ).pipe(
      Effect.orDie,
      Effect.flatMap((state) => (state.completed ? Effect.void : wakes.wake(parent, "automatic"))),
    );
  }
}
