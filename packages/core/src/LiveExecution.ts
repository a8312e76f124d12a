/**
 * One execution while this process runs it: its log, its current run, and the wakes that arrived meanwhile.
 *
 * There is at most one per execution and process; other processes are kept off by the journal alone.
 */
import { Cause, Context, Deferred, Effect, type Fiber, type Scope } from "effect";
import type { Workflow, WorkflowEngine } from "effect/workflow";
import type { BodyReplay } from "./BodyReplay.ts";
import type { ExecutionLog, FlushOutcome } from "./ExecutionLog.ts";
import type {
  ClockScheduled,
  DeferredDone,
  ExecutionStarted,
  HistoryEvent,
} from "./HistoryEvent.ts";
import type { AdvanceRequest, NotRun, WakeMode } from "./Decision.ts";
import { resultLingerMs } from "./Limits.ts";
import type { Wakes } from "./Wakes.ts";
import type { WorkflowClock } from "./WorkflowClock.ts";
import type { WorkflowCodec } from "./WorkflowCodec.ts";

/** A workflow that this process has code for. */
export interface RegisteredWorkflow {
  readonly workflow: Workflow.Any;
  readonly execute: (
    payload: object,
    executionId: string,
  ) => Effect.Effect<
    unknown,
    unknown,
    WorkflowEngine.WorkflowInstance | WorkflowEngine.WorkflowEngine
  >;
  readonly codec: WorkflowCodec;
  /** Of the registration: closing it interrupts the runs. */
  readonly scope: Scope.Scope;
}

/** How an attempt to advance an execution ended. */
export type Advance =
  | { readonly _tag: "Ended"; readonly result: Workflow.Result<unknown, unknown> }
  /** Another process took the execution over; it makes the progress. */
  | { readonly _tag: "Fenced" }
  | { readonly _tag: "NotRun"; readonly reason: NotRun };

/**
 * Until when the process may count on running, in milliseconds since the epoch: a Lambda invocation's deadline.
 * The lease of a run ends there; without one (a long-lived process) it is as long as the engine was told.
 */
export const ProcessDeadline = Context.Reference<number | undefined>(
  "@millrace/core/ProcessDeadline",
  { defaultValue: () => undefined },
);

/**
 * Ends when the process is told to stop, whatever its deadline: its runs then yield as they would near the deadline.
 * Nothing where nobody can tell it (a function: Lambda gives no notice).
 */
export const ProcessStop = Context.Reference<Effect.Effect<void> | undefined>(
  "@millrace/core/ProcessStop",
  { defaultValue: () => undefined },
);

export class LiveExecution {
  readonly executionId: string;
  readonly registered: RegisteredWorkflow;
  /** Completed when the log is open, before the body runs. */
  readonly opened: Deferred.Deferred<ExecutionLog | undefined> = Deferred.makeUnsafe();
  readonly ended: Deferred.Deferred<Advance> = Deferred.makeUnsafe();
  log: ExecutionLog | undefined;
  started: typeof ExecutionStarted.Type | undefined;
  bodyClock: WorkflowClock | undefined;
  bodyFiber: Fiber.Fiber<unknown, unknown> | undefined;
  /** The body came to an end of its own: what runs now are compensations and finalizers, which a request to interrupt no longer stops. */
  bodyEnded = false;
  /** This process stops running it: its layer is being closed. */
  closing = false;
  /** The current run of the body was interrupted from outside, so that a replay follows. */
  preempted = false;
  /** What the current run of the body has asked for. */
  replay: BodyReplay | undefined;
  /** Attempts of activities that are running, by `activityKey`. */
  readonly running = new Map<string, { readonly name: string; readonly attempt: number }>();
  /** Code version of the run before the one of this process. */
  recordedVersion: string | undefined;
  /** Why the execution is to be parked at the end of this run of the body. */
  parking: Cause.Cause<never> | undefined;
  /** Parts of the engine that branches of the body wait for: where such a branch goes next is not known yet. */
  awaited = 0;
  /** The process comes to its end: the run is to be given up to the next one. */
  yielding: "its time is over" | "told to stop" | undefined;
  /** The instances of all runs in this process, the current one last. */
  readonly instances: Array<WorkflowEngine.WorkflowInstance["Service"]> = [];
  /**
   * Why the engine could not go on (a store or a queue that stayed away). The run is given up and nothing more of it is
   * recorded: an outage is no result of the workflow. The message comes back, and a later run replays.
   */
  breakdown: Cause.Cause<never> | undefined;
  /** The live execution that took over what came too late for this one. */
  next: LiveExecution | undefined;
  /** Starts and due timers that came while this one was at work for another request. */
  readonly joined: Array<AdvanceRequest> = [];
  /** The strongest wake that arrived during the run. */
  wakeRequested: WakeMode | undefined;
  private timersToSend: Array<typeof ClockScheduled.Type> = [];
  private lingering = false;
  private readonly wakes: Wakes["Service"];

  constructor(executionId: string, registered: RegisteredWorkflow, wakes: Wakes["Service"]) {
    this.executionId = executionId;
    this.registered = registered;
    this.wakes = wakes;
  }

