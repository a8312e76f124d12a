/** EventBridge Scheduler's notation of an instant; pure. */

/** The instant as a one-time expression: whole seconds, rounded up, because a timer must not fire early. */
export const atExpression = (epochMs: number): string =>
  `at(${new Date(Math.ceil(epochMs / 1_000) * 1_000).toISOString().slice(0, 19)})`;
