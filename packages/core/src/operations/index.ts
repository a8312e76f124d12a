/**
 * What an operator does to many executions at once: choosing them, counting them, pacing the work, putting things right.
 */
export { decideReplay, type ReplayAction, ReplayMode } from "./decideReplay.ts";
export { type Letter, type RawLetter, readLetter, type WayBack, wayBackOf } from "./Letter.ts";
export { forEachPaced, makePace, parseRate } from "./Pace.ts";
export {
  type ExecutionFinding,
  type ListedVersion,
  type ObjectWithoutExecution,
  type OutputFinding,
  type OutputRef,
  type Reconciliation,
  type ReconciliationInput,
  reconcile,
} from "./Reconciliation.ts";
export {
  beforeSteps,
  carryOutReplay,
  makeReplayPlan,
  type ReplayCounts,
  type ReplayOutcome,
  type ReplayPlan,
  type ReplayRequest,
  type ReplayStep,
  type TriggeredExecution,
} from "./ReplayPlan.ts";
export { checkRerun, rerun } from "./rerun.ts";
export { checkLetter, type Returned, returnLetter } from "./returnLetter.ts";
export { rowPages } from "./rowPages.ts";
export { type Standing, standingOf } from "./standingOf.ts";
