/**
 * Everything that EventBridge knows: buses, rules with their targets, archives, replays, and what is to be delivered.
 */
import { EventPattern } from "@millrace/core";
import { Effect, Exit, Schema } from "effect";
import type { DatabaseSync } from "node:sqlite";
import type { AwsError } from "../AwsError.ts";
import { ArchiveStore } from "./ArchiveStore.ts";
import { Outbox } from "../delivery/Outbox.ts";
import { Documents } from "../Documents.ts";
import { invalidPattern, limitExceeded, notFound } from "./EventErrors.ts";
import { busName, defaultBus } from "./EventNames.ts";

const optional = Schema.optionalKey(Schema.String);

const Bus = Schema.Struct({
  name: Schema.String,
  description: optional,
  createdMs: Schema.Finite,
  modifiedMs: Schema.Finite,
});
export type Bus = typeof Bus.Type;

/** A target as PutTargets takes it and ListTargetsByRule shows it. */
export const Target = Schema.Struct({
  Id: Schema.String,
  Arn: Schema.String,
  RoleArn: optional,
  Input: optional,
  InputPath: optional,
  InputTransformer: Schema.optionalKey(
    Schema.Struct({
      InputPathsMap: Schema.optionalKey(Schema.Record(Schema.String, Schema.String)),
      InputTemplate: Schema.String,
    }),
  ),
  DeadLetterConfig: Schema.optionalKey(Schema.Struct({ Arn: optional })),
  RetryPolicy: Schema.optionalKey(
    Schema.Struct({
      MaximumRetryAttempts: Schema.optionalKey(Schema.Int),
      MaximumEventAgeInSeconds: Schema.optionalKey(Schema.Int),
    }),
  ),
});
export type Target = typeof Target.Type;

const Rule = Schema.Struct({
  name: Schema.String,
  bus: Schema.String,
  pattern: Schema.String,
  enabled: Schema.Boolean,
  description: optional,
  roleArn: optional,
  targets: Schema.Array(Target),
});
export type Rule = typeof Rule.Type;

const Archive = Schema.Struct({
  name: Schema.String,
  bus: Schema.String,
  pattern: optional,
  description: optional,
  /** 0 keeps events for ever. */
  retentionDays: Schema.Int,
  createdMs: Schema.Finite,
});
export type Archive = typeof Archive.Type;

export const ReplayState = Schema.Literals([
  "STARTING",
  "RUNNING",
  "CANCELLING",
  "COMPLETED",
  "CANCELLED",
  "FAILED",
]);
const Replay = Schema.Struct({
  name: Schema.String,
  archive: Schema.String,
  bus: Schema.String,
  description: optional,
  filterArns: Schema.Array(Schema.String),
  startMs: Schema.Finite,
  endMs: Schema.Finite,
  state: ReplayState,
  stateReason: optional,
  startedMs: Schema.Finite,
  endedMs: Schema.optionalKey(Schema.Finite),
  /** The end of the last minute, or second of a full minute, that was replayed. */
  replayedMs: Schema.optionalKey(Schema.Finite),
});
export type Replay = typeof Replay.Type;

/** Source: EventBridge quotas; the API takes 4,096 characters, an account has 2,048 unless raised. */
const patternCharactersMax = 2_048;

export const compilePattern = (
  pattern: string,
): Effect.Effect<EventPattern.EventPattern, AwsError> =>
  pattern.length > patternCharactersMax
    ? Effect.fail(
        limitExceeded(
          `The event pattern is longer than the quota of ${patternCharactersMax} characters.`,
        ),
      )
    : EventPattern.compile(pattern).pipe(Effect.mapError(({ message }) => invalidPattern(message)));

export class EventState {
  readonly database: DatabaseSync;
  readonly buses: Documents<Bus>;
  readonly rules: Documents<Rule>;
  readonly archives: Documents<Archive>;
  readonly replays: Documents<Replay>;
  readonly archived: ArchiveStore;
  readonly outbox: Outbox;
  readonly #patterns = new Map<string, EventPattern.EventPattern | undefined>();

  constructor(database: DatabaseSync) {
    const table = "events_documents";
    this.database = database;
    this.buses = new Documents(database, { table, kind: "bus" }, Bus);
    this.rules = new Documents(database, { table, kind: "rule" }, Rule);
    this.archives = new Documents(database, { table, kind: "archive" }, Archive);
    this.replays = new Documents(database, { table, kind: "replay" }, Replay);
    this.archived = new ArchiveStore(database);
    this.outbox = new Outbox(database, "events_outbox");
  }

  /** Fails: ResourceNotFoundException. The default bus is always there. */
  needBus(reference: string | undefined): Effect.Effect<string, AwsError> {
    const name = busName(reference);
    return name === defaultBus || this.buses.get(name) !== undefined
      ? Effect.succeed(name)
      : Effect.fail(notFound(`Event bus ${name} does not exist.`));
  }

  needRule(reference: string | undefined, rule: string): Effect.Effect<Rule, AwsError> {
    return this.needBus(reference).pipe(
      Effect.flatMap((bus) => {
        const found = this.rules.get(ruleKey(bus, rule));
        return found === undefined
          ? Effect.fail(notFound(`Rule ${rule} does not exist on EventBus ${bus}.`))
          : Effect.succeed(found);
      }),
    );
  }

  rulesOf(bus: string): ReadonlyArray<Rule> {
    return this.rules.all().filter((rule) => rule.bus === bus);
  }

  /** Whether an event matches a stored pattern; each pattern text is read once. */
  matches(pattern: string, event: string): boolean {
    if (!this.#patterns.has(pattern)) {
      const compiled = Effect.runSyncExit(EventPattern.compile(pattern));
      this.#patterns.set(pattern, Exit.isSuccess(compiled) ? compiled.value : undefined);
    }
    return this.#patterns.get(pattern)?.matches(event) ?? false;
  }
}

export const ruleKey = (bus: string, rule: string): string => `${bus}\n${rule}`;
