export * as Engine from "./Engine.ts";
export { AlreadyEnded, cancel, type CancelledExecution, type CancelOptions } from "./cancel.ts";
export { checkReplay, type ReplayCheck, type ReplayVerdict } from "./checkReplay.ts";
export { Durability } from "./Durability.ts";
export * from "./EngineError.ts";
export * from "./ExecutionRefusal.ts";
export { ExecutionRunner } from "./ExecutionRunner.ts";
export { describeCause } from "./EncodedExit.ts";
export { fork, type ForkedExecution, type ForkOptions } from "./fork.ts";
export * as HistoryFile from "./HistoryFile.ts";
export * as Idempotency from "./Idempotency.ts";
export { layerCached as layerIdempotencyCached } from "./IdempotencyCache.ts";
export {
  type Claim,
  type ClaimRequest,
  type Completion,
  IdempotencyStore,
  IdempotencyStoreUnavailable,
} from "./IdempotencyStore.ts";
export { IntakePauses, Pause, PausesUnavailable } from "./IntakePauses.ts";
export { Journal } from "./Journal.ts";
export { ProcessDeadline, ProcessStop } from "./LiveExecution.ts";
export {
  layerOf as layerLargeValuesOf,
  LargeValues,
  LargeValueLost,
  LargeValueUnavailable,
} from "./LargeValues.ts";
export { Wakes } from "./Wakes.ts";
export * from "./Catalog.ts";
export * as Concurrency from "./Concurrency.ts";
export * as DeadLetter from "./DeadLetter.ts";
export * from "./ExecutionQuery.ts";
export * from "./Executions.ts";
export * from "./Failure.ts";
export * as FargateTask from "./FargateTask.ts";
export { FailureHandler } from "./FailureHandler.ts";
export { Undoes } from "./Undoes.ts";
export { makeActivity } from "./makeActivity.ts";
export * as Mask from "./Mask.ts";
export * as Metrics from "./Metrics.ts";
export { announceLife, type LifeOf } from "./announceLife.ts";
export * from "./Lifecycle.ts";
export { MessageQueue, QueueUnavailable } from "./MessageQueue.ts";
export {
  type ObjectAnnouncement,
  ObjectCreated,
  ObjectRef,
  objectIdentity,
  objectName,
  toEventText,
} from "./ObjectEvent.ts";
export {
  judgeVersion,
  type ObjectHead,
  ObjectHeads,
  ObjectHeadsUnavailable,
  sequencerOrder,
} from "./ObjectHeads.ts";
export * from "./ObjectStore.ts";
export { type ObjectVersion, toObjectCreated } from "./ObjectVersion.ts";
export { pause, type PausedExecution, resume } from "./pause.ts";
export { PayloadIdentity } from "./PayloadIdentity.ts";
export * as QueueSchedules from "./QueueSchedules.ts";
export * as QueueWakes from "./QueueWakes.ts";
export * as Operations from "./operations/index.ts";
export { planRedrive, redrive, type RedrivenExecution } from "./redrive.ts";
export * as RateLimit from "./RateLimit.ts";
export { reindex, reindexFrom } from "./reindex.ts";
export * as Retry from "./Retry.ts";
export * as Secrets from "./Secrets.ts";
export * as EnvironmentSecrets from "./EnvironmentSecrets.ts";
export {
  type ScheduledMessage,
  ScheduleRefused,
  Schedules,
  SchedulerUnavailable,
} from "./Schedules.ts";
export { type Change, SharedState, SharedStateUnavailable } from "./SharedState.ts";
export { type Signal, signal, SignalRefused } from "./signal.ts";
export * as Sweeper from "./Sweeper.ts";
export { inSpan, linkSpan, Tracing } from "./traceRun.ts";
export {
  type TaskRequest,
  type TaskSize,
  TaskNotLaunched,
  TaskNotStopped,
  Tasks,
} from "./Tasks.ts";
export * as Timeout from "./Timeout.ts";
export { toTaskPattern } from "./task/taskPattern.ts";
export { refusalOf, toEventPattern, type Trigger } from "./Trigger.ts";
export { ExecutionRedrives, ExecutionVersion, WorkflowVersion } from "./WorkflowVersion.ts";
export { type Delivery, type Handled, type Pipeline, Worker } from "./Worker.ts";
export * as EventPattern from "./EventPattern.ts";
export type { Commit, HistoryEvent } from "./HistoryEvent.ts";
