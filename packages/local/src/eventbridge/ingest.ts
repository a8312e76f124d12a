/**
 * Taking events: into the archives of the bus, and for each matching rule into the outbox, one delivery per target.
 * Everything about one call is one transaction, so an accepted event is delivered even if the process dies.
 */
import { randomUUID } from "node:crypto";
import { localAccount } from "../LocalAccount.ts";
import { transaction } from "../sqlite.ts";
import { ruleArn } from "./EventNames.ts";
import type { Archive, EventState, Rule, Target } from "./EventState.ts";
import { inputOf } from "./TargetInput.ts";

/** Source: RetryPolicy in the EventBridge API reference. */
export const attemptsDefault = 185;
export const ageSecondsDefault = 86_400;
const dayMs = 86_400_000;

export interface TakenEvent {
  readonly bus: string;
  readonly timeMs: number;
  /** The whole event as JSON. */
  readonly text: string;
}

/** `detail` is JSON text and stays as it was written, numbers included. */
export const makeEvent = (event: {
  readonly bus: string;
  readonly source: string;
  readonly detailType: string;
  readonly detail: string;
  readonly resources: ReadonlyArray<string>;
  readonly timeMs: number;
}): TakenEvent & { readonly id: string } => {
  const id = randomUUID();
  const head = JSON.stringify({
    version: "0",
    id,
    "detail-type": event.detailType,
    source: event.source,
    account: localAccount.accountId,
    time: eventTime(event.timeMs),
    region: localAccount.region,
    resources: event.resources,
  });
  const timeMs = Math.floor(event.timeMs / 1_000) * 1_000;
  const text = `${head.slice(0, -1)},"detail":${event.detail.trim()}}`;
  return { id, bus: event.bus, timeMs, text };
};

/** Whole seconds, as AWS writes them. */
const eventTime = (epochMs: number): string => `${new Date(epochMs).toISOString().slice(0, 19)}Z`;

/** The same event, marked as replayed. */
export const replayedText = (event: string, replay: string): string =>
  `${event.slice(0, -1)},"replay-name":${JSON.stringify(replay)}}`;

/** Takes fresh events. */
export const takeEvents = (
  state: EventState,
  events: ReadonlyArray<TakenEvent>,
  nowMs: number,
): void =>
  transaction(state.database, () => {
    for (const event of events) {
      for (const archive of state.archives.all()) archiveEvent(state, archive, event, nowMs);
      routeEvent(state, event.bus, event.text, nowMs, () => true);
    }
  });

const archiveEvent = (
  state: EventState,
  archive: Archive,
  event: TakenEvent,
  nowMs: number,
): void => {
  if (archive.bus !== event.bus) return;
  if (archive.pattern !== undefined && !state.matches(archive.pattern, event.text)) return;
  state.archived.add(archive.name, event.timeMs, event.text);
  expireArchive(state, archive, nowMs);
};

/** Forgets what an archive may no longer hold. */
export const expireArchive = (state: EventState, archive: Archive, nowMs: number): void => {
  if (archive.retentionDays > 0) {
    state.archived.expire(archive.name, nowMs - archive.retentionDays * dayMs);
  }
};

/** Promises an event to the targets of the matching, enabled rules that `wanted` lets through. */
export const routeEvent = (
  state: EventState,
  bus: string,
  event: string,
  nowMs: number,
  wanted: (rule: Rule) => boolean,
): void => {
  for (const rule of state.rulesOf(bus)) {
    if (rule.enabled && wanted(rule) && state.matches(rule.pattern, event)) {
      for (const target of rule.targets) promise(state, rule, target, event, nowMs);
    }
  }
};

const promise = (
  state: EventState,
  rule: Rule,
  target: Target,
  event: string,
  nowMs: number,
): void => {
  const arn = ruleArn(rule.bus, rule.name);
  const ingestionTime = new Date(nowMs).toISOString();
  const { MaximumRetryAttempts = attemptsDefault, MaximumEventAgeInSeconds = ageSecondsDefault } =
    target.RetryPolicy ?? {};
  state.outbox.add({
    sourceArn: arn,
    targetArn: target.Arn,
    body: inputOf(target, event, { ruleArn: arn, ruleName: rule.name, ingestionTime }),
    takenMs: nowMs,
    attemptsMax: MaximumRetryAttempts,
    ageMsMax: MaximumEventAgeInSeconds * 1_000,
    deadLetterArn: target.DeadLetterConfig?.Arn,
  });
};
