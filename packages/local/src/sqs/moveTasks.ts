/**
 * Moving the messages of a dead-letter queue back to where they came from, or to another queue, in the background.
 *
 * A task is stored; one that was running when the process died goes on when it starts again.
 */
import { Clock, Effect, type Scope } from "effect";
import { randomUUID } from "node:crypto";
import type { AwsError } from "../AwsError.ts";
import {
  numberOf,
  optionalNumber,
  optionalText,
  textOf,
  transaction,
  type Row,
} from "../sqlite.ts";
import { arnName } from "./QueueName.ts";
import { invalidParameter, sqsError } from "./SqsErrors.ts";
import type { SqsState } from "./SqsState.ts";

export interface MoveTask {
  readonly id: string;
  readonly source: string;
  readonly destination: string | undefined;
  readonly perSecondMax: number | undefined;
  readonly status: "RUNNING" | "COMPLETED" | "CANCELLED" | "FAILED";
  readonly moved: number;
  readonly toMove: number;
  readonly startedMs: number;
  readonly failure: string | undefined;
}

/** The pace when the caller sets none: SQS chooses one itself, and 500 a second is the most that can be asked for. */
const perSecondDefault = 500;
/** A task moves a tenth of a second's worth at once. */
const sliceMs = 100;

const schema = `
  CREATE TABLE IF NOT EXISTS sqs_move_tasks (
    id TEXT PRIMARY KEY, source TEXT NOT NULL, destination TEXT, per_second INTEGER, status TEXT NOT NULL,
    moved INTEGER NOT NULL, to_move INTEGER NOT NULL, started_ms INTEGER NOT NULL, failure TEXT) STRICT;`;

const taskOf = (row: Row): MoveTask => {
  const status = textOf(row, "status");
  return {
    id: textOf(row, "id"),
    source: textOf(row, "source"),
    destination: optionalText(row, "destination"),
    perSecondMax: optionalNumber(row, "per_second"),
    status:
      status === "RUNNING" || status === "COMPLETED" || status === "CANCELLED" ? status : "FAILED",
    moved: numberOf(row, "moved"),
    toMove: numberOf(row, "to_move"),
    startedMs: numberOf(row, "started_ms"),
    failure: optionalText(row, "failure"),
  };
};

export interface MoveTasks {
  readonly start: (
    source: string,
    destination: string | undefined,
    perSecondMax: number | undefined,
  ) => Effect.Effect<MoveTask, AwsError>;
  /** The latest tasks of a source queue, newest first. */
  readonly list: (source: string, max: number) => Effect.Effect<ReadonlyArray<MoveTask>, AwsError>;
  readonly cancel: (id: string) => Effect.Effect<MoveTask, AwsError>;
}

export const makeMoveTasks = Effect.fnUntraced(function* (
  state: SqsState,
): Effect.fn.Return<MoveTasks, never, Scope.Scope> {
  const scope = yield* Effect.scope;
  state.database.exec(schema);
  const store = taskStore(state);

  const run = Effect.fnUntraced(function* (id: string) {
    while (true) {
      const nowMs = yield* Clock.currentTimeMillis;
      const task = store.get(id);
      if (task?.status !== "RUNNING") return;
      store.put(advance(state, task, nowMs));
      yield* Effect.sleep(sliceMs);
    }
  });

  for (const task of store.running()) yield* Effect.forkIn(run(task.id), scope);

  return {
    start: Effect.fnUntraced(function* (source, destination, perSecondMax) {
      yield* checkStart(state, source, destination, perSecondMax);
      if (store.running().some((task) => task.source === source)) return yield* alreadyRunning();
      const startedMs = yield* Clock.currentTimeMillis;
      const task: MoveTask = {
        id: randomUUID(),
        source,
        destination,
        perSecondMax,
        status: "RUNNING",
        moved: 0,
        toMove: state.messages.counts(arnName(source) ?? "", startedMs).visible,
        startedMs,
        failure: undefined,
      };
      store.put(task);
      yield* Effect.forkIn(run(task.id), scope);
      return task;
    }),
    list: (source, max) =>
      Effect.map(needQueue(state, source), () => store.of(source).slice(0, max)),
    cancel: Effect.fnUntraced(function* (id) {
      const task = store.get(id);
      if (task === undefined) {
        return yield* sqsError("ResourceNotFoundException", "Task does not exist.", 404);
      }
      if (task.status !== "RUNNING") {
        return yield* sqsError("UnsupportedOperation", "Only active tasks can be cancelled.");
      }
      store.put({ ...task, status: "CANCELLED" });
      return task;
    }),
  };
});

