/**
 * The invariants, checked after every run by reading what the stores hold and what the outside saw.
 *
 * Numbers are those of docs/simulation.md; each function below names the ones that it guards.
 */
import {
  type Commit,
  type HistoryEvent,
  type LifecycleEvent,
  type ObjectCreated,
  objectIdentity,
} from "@millrace/core";
import {
  schedulePrecisionMs,
  type SimulatedJournal,
  type SimulatedLargeValues,
  type SimulatedObjectStore,
  type SimulatedQueues,
} from "@millrace/core/testing/simulation";
import { pipelines } from "@millrace/workflows/topology";
import { parquetKey, partKeys } from "@millrace/workflows";
import { checkAnnouncements, checkInvoices, isSuperseded } from "./afterwards.ts";
import type { Ledger } from "./Ledger.ts";
import { receiptKey } from "./orders.ts";
import { startedByUploads } from "./simulatedPipelines.ts";
import type { Upload } from "./Scenario.ts";

export interface Violation {
  readonly invariant: string;
  readonly about: string;
  readonly what: string;
}

export interface Evidence {
  readonly uploads: ReadonlyArray<Upload>;
  readonly journal: SimulatedJournal;
  readonly objects: SimulatedObjectStore;
  readonly queues: SimulatedQueues;
  readonly values: SimulatedLargeValues;
  readonly ledger: Ledger;
  /** What was announced on the bus, repetitions included. */
  readonly announced: ReadonlyArray<LifecycleEvent>;
  /** Launches of tasks for which two containers were started. */
  readonly launchedTwice: ReadonlyArray<string>;
  /** Uploads that were not run because a newer one was there, by identity: the newer one's name. */
  readonly superseded: ReadonlyMap<string, string>;
  /** Only the newest version of an object is wanted. */
  readonly newest: boolean;
  /** Completed orders are invoiced. */
  readonly invoiced: boolean;
  readonly defects: ReadonlyArray<string>;
  readonly stop: string;
  readonly faultFree: boolean;
  /** What the sweeper found forgotten, and the messages that failed. */
  readonly nudged: number;
  readonly failedMessages: number;
  /** Nothing that was under way could get lost: what the sweeper finds then was forgotten by the engine. */
  readonly nothingLost: boolean;
}

/** One execution as its history tells it. */
export interface Told {
  readonly executionId: string;
  readonly commits: ReadonlyArray<Commit>;
  readonly events: ReadonlyArray<HistoryEvent>;
  readonly workflow: string;
  readonly key: string;
  readonly status: "completed" | "failed" | "open";
}

/** All violations of a run. */
export const checkInvariants = (evidence: Evidence): ReadonlyArray<Violation> => {
  const found: Array<Violation> = [];
  const violated = (invariant: string, about: string, what: string): void => {
    found.push({ invariant, about, what });
  };
  // What a damaged history holds nobody knows; what its family waits for may never come.
  const damaged = familiesOf(evidence.journal);
  const told = [...evidence.journal.executionIds]
    .filter((id) => !damaged.has(id))
    .map((id) => tell(id, evidence.journal.history(id)));
  for (const id of evidence.journal.damaged.keys()) {
    if (evidence.journal.isTakenForWhole(id)) violated("I2", id, "damaged, and read as if whole");
  }
  for (const execution of told) {
    checkHistory(evidence, execution, violated);
    checkOwners(execution, violated);
    checkTimers(evidence, execution, violated);
    checkDeeds(evidence, execution, violated);
  }
  checkUploads(evidence, told, violated);
  checkAnnouncements(evidence, told, violated);
  checkInvoices(evidence, told, violated);
  for (const launch of evidence.launchedTwice) violated("I8", launch, "two containers");
  if (evidence.stop === "stepsMax") violated("I11", "world", "livelock: too many steps");
  if (evidence.nothingLost && evidence.failedMessages === 0 && evidence.nudged > 0) {
    violated("I12", "sweeper", `${evidence.nudged} executions were forgotten without a fault`);
  }
  for (const defect of evidence.defects)
    violated("I9", "message", `failed of itself: ${defect.slice(0, 600)}`);
  return found;
};

/** Without faults a timer is at most this late, in milliseconds, not counting what a scheduler may take. */
const punctualMs = 5_000;

/** What a queue delays by itself, in milliseconds. Source: AWS SQS API reference, SendMessage DelaySeconds. */
const queueDelayMsMax = 900_000;

export type Violated = (invariant: string, about: string, what: string) => void;

