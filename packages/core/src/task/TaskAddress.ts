/**
 * Who waits for a task: the execution, the step, and which launch of it. It travels as the task's `startedBy`, and names
 * the deferred that the task's end completes.
 *
 * A launch after a redrive is another one than the launch before it with the same number: what is still told of that one
 * must not pass for its end.
 *
 * Shape:  `<executionId>/<step>/<launch>/<redrives>`, 128 characters at most
 * Source: ECS API reference, RunTask `startedBy`: letters, numbers, hyphens, slashes and underscores
 */
export interface TaskAddress {
  readonly executionId: string;
  readonly step: string;
  /** From 1. */
  readonly launch: number;
  /** How often the execution had been redriven when the task was launched. */
  readonly redrives: number;
}

/** What a step that launches tasks may be called. */
export const taskStepPattern = /^[A-Za-z0-9_-]{1,40}$/;

const addressPattern = /^([A-Za-z0-9_-]{1,80})\/([A-Za-z0-9_-]{1,40})\/(\d{1,4})\/(\d{1,4})$/;

export const toStartedBy = ({ executionId, launch, redrives, step }: TaskAddress): string =>
  `${executionId}/${step}/${launch}/${redrives}`;

/** The address in a `startedBy`; nothing in anybody else's. */
export const readStartedBy = (text: string): TaskAddress | undefined => {
  const [, executionId, step, launch, redrives] = addressPattern.exec(text) ?? [];
  return executionId === undefined || step === undefined
    ? undefined
    : { executionId, step, launch: Number(launch), redrives: Number(redrives) };
};

const prefixOf = (step: string): string => `Task/${step}/`;

/** All deferreds of this kind are completed by tasks, and not by people. */
export const taskDeferredPrefix = "Task/";

/** The deferred that the end of the launched task completes. */
export const taskDeferred = ({
  launch,
  redrives,
  step,
}: Omit<TaskAddress, "executionId">): string => `${prefixOf(step)}${launch}/${redrives}`;

/** The clock of a launch's time limit. */
export const taskClock = (address: Omit<TaskAddress, "executionId">): string =>
  `${taskDeferred(address)} time limit`;

/** The deferred of a launch, by its activity's name. */
export const deferredOfLaunch = (activity: string, redrives: number): string => {
  const [, step = "", launch = ""] = /^(.+): launch (\d+)$/.exec(activity) ?? [];
  return taskDeferred({ step, launch: Number(launch), redrives });
};

/** The activity that launches. */
export const launchName = (step: string, launch: number): string => `${step}: launch ${launch}`;

/** Whether an activity or a clock is a part of one of the steps, which goes where the step goes. */
export const isPartOf = (steps: ReadonlySet<string>, name: string): boolean =>
  [...steps].some((step) => name.startsWith(`${step}: launch `) || name.startsWith(prefixOf(step)));
