/**
 * Replays stored histories against the code of today, without running anything: would executions that are on their way
 * go on, and would those that ended end the same?
 *
 * The real engine runs the bodies over a copy of the histories that nobody else sees. What a body asks for beyond its
 * history is not done, only noted; so this is safe to run anywhere, on histories of production too.
 */
import { Effect, Layer, Option, Predicate, Schema } from "effect";
import type { WorkflowEngine } from "effect/workflow";
import { canonicalJson } from "./CanonicalJson.ts";
import * as Engine from "./Engine.ts";
import type { HistoryDiverged } from "./EngineError.ts";
import { ExecutionRunner } from "./ExecutionRunner.ts";
import { type ExecutionState, foldCommits } from "./ExecutionState.ts";
import type { Commit, HistoryEvent } from "./HistoryEvent.ts";
import { Journal } from "./Journal.ts";
import { Wakes } from "./Wakes.ts";

/** What the code of today makes of a history. */
export type ReplayVerdict =
  /** It replays to its recorded end, or to where it stands. */
  | { readonly _tag: "Agrees" }
  /** The code asks for other steps. */
  | { readonly _tag: "Diverges"; readonly reason: string }
  /** The same steps, and another end. */
  | { readonly _tag: "EndsOtherwise"; readonly recorded: unknown; readonly replayed: unknown }
  /** Nothing can be said: why. */
  | { readonly _tag: "Unknown"; readonly reason: string };

export interface ReplayCheck {
  readonly executionId: string;
  readonly workflow: string;
  readonly verdict: ReplayVerdict;
}

type Histories = ReadonlyMap<string, ReadonlyArray<Commit>>;

/**
 * Checks each history, by execution id. `workflows` has the code; its activities are never run, so their services may be
 * stand-ins. Children are replayed from their own histories, which have to be among the given ones.
 */
export const checkReplay = Effect.fnUntraced(function* <E>(
  histories: Histories,
  workflows: Layer.Layer<never, E, WorkflowEngine.WorkflowEngine>,
) {
  const checks: Array<ReplayCheck> = [];
  for (const [executionId, commits] of histories) {
    const state = foldCommits(commits);
    const workflow = state.started?.workflow ?? "unknown";
    const verdict: ReplayVerdict = state.started
      ? yield* checkOne(histories, executionId, state, workflows)
      : { _tag: "Unknown", reason: "the history has no start" };
    checks.push({ executionId, workflow, verdict });
  }
  return checks;
});

const checkOne = Effect.fnUntraced(function* <E>(
  histories: Histories,
  executionId: string,
  recorded: ExecutionState,
  workflows: Layer.Layer<never, E, WorkflowEngine.WorkflowEngine>,
) {
  const asked: Array<string> = [];
  const missing = new Set<string>();
  const engine = Engine.layer({
    codeVersion: "of today",
    replayOnly: (id, step) => void (id === executionId && asked.push(step)),
  }).pipe(Layer.provide(silentWakes), Layer.provide(copyOf(histories, executionId, missing)));
  const runner = ExecutionRunner.use((runner) =>
    runner.wake({ workflow: recorded.started?.workflow ?? "", executionId }, "explicit"),
  ).pipe(
    Effect.map((advanced) => compare(recorded, advanced.state, asked, missing)),
    Effect.catchTag("WorkflowNotRegistered", (error) =>
      Effect.succeed<ReplayVerdict>({ _tag: "Unknown", reason: error.message }),
    ),
    Effect.catchDefect((defect) =>
      Effect.succeed<ReplayVerdict>({ _tag: "Diverges", reason: String(defect) }),
    ),
  );
  return yield* Effect.provide(runner, Layer.fresh(Layer.provideMerge(workflows, engine)));
});