const tell = (executionId: string, commits: ReadonlyArray<Commit>): Told => {
  const events = commits.flatMap((commit) => commit.events);
  const started = events.find((event) => event._tag === "ExecutionStarted");
  const turn = events.findLast(({ _tag }) => _tag === "Completed" || _tag === "Redriven");
  const completed = turn?._tag === "Completed" ? turn : undefined;
  return {
    executionId,
    commits,
    events,
    workflow: started?.workflow ?? "",
    key: started?.idempotencyKey ?? "",
    status: !completed ? "open" : isFailure(completed) ? "failed" : "completed",
  };
};

/** Whether it is the end of a failed execution. */
export const isFailure = ({ result }: Extract<HistoryEvent, { _tag: "Completed" }>): boolean =>
  JSON.stringify(result).includes(`"exit":{"_tag":"Failure"`);

/** I2, I3, I4: no gap, nothing overwritten, one end which is last, each fact once. */
const checkHistory = (
  { journal }: Evidence,
  { commits, events, executionId }: Told,
  violated: Violated,
): void => {
  for (const [index, { commit, writer }] of commits.entries()) {
    if (commit !== index + 1) violated("I2", executionId, `commit ${index + 1} is missing`);
    const first = journal.firstWriters.get(`${executionId}/${commit}`);
    if (first !== writer) violated("I2", executionId, `commit ${commit} was overwritten`);
  }
  const seen = new Set<string>();
  let [ended, failed] = [false, false];
  for (const event of events) {
    // After a failure a signal may still come: a redriven execution may wait for it.
    const isLateSignal = event._tag === "DeferredDone" && failed;
    if (ended && event._tag !== "Redriven" && !isLateSignal) {
      violated("I3", executionId, `${event._tag} after the end`);
    }
    if (event._tag === "Completed") failed = isFailure(event);
    ended = event._tag === "Completed" || (ended && isLateSignal);
    if (event._tag === "Redriven") {
      for (const fact of forgottenBy(event)) seen.delete(fact);
    }
    const fact = factOf(event);
    if (fact !== undefined && seen.has(fact)) violated("I4", executionId, `${fact} twice`);
    if (fact !== undefined) seen.add(fact);
  }
};

/** Names of the activities that count: recorded, and not forgotten by a redrive. */
const stepsOf = (events: ReadonlyArray<HistoryEvent>): ReadonlySet<string> => {
  const steps = new Set<string>();
  for (const event of events) {
    if (event._tag === "ActivityCompleted") steps.add(event.name);
    if (event._tag === "Redriven") {
      for (const { name } of event.forget.activities) steps.delete(name);
    }
  }
  return steps;
};

const forgottenBy = ({
  forget,
}: Extract<HistoryEvent, { _tag: "Redriven" }>): ReadonlyArray<string> => [
  ...forget.activities.map(({ attempt, name }) => `activity ${name} attempt ${attempt}`),
  ...forget.clocks.map((name) => `clock ${name}`),
  ...forget.deferreds.map((name) => `deferred ${name}`),
];

const factOf = (event: HistoryEvent): string | undefined => {
  switch (event._tag) {
    case "ExecutionStarted":
      return "ExecutionStarted";
    case "ActivityCompleted":
      return `activity ${event.name} attempt ${event.attempt}`;
    case "ClockScheduled":
      return `clock ${event.name}`;
    case "DeferredDone":
      return `deferred ${event.name}`;
    default:
      return undefined;
  }
};

/** A task that ended within its time limit: what the limit's clock would have completed, the task's end has. */
const isToldByTask = ({ exit }: Extract<HistoryEvent, { _tag: "DeferredDone" }>): boolean =>
  JSON.stringify(exit).includes(`"toldBy"`);

/** I4: no timer fires before its instant; without faults none is late. */
const checkTimers = (
  { faultFree }: Evidence,
  { events, executionId }: Told,
  violated: Violated,
): void => {
  for (const [index, clock] of events.entries()) {
    if (clock._tag !== "ClockScheduled") continue;
    // Its own: after a redrive that forgets it, another one of its name has another end.
    const after = events.slice(index);
    const end = after.findIndex(
      (event) => event._tag === "Redriven" && event.forget.clocks.includes(clock.name),
    );
    const done = after
      .slice(0, end < 0 ? undefined : end)
      .find((event) => event._tag === "DeferredDone" && event.name === clock.deferred);
    if (done?._tag !== "DeferredDone" || isToldByTask(done)) continue;
    const lateMs = done.atEpochMs - clock.wakeAtEpochMs;
    if (lateMs < 0) violated("I4", executionId, `${clock.name} fired ${-lateMs} ms early`);
    const isScheduled = clock.wakeAtEpochMs - clock.atEpochMs > queueDelayMsMax;
    if (faultFree && lateMs > punctualMs + (isScheduled ? schedulePrecisionMs : 0)) {
      violated("I11", executionId, `${clock.name} fired ${lateMs} ms late`);
    }
  }
};

