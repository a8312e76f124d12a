/**
 * Makes a new, linked execution out of the beginning of another one, with the same input or a changed one.
 *
 * Its id is derived from what it is made of, so forking twice the same gives one fork, and a fork that was broken off
 * is completed by whoever asks for it again: what is stored is compared, and the rest is appended.
 */
import { Clock, Context, Effect } from "effect";
import type { Workflow } from "effect/workflow";
import { askAgain } from "./askAgain.ts";
import { canonicalHash, canonicalJson } from "./CanonicalJson.ts";
import { decideFork, type Fork } from "./decideFork.ts";
import { ForkPayloadInvalid, HistoryConflict, WorkflowUnknown } from "./ExecutionRefusal.ts";
import { evolveCommits, initialState } from "./ExecutionState.ts";
import type { Commit, HistoryEvent } from "./HistoryEvent.ts";
import { Journal } from "./Journal.ts";
import { commitBytesMax } from "./Limits.ts";
import { makeWriter } from "./makeWriter.ts";
import { oneLine } from "./oneLine.ts";
import { PayloadIdentity } from "./PayloadIdentity.ts";
import { recordRow } from "./reindex.ts";
import { Wakes } from "./Wakes.ts";
import { makeWorkflowCodec } from "./WorkflowCodec.ts";

export interface ForkOptions {
  /** Number of the last event of the original that counts, from 1; `millrace show` numbers them. */
  readonly afterEvent: number;
  /** JSON of the new payload. @default the original's payload */
  readonly payload?: unknown;
  /** Tells forks from the same event with the same payload apart, and why. */
  readonly label?: string | undefined;
  /** The workflows whose payloads can be checked here. */
  readonly workflows: ReadonlyArray<Workflow.Any>;
}

/** What a fork came to. */
export interface ForkedExecution {
  readonly executionId: string;
  readonly workflow: string;
  readonly forkedFrom: { readonly executionId: string; readonly event: number };
  /** Facts of the original that count in the fork. */
  readonly facts: number;
  /** False when it was there already. */
  readonly created: boolean;
}

/** Forks one execution, and asks for the fork to be run. */
export const fork = Effect.fn("fork")(function* (executionId: string, options: ForkOptions) {
  const journal = yield* Journal;
  const wakes = yield* Wakes;
  const history = yield* askAgain(journal.load(executionId, 0));
  const planned = yield* Effect.fromResult(
    decideFork(history, {
      executionId,
      afterEvent: options.afterEvent,
      label: options.label,
      input: yield* readInput(executionId, history, options),
      atEpochMs: yield* Clock.currentTimeMillis,
    }),
  );
  const { created, state } = yield* store(planned);
  const { started } = planned;
  const target = { executionId: planned.executionId, workflow: started.workflow };
  // Who made it may have died before the row and the wake: they are repeated until somebody has run it.
  if (state.runCount === 0) {
    yield* recordRow(planned.executionId, state);
    yield* wakes.wake(target, "explicit");
  }
  return {
    ...target,
    forkedFrom: { executionId, event: options.afterEvent },
    facts: planned.facts.length,
    created,
  } satisfies ForkedExecution;
});

/** The new payload as its workflow writes it. */
const readInput = Effect.fnUntraced(function* (
  executionId: string,
  history: ReadonlyArray<Commit>,
  { payload, workflows }: ForkOptions,
) {
  const started = history
    .flatMap((commit) => commit.events)
    .find((event) => event._tag === "ExecutionStarted");
  if (payload === undefined || !started) return undefined;
  const workflow = workflows.find(({ _tag }) => _tag === started.workflow);
  if (!workflow) return yield* new WorkflowUnknown({ executionId, workflow: started.workflow });
  const codec = makeWorkflowCodec(workflow);
  const encoded = yield* codec.decodePayload(payload).pipe(
    Effect.flatMap(codec.encodePayload),
    Effect.mapError(
      ({ message }) =>
        new ForkPayloadInvalid({
          executionId,
          workflow: started.workflow,
          reason: oneLine(message),
        }),
    ),
  );
  const identity = Context.get(workflow.annotations, PayloadIdentity);
  return { payload: encoded, payloadHash: canonicalHash(identity(encoded)) };
});

/** Appends what of the fork is not stored yet. */
const store = Effect.fnUntraced(function* ({ executionId, facts, started }: Fork) {
  const journal = yield* Journal;
  const writer = yield* makeWriter("fork");
  const wanted: ReadonlyArray<HistoryEvent> = [...facts, started];
  const state = initialState();
  /** How many of the wanted events are stored. */
  let stored = 0;
  let created = false;
  while (true) {
    const tail = yield* askAgain(journal.load(executionId, state.commit));
    for (const commit of tail) {
      if (state.started) break;
      if (!isBeginning(commit.events, wanted.slice(stored))) {
        return yield* new HistoryConflict({ executionId, commit: commit.commit });
      }
      stored += commit.events.length;
      evolveCommits(state, [commit]);
    }
    evolveCommits(
      state,
      tail.filter(({ commit }) => commit > state.commit),
    );
    const [first, ...rest] = state.started ? [] : fitting(wanted.slice(stored));
    if (!first) return { created, state };
    created = yield* askAgain(
      journal.append({
        executionId,
        commit: state.commit + 1,
        writer: `${writer}/${state.commit + 1}`,
        events: [first, ...rest],
      }),
    ).pipe(
      Effect.as(true),
      Effect.catchTag("JournalConflict", () => Effect.succeed(false)),
    );
  }
});

/** Whether the stored events are the next ones of the fork; the start may have been made at another time. */
const isBeginning = (
  stored: ReadonlyArray<HistoryEvent>,
  wanted: ReadonlyArray<HistoryEvent>,
): boolean =>
  stored.every((event, index) => {
    const expected = wanted[index];
    return (
      expected !== undefined && canonicalJson(untimed(event)) === canonicalJson(untimed(expected))
    );
  });

const untimed = (event: HistoryEvent): HistoryEvent =>
  event._tag === "ExecutionStarted" ? { ...event, atEpochMs: 0 } : event;

/** As many of the events, from the first on, as one commit may hold: at least one, which the original's commit held. */
const fitting = (events: ReadonlyArray<HistoryEvent>): ReadonlyArray<HistoryEvent> => {
  let bytes = 2;
  const end = events.findIndex((event, index) => {
    bytes += Buffer.byteLength(JSON.stringify(event)) + 1;
    return index > 0 && bytes > commitBytesMax;
  });
  return end === -1 ? events : events.slice(0, end);
};
