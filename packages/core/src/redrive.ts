/**
 * Lets a failed or parked execution go on from its failed step, with its old history kept.
 *
 * The decision is one appended fact, so of two redrives at once one counts. The row says "running" before the fact is
 * stored: when this process dies, the sweeper finds an execution that nobody runs, or a row to put right. Whoever asks
 * for a redrive again is refused, and repeats the row and the wake.
 *
 * A child that failed is redriven before the parent that failed of it, and the parent's run takes it from there. Nothing
 * is appended anywhere when one of them may not be redriven.
 */
import { Clock, Effect } from "effect";
import { askAgain } from "./askAgain.ts";
import { decideRedrive, type RedriveRefusal } from "./decideRedrive.ts";
import type { NotFailed } from "./ExecutionRefusal.ts";
import { type Executions, type ExecutionStatus, statusOf } from "./Executions.ts";
import { evolve, type ExecutionState, foldCommits } from "./ExecutionState.ts";
import { toldChildren } from "./failedFacts.ts";
import type { Redriven } from "./HistoryEvent.ts";
import { Journal } from "./Journal.ts";
import type { LoadFailure } from "./JournalError.ts";
import { makeWriter } from "./makeWriter.ts";
import { recordRow } from "./reindex.ts";
import { Wakes } from "./Wakes.ts";

/** What a redrive did. */
export interface RedrivenExecution {
  readonly executionId: string;
  readonly workflow: string;
  /** What runs again because it is as if it had not been recorded. */
  readonly forgotten: (typeof Redriven.Type)["forget"];
  /** Children that were redriven with it. */
  readonly children: ReadonlyArray<RedrivenExecution>;
}

/** Redrives one execution; `reason` is kept in its history. */
export const redrive = Effect.fn("redrive")(
  function* (executionId: string, { reason }: { readonly reason: string }) {
    const wakes = yield* Wakes;
    while (true) {
      const plan = yield* planRedrive(executionId, reason);
      const redriven = yield* carryOut(plan);
      if (!redriven) continue;
      yield* wakes.wake({ executionId, workflow: redriven.workflow }, "explicit");
      return redriven;
    }
  },
  (effect, executionId) =>
    Effect.tapErrorTag(effect, "NotFailed", (error) => askForRedriven(executionId, error)),
);

interface Plan {
  readonly executionId: string;
  readonly state: ExecutionState;
  readonly event: typeof Redriven.Type;
  readonly children: ReadonlyArray<Plan>;
}

const loadState = Effect.fnUntraced(function* (executionId: string) {
  const journal = yield* Journal;
  const history = yield* askAgain(journal.load(executionId, 0));
  const state = foldCommits(history);
  return { history, state };
});

const isStopped = (status: ExecutionStatus | undefined): boolean =>
  status === "failed" || status === "parked";

/**
 * What is to be appended where, for the execution and the children that it failed of; fails where a redrive would be
 * refused. Costs reads only.
 */
export const planRedrive = (
  executionId: string,
  reason: string,
): Effect.Effect<Plan, RedriveRefusal | LoadFailure, Journal> =>
  Effect.gen(function* () {
    const { history, state } = yield* loadState(executionId);
    const children = yield* statusesOfChildren(state);
    const { children: toRedrive, event } = yield* Effect.fromResult(
      decideRedrive(history, {
        executionId,
        reason,
        atEpochMs: yield* Clock.currentTimeMillis,
        failedChildren: new Set(children.keys()),
      }),
    );
    // One that runs again already was redriven by somebody else, or by an attempt that died before it came to the parent.
    const stopped = toRedrive.filter((id) => isStopped(children.get(id)));
    return {
      executionId,
      state,
      event,
      children: yield* Effect.forEach(stopped, (id) =>
        planRedrive(id, `${reason} (with its parent ${executionId})`),
      ),
    };
  });

/** The children that the execution was told of and that have not succeeded. */
const statusesOfChildren = Effect.fnUntraced(function* (state: ExecutionState) {
  if (!state.started || !isStopped(statusOf(state))) return new Map<string, ExecutionStatus>();
  const children = yield* Effect.forEach(
    toldChildren(state),
    (id) => Effect.map(loadState(id), (child) => ({ id, status: statusOf(child.state) }) as const),
    { concurrency: 8 },
  );
  return new Map(
    children.flatMap(({ id, status }) => (status === "completed" ? [] : [[id, status] as const])),
  );
});

/** Appends what is planned, children first; nothing when somebody else appended meanwhile. */
const carryOut = (
  plan: Plan,
): Effect.Effect<
  RedrivenExecution | undefined,
  Effect.Error<ReturnType<typeof appendRedriven>>,
  Journal | Executions
> =>
  Effect.gen(function* () {
    const children: Array<RedrivenExecution> = [];
    for (const child of plan.children) {
      const redriven = yield* carryOut(child);
      if (!redriven) return undefined;
      children.push(redriven);
    }
    const isStored = yield* appendRedriven(plan);
    return isStored
      ? {
          executionId: plan.executionId,
          workflow: plan.state.started?.workflow ?? "",
          forgotten: plan.event.forget,
          children,
        }
      : undefined;
  });

const appendRedriven = Effect.fnUntraced(function* ({ event, executionId, state }: Plan) {
  const journal = yield* Journal;
  const writer = yield* makeWriter("redrive");
  const commit = state.commit + 1;
  evolve(state, event);
  // Open before the fact is stored: from here on the sweeper looks after it, whatever becomes of this process.
  yield* recordRow(executionId, state);
  const isStored = yield* askAgain(
    journal.append({ executionId, commit, writer, events: [event] }),
  ).pipe(
    Effect.as(true),
    Effect.catchTag("JournalConflict", () => Effect.succeed(false)),
  );
  if (!isStored) return false;
  state.commit = commit;
  yield* recordRow(executionId, state);
  return true;
});

/** Repeats the row and the wake of a redrive that nobody has taken up: whoever made it may have died before them. */
const askForRedriven = Effect.fnUntraced(function* (executionId: string, { status }: NotFailed) {
  if (status !== "running") return;
  const { state } = yield* loadState(executionId);
  if (!state.started || state.redriveCount === 0 || state.run || state.completed) return;
  const wakes = yield* Wakes;
  yield* recordRow(executionId, state);
  yield* wakes.wake({ executionId, workflow: state.started.workflow }, "explicit");
});