/** I6: what a run stores comes from the latest run's owner; nobody writes after having been superseded. */
const checkOwners = ({ commits, executionId }: Told, violated: Violated): void => {
  let owner = "";
  for (const { commit, events, writer } of commits) {
    const run = events.find((event) => event._tag === "RunStarted");
    if (run) owner = run.owner;
    const isRuns = events.some(
      ({ _tag }) =>
        _tag === "ActivityCompleted" ||
        _tag === "Suspended" ||
        _tag === "Completed" ||
        _tag === "ClockScheduled",
    );
    if (isRuns && !writer.startsWith(`${owner}/`)) {
      violated("I6", executionId, `commit ${commit} is by a superseded run`);
    }
  }
};

/** I4 (effects are based on recorded results only) and I13 (one idempotency key per activity). */
const checkDeeds = (
  { ledger, values }: Evidence,
  { events, executionId, status, workflow }: Told,
  violated: Violated,
): void => {
  const results = JSON.stringify(events.filter((event) => event._tag === "ActivityCompleted"));
  const recorded = withLargeValues(results, values);
  const steps = stepsOf(events);
  if (steps.has("charge") && steps.has("bill")) {
    violated("I10", executionId, "two versions of the code are mixed in it");
  }
  const keys = new Map<string, string>();
  const deeds = ledger.deeds.filter((deed) => deed.executionId === executionId);
  for (const { activity, basedOn, idempotencyKey } of deeds) {
    const key = keys.get(activity) ?? idempotencyKey;
    keys.set(activity, key);
    if (key !== idempotencyKey) violated("I13", executionId, `${activity} used two keys`);
    for (const [name, token] of Object.entries(basedOn)) {
      if (!token.startsWith(name) || recorded.includes(`"${token}`)) continue;
      violated("I4", executionId, `${activity} was based on ${token}, which is not recorded`);
    }
  }
  if (workflow !== "Order") return;
  const did = (activity: string) => deeds.some((deed) => deed.activity === activity);
  if (status === "completed" && did("release"))
    violated("I5", executionId, "compensated, yet completed");
  if (status === "failed" && recorded.includes(`"reserve-`) && !did("release")) {
    violated("I7", executionId, "failed without its compensation");
  }
};

/** The text, and the values that it refers to. */
const withLargeValues = (text: string, { texts }: SimulatedLargeValues): string =>
  [...texts].reduce((all, [sha256, value]) => (text.includes(sha256) ? all + value : all), text);

/** The damaged executions with their parents and children. */
const familiesOf = (journal: SimulatedJournal): ReadonlySet<string> => {
  const family = new Set(journal.damaged.keys());
  if (family.size === 0) return family;
  for (const id of journal.executionIds) {
    const started = journal
      .history(id)
      .flatMap(({ events }) => events)
      .find((event) => event._tag === "ExecutionStarted");
    const parent = started && parentOf(started);
    if (parent !== undefined && family.has(parent)) family.add(id);
  }
  for (const { started } of journal.damaged.values()) {
    const parent = started && parentOf(started);
    if (parent !== undefined) family.add(parent);
  }
  return family;
};

type Started = Extract<HistoryEvent, { _tag: "ExecutionStarted" }>;

/** The execution that began it, by a call or with a container. */
const parentOf = ({ idempotencyKey, parent }: Started): string | undefined =>
  parent?.executionId ?? /^(.+)\/transform$/.exec(idempotencyKey)?.[1];

const keyOf = (journal: SimulatedJournal, id: string): string | undefined =>
  (
    journal.damaged.get(id)?.started ??
    journal
      .history(id)
      .flatMap(({ events }) => events)
      .find((event) => event._tag === "ExecutionStarted")
  )?.idempotencyKey;