const compare = (
  recorded: ExecutionState,
  replayed: ExecutionState,
  asked: ReadonlyArray<string>,
  missing: ReadonlySet<string>,
): ReplayVerdict => {
  // A run that was to be interrupted was so at some moment, and did not come as far as it could have.
  const interrupted = recorded.interrupt !== "none";
  if (missing.size > 0 && !interrupted) {
    return { _tag: "Unknown", reason: `it needs the history of ${[...missing].join(", ")}, too` };
  }
  const divergence = Option.getOrUndefined(divergenceOf(replayed.suspended?.result));
  if (divergence !== undefined) return { _tag: "Diverges", reason: divergence };
  if (!recorded.completed) return { _tag: "Agrees" };
  if (asked[0] !== undefined && !interrupted) {
    return { _tag: "Diverges", reason: `the code asks for "${asked[0]}" where the history ends` };
  }
  if (!replayed.completed) {
    return { _tag: "Diverges", reason: "the code waits where the history ends" };
  }
  const ends = [recorded.completed.result, replayed.completed.result] as const;
  return comparable(ends[0]) === comparable(ends[1])
    ? { _tag: "Agrees" }
    : { _tag: "EndsOtherwise", recorded: ends[0], replayed: ends[1] };
};

const ParkedByDivergence = Schema.Struct({
  cause: Schema.NonEmptyArray(
    Schema.Struct({
      defect: Schema.Struct({
        name: Schema.Literal("HistoryDiverged" satisfies HistoryDiverged["_tag"]),
        message: Schema.String,
      }),
    }),
  ),
});
const decodeParked = Schema.decodeUnknownOption(ParkedByDivergence);

const divergenceOf = (result: unknown): Option.Option<string> =>
  Option.map(decodeParked(result), ({ cause }) => cause[0].defect.message);

/** Names of fibers and stacks differ from run to run and mean nothing; so does how many fibers were interrupted. */
const runDependent: ReadonlySet<string> = new Set(["fiberId", "stack"]);
const interrupt = canonicalJson({ _tag: "Interrupt" });

const comparable = (result: unknown): string => canonicalJson(withoutRunDependent(result));

const withoutRunDependent = (value: unknown): unknown => {
  if (Array.isArray(value)) {
    const members = value.map(withoutRunDependent);
    const first = members.findIndex((member) => canonicalJson(member) === interrupt);
    return members.filter((member, at) => at === first || canonicalJson(member) !== interrupt);
  }
  if (!Predicate.isObject(value)) return value;
  const members = Object.entries(value).filter(([name]) => !runDependent.has(name));
  return Object.fromEntries(members.map(([name, member]) => [name, withoutRunDependent(member)]));
};

const silentWakes = Layer.succeed(Wakes, { wake: () => Effect.void, timer: () => Effect.void });

/** A journal that shows the histories, the checked one without its end, and takes what is appended without keeping it. */
const copyOf = (histories: Histories, checked: string, missing: Set<string>) =>
  Layer.succeed(Journal, {
    load: (executionId, after) =>
      Effect.sync(() => {
        const commits = histories.get(executionId);
        if (!commits) missing.add(executionId);
        const shown = executionId === checked ? withoutEnd(commits ?? []) : (commits ?? []);
        return shown.filter(({ commit }) => commit > after);
      }),
    append: () => Effect.void,
  });

/** The history before it ended for the last time, with a free lease, and not paused. */
const withoutEnd = (commits: ReadonlyArray<Commit>): ReadonlyArray<Commit> => {
  const events = commits.flatMap((commit) => commit.events);
  const turn = events.findLastIndex(({ _tag }) => _tag === "Completed" || _tag === "Redriven");
  const shown = events.filter((event, index) => index !== turn || event._tag !== "Completed");
  const atEpochMs = events.at(-1)?.atEpochMs ?? 0;
  const yielded: HistoryEvent = { _tag: "RunYielded", owner: "", unfinished: [], atEpochMs };
  const [first, ...rest] = [...shown, yielded];
  const last = commits.at(-1);
  const resumed: HistoryEvent = { _tag: "Resumed", atEpochMs };
  return last ? [{ ...last, events: [first ?? yielded, ...rest, resumed] }] : [];
};