  /** The end of this run, and of those that took over what came too late for it. */
  readonly settled: Effect.Effect<{ readonly live: LiveExecution; readonly advance: Advance }> =
    Effect.suspend(() => Deferred.await(this.ended)).pipe(
      Effect.flatMap((advance) => this.next?.settled ?? Effect.succeed({ live: this, advance })),
    );

  get instance(): WorkflowEngine.WorkflowInstance["Service"] | undefined {
    return this.instances.at(-1);
  }

  /** The completion of a deferred, stored or about to be. */
  deferredOf(name: string): typeof DeferredDone.Type | undefined {
    return this.log?.state.deferreds.get(name) ?? this.log?.findRecorded(isDeferredDone(name));
  }

  /** Owner-local resources may be freed, durable finalizers and compensations must not run: somebody else replays. */
  abandon(): void {
    for (const instance of this.instances) instance.abandoned = true;
  }

  /** Runs a part of the engine inside the body: its failure breaks the run down, instead of becoming the body's. */
  orBreakDown<A>(part: Effect.Effect<A>): Effect.Effect<A> {
    const counted = Effect.ensuring(
      Effect.suspend(() => {
        this.awaited++;
        return part;
      }),
      Effect.sync(() => this.awaited--),
    );
    return Effect.catchCause(counted, (cause) => {
      if (Cause.hasInterruptsOnly(cause)) return Effect.failCause(cause);
      this.breakdown ??= cause;
      this.log?.close();
      this.abandon();
      this.bodyFiber?.interruptUnsafe();
      return Effect.interrupt;
    });
  }

  open(log: ExecutionLog): void {
    this.log = log;
    log.onStored((events) => {
      for (const event of events) {
        if (event._tag === "ClockScheduled") this.timersToSend.push(event);
      }
    });
  }

  requestWake(mode: WakeMode): void {
    this.wakeRequested = mode === "explicit" ? mode : (this.wakeRequested ?? mode);
  }

  /** Asks again for a timer that is stored already; a crash after its commit may have lost the first request. */
  askTimerAgain(clock: typeof ClockScheduled.Type): Effect.Effect<void> {
    this.timersToSend.push(clock);
    return this.sendTimers;
  }

  /** Stores what was recorded and then asks for the timers that are now facts. Store failures are defects: the run ends, the message returns. */
  readonly flush: Effect.Effect<FlushOutcome> = Effect.suspend(() =>
    this.log
      ? Effect.flatMap(Effect.orDie(this.log.flush), (outcome) => {
          this.afterFlush(outcome === "fenced");
          return this.timersToSend.length === 0
            ? Effect.succeed(outcome)
            : Effect.as(this.sendTimers, outcome);
        })
      : Effect.succeed("fenced" as const),
  );

  /** Makes sure that the start is in the journal, for callers who leave before the run stops. */
  readonly storeStart = Effect.andThen(
    Deferred.await(this.opened),
    Effect.suspend(() => (this.log?.state.started ? Effect.void : Effect.asVoid(this.flush))),
  );

  /** Stores results that no other flush has taken along, after a short while. */
  readonly linger = Effect.suspend(() => {
    if (this.lingering) return Effect.void;
    this.lingering = true;
    return Effect.sleep(resultLingerMs).pipe(
      Effect.andThen(
        Effect.suspend(() => {
          this.lingering = false;
          return this.flush;
        }),
      ),
      Effect.forkIn(this.registered.scope),
      Effect.asVoid,
    );
  });

  private readonly sendTimers = Effect.suspend(() => {
    const due = this.timersToSend;
    this.timersToSend = [];
    return Effect.forEach(
      due,
      (clock) =>
        this.wakes.timer({
          workflow: this.registered.workflow._tag,
          executionId: this.executionId,
          clock: clock.name,
          wakeAtEpochMs: clock.wakeAtEpochMs,
        }),
      { discard: true },
    );
  });

  /** A fenced run is abandoned; one whose sight was overtaken is preempted, and its loop replays it. */
  private afterFlush(fenced: boolean): void {
    if (fenced) this.abandon();
    if (fenced) this.bodyFiber?.interruptUnsafe();
    else if (this.log?.needsReplay()) this.preempt();
  }

  /** Interrupts the body where it is; its loop replays it. */
  preempt(): void {
    if (!this.instance || !this.bodyFiber || this.bodyEnded) return;
    this.preempted = true;
    this.instance.suspended = true;
    this.bodyFiber.interruptUnsafe();
  }
}

/** Whether the event completes the named deferred. */
export const isDeferredDone =
  (name: string) =>
  (event: HistoryEvent): event is Extract<HistoryEvent, { _tag: "DeferredDone" }> =>
    event._tag === "DeferredDone" && event.name === name;

/** Whether the event schedules the named clock. */
export const isClockScheduled =
  (name: string) =>
  (event: HistoryEvent): event is Extract<HistoryEvent, { _tag: "ClockScheduled" }> =>
    event._tag === "ClockScheduled" && event.name === name;