/** I1, I5, I7, I8, I9, I11: each upload came to its one right end. */
const checkUploads = (evidence: Evidence, told: ReadonlyArray<Told>, violated: Violated): void => {
  const { journal, queues, uploads } = evidence;
  for (const execution of told) {
    // A signal may come to an upload that is superseded, and waits there for ever.
    if (execution.workflow === "" && !evidence.newest)
      violated("I8", execution.executionId, "was never started");
    if (execution.status === "open" && execution.workflow !== "" && !isGivenUp(execution, told)) {
      violated(
        "I11",
        execution.executionId,
        `${execution.workflow} did not end: ${lastOf(execution)}`,
      );
    }
  }
  const families = familiesOf(journal);
  const damaged = new Set([...families].map((id) => keyOf(journal, id)));
  for (const upload of uploads) {
    const identity = objectIdentity(upload.object);
    if (damaged.has(identity)) continue;
    const matching = told.filter(
      ({ key, workflow }) => key === identity && startedByUploads.has(workflow),
    );
    const [execution] = matching;
    if (!execution && !isSuperseded(evidence, upload)) violated("I1", identity, "no execution");
    if (matching.length > 1) violated("I8", identity, `${matching.length} executions`);
    if (execution) checkOutcome(evidence, upload, execution, violated);
  }
  // A message for a damaged execution is given up, and rightly so.
  for (const { message } of families.size > 0 ? [] : queues.givenUp) {
    violated("I9", `message ${message.id}`, `given up in the end: ${message.body.slice(0, 120)}`);
  }
};

/** What a container ran, when whoever launched it has used up its attempts: no other container comes. */
const isGivenUp = ({ workflow, key }: Told, told: ReadonlyArray<Told>): boolean =>
  workflow === "DailySalesTransform" &&
  told.some(({ executionId, status }) => status === "failed" && key === `${executionId}/transform`);

const lastOf = ({ events }: Told): string =>
  events
    .slice(-6)
    .map((event) => ("name" in event ? `${event._tag} ${event.name}` : event._tag))
    .join(", ");

const outputKeyOf = (kind: Upload["kind"], object: ObjectCreated): string => {
  if (kind === "order") return receiptKey(object);
  if (kind === "csv") {
    return parquetKey({ ...object, prefix: pipelines.csvToParquet.trigger.prefix });
  }
  return salesKeysOf(object).manifest;
};

const salesKeysOf = (object: ObjectCreated) =>
  partKeys({ ...object, prefix: pipelines.dailySales.trigger.prefix, root: "sales" });

/** I5 of each part: containers that were at it one after the other, or at once, wrote the same. */
const checkParts = (
  { objects }: Pick<Evidence, "objects">,
  object: ObjectCreated,
  executionId: string,
  violated: Violated,
): void => {
  for (let part = 1; ; part++) {
    const key = `clean/${salesKeysOf(object).parquet(part)}`;
    const [first, ...others] = objects.versions.get(key) ?? [];
    if (first === undefined) return;
    if (!others.every(({ body }) => body === first.body)) {
      violated("I5", executionId, `part ${part} differs from one container to the next`);
    }
  }
};

const checkOutcome = (
  { faultFree, objects, queues }: Pick<Evidence, "faultFree" | "objects" | "queues">,
  { canceled, kind, object, poison, version }: Upload,
  { events, executionId, status }: Told,
  violated: Violated,
): void => {
  const letters = queues.letters.filter(({ body }) => body.includes(executionId)).length;
  const wasRedriven = events.some(({ _tag }) => _tag === "Redriven");
  const outputs = objects.versions.get(`clean/${outputKeyOf(kind, object)}`) ?? [];
  if (status === "completed") {
    if (poison) violated("I7", executionId, "poison completed");
    // The letter tells of the failure before the redrive.
    if (letters > 0 && !wasRedriven) violated("I7", executionId, "completed, and dead-lettered");
    if (outputs.length === 0) violated("I5", executionId, "completed without an output");
    const [first] = outputs;
    const same = (body: string) =>
      kind !== "order" ? body === first?.body : body.startsWith(`receipt for raw/${object.key}@`);
    if (!outputs.every(({ body }) => same(body))) violated("I5", executionId, "outputs differ");
    if (kind === "sales") checkParts({ objects }, object, executionId, violated);
  }
  if (status === "failed") {
    // Three attempts are the policy of the real pipeline: after them a store that stays away is a failure by design.
    const end = JSON.stringify(events.findLast(({ _tag }) => _tag === "Completed"));
    // So are three containers that died.
    const patienceEnded =
      (kind !== "order" && end.includes("ObjectStoreUnavailable")) ||
      (!faultFree && kind === "sales" && /"(TaskFailed|TimedOut|TaskNotLaunched)"/.test(end));
    if (!poison && !version.deleted && !canceled && !patienceEnded) {
      violated("I7", executionId, `good work failed: ${end.slice(0, 400)}`);
    }
    if (letters === 0 && !canceled) violated("I7", executionId, "failed without a dead letter");
  }
};