const alreadyRunning = () =>
  sqsError(
    "UnsupportedOperation",
    "There is already a task running. Only one active task is allowed for a source queue arn at a given time.",
  );

/** Moves one slice; a message whose way back is not known or gone ends the task as failed. */
const advance = (state: SqsState, task: MoveTask, nowMs: number): MoveTask => {
  const source = state.queues.get(arnName(task.source) ?? "");
  if (source === undefined) return { ...task, status: "FAILED", failure: "QueueDoesNotExist" };
  const perSlice = Math.max(
    1,
    Math.ceil(((task.perSecondMax ?? perSecondDefault) * sliceMs) / 1_000),
  );
  return transaction(state.database, () => {
    let moved = task.moved;
    for (let left = perSlice; left > 0; left -= 1) {
      state.expire(source, nowMs);
      const message = state.messages.peek(source.name, nowMs);
      if (message === undefined) return { ...task, moved, status: "COMPLETED" };
      const target = arnName(task.destination ?? message.source ?? "") ?? "";
      if (state.queues.get(target) === undefined) {
        return { ...task, moved, status: "FAILED", failure: "CouldNotDetermineMessageSource" };
      }
      state.messages.move(message.sequence, target, nowMs);
      state.arrivals.notify(target);
      moved += 1;
    }
    return { ...task, moved };
  });
};

const needQueue = (state: SqsState, arn: string): Effect.Effect<void, AwsError> =>
  state.queues.get(arnName(arn) ?? "") === undefined
    ? Effect.fail(
        sqsError(
          "ResourceNotFoundException",
          "The resource that you specified for the SourceArn parameter doesn't exist.",
          404,
        ),
      )
    : Effect.void;

const checkStart = Effect.fnUntraced(function* (
  state: SqsState,
  source: string,
  destination: string | undefined,
  perSecondMax: number | undefined,
): Effect.fn.Return<void, AwsError> {
  yield* needQueue(state, source);
  const queue = state.queues.get(arnName(source) ?? "");
  if (queue !== undefined && state.sourcesOf(queue).length === 0) {
    return yield* invalidParameter("Source queue must be configured as a Dead Letter Queue.");
  }
  if (destination !== undefined) yield* needQueue(state, destination);
  if (source === destination) {
    return yield* invalidParameter(
      "Source queue arn and destination queue arn cannot be the same.",
    );
  }
  if (perSecondMax !== undefined && (perSecondMax < 1 || perSecondMax > perSecondDefault)) {
    return yield* invalidParameter(
      `Value for parameter MaxNumberOfMessagesPerSecond is invalid. Must be between 1 and ${perSecondDefault}.`,
    );
  }
});

const taskStore = ({ database }: SqsState) => {
  const put = database.prepare(
    "INSERT OR REPLACE INTO sqs_move_tasks VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)",
  );
  const get = database.prepare("SELECT * FROM sqs_move_tasks WHERE id = ?");
  const running = database.prepare("SELECT * FROM sqs_move_tasks WHERE status = 'RUNNING'");
  const of = database.prepare(
    "SELECT * FROM sqs_move_tasks WHERE source = ? ORDER BY started_ms DESC, rowid DESC",
  );
  return {
    put: (task: MoveTask) => {
      const { id, source, destination, perSecondMax, status, moved, toMove, startedMs } = task;
      const { failure } = task;
      put.run(
        id,
        source,
        destination ?? null,
        perSecondMax ?? null,
        status,
        moved,
        toMove,
        startedMs,
        failure ?? null,
      );
    },
    get: (id: string): MoveTask | undefined => {
      const row = get.get(id);
      return row === undefined ? undefined : taskOf(row);
    },
    running: () => running.all().map(taskOf),
    of: (source: string) => of.all(source).map(taskOf),
  };
};
