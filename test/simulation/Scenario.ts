/**
 * What happens in a simulated hour: uploads, overwrites, deletions, signals and cancellations, all drawn from the seed.
 */
import {
  cancel,
  Engine,
  type ObjectCreated,
  pause,
  QueueWakes,
  resume,
  signal,
} from "@millrace/core";
import {
  type Caller,
  type Faults,
  leaseMs,
  SimulatedProcess,
  type SimulatedJournal,
  type SimulatedLargeValues,
  type SimulatedObjectStore,
  type SimulatedQueues,
  type SimulatedSchedules,
  type StoredVersion,
  type World,
  worldEpochMs,
} from "@millrace/core/testing/simulation";
import { Effect, Exit, Layer } from "effect";
import { WorkflowEngine } from "effect/workflow";
import { approvalOf, Order, orderQueues, type OrderText } from "./orders.ts";
import { salesQueues } from "./simulatedPipelines.ts";

/** An accepted upload, and what is known of it. */
export interface Upload {
  readonly object: ObjectCreated;
  readonly version: StoredVersion;
  readonly kind: "order" | "csv" | "sales";
  readonly poison: boolean;
  readonly event: string;
  readonly queue: string;
  /** Tells how the text begins, for the CSV files. */
  readonly text: string;
  canceled: boolean;
}

export interface ScenarioParts {
  readonly world: World;
  readonly faults: Faults;
  readonly queues: SimulatedQueues;
  readonly schedules: SimulatedSchedules;
  readonly objects: SimulatedObjectStore;
  readonly journal: SimulatedJournal;
  readonly values: SimulatedLargeValues;
  readonly counted: (name: string) => void;
}

/** Uploads arrive within this time, in milliseconds. */
const uploadsWithinMs = 300_000;
/** A signal is sent at most this long after its upload: it may come first. */
const signalWithinMs = 600_000;
/** Longest pause of an execution, in milliseconds. */
const pausedMsMax = 1_200_000;
/** A client asks so often: until long after the last fault. What is superseded has no execution, and never will. */
const asksMax = 150;
/** An order comes to its suspension in about this time, in milliseconds. */
const racingWithinMs = 400;

export class Scenario {
  readonly uploads: Array<Upload> = [];
  readonly #parts: ScenarioParts;
  #clients = 0;

  constructor(parts: ScenarioParts) {
    this.#parts = parts;
  }

  /** Sets up the hour. */
  begin(orders: number, csvFiles: number, salesFiles: number): void {
    const { faults, world } = this.#parts;
    for (let index = 0; index < orders; index++) {
      world.after(world.prng.between(0, uploadsWithinMs), () => {
        const key = `incoming/order ${index % 4}+é.json`;
        this.#uploadOrder(key, faults.strikes("poison", 3));
        if (faults.strikes("overwrite", 3)) {
          world.after(world.prng.between(0, 2_000), () => this.#uploadOrder(key, false));
        }
      });
    }
    for (let index = 0; index < csvFiles; index++) {
      world.after(world.prng.between(0, uploadsWithinMs), () =>
        this.#uploadCsv(`incoming/table ${index}.csv`, faults.strikes("poison", 3)),
      );
    }
    for (let index = 0; index < salesFiles; index++) {
      world.after(world.prng.between(0, uploadsWithinMs), () =>
        this.#uploadSales(`sales/day ${index}.csv`, faults.strikes("poison", 3)),
      );
    }
    if (faults.isOn("damage")) {
      world.after(world.prng.between(0, 2 * uploadsWithinMs), () => this.#damageOne());
    }
    if (faults.isOn("replay-storm")) {
      world.after(world.prng.between(uploadsWithinMs, 2 * uploadsWithinMs), () => {
        for (const { event, queue } of this.uploads) {
          for (let copy = 0; copy < 3; copy++) this.#parts.queues.put(queue, event);
        }
      });
    }
  }

  /** One stored commit, of whatever execution there is by then. */
  #damageOne(): void {
    const { journal, world } = this.#parts;
    const ids = [...journal.executionIds];
    const id = ids[world.prng.below(Math.max(1, ids.length))];
    const commits = id === undefined ? 0 : journal.history(id).length;
    if (id === undefined || commits < 3) return;
    const kind = (["flip", "drop", "swap"] as const)[world.prng.below(3)] ?? "flip";
    const commit = 1 + world.prng.below(commits - 1);
    world.mark(`damage ${id.slice(0, 8)} ${kind} ${commit}`);
    journal.damage(id, commit, kind);
  }

  #uploadOrder(key: string, poison: boolean): void {
    const { faults, world } = this.#parts;
    const { prng } = world;
    // Some fail without having waited for anything: a request to cancel can meet them while they compensate.
    const straight = poison && prng.chance(0.5);
    const order: OrderText = {
      poison,
      approval: !straight && prng.chance(0.5),
      sleepMs: !straight && prng.chance(0.5) ? Math.round(prng.between(2_000, 2_400_000)) : 0,
      child: !straight && prng.chance(0.4),
      childSleepMs: prng.chance(0.7) ? Math.round(prng.between(2_000, 1_200_000)) : 0,
      quoteBytes: faults.strikes("oversize", 0.5) ? 310_000 : prng.chance(0.004) ? 150_000 : 0,
    };
    const upload = this.#upload("order", orderQueues.queue, key, JSON.stringify(order), poison);
    if (order.approval) this.#signalLater(upload);
    if (faults.strikes("execution-paused", 3)) this.#pauseLater(upload);
    if (faults.strikes("cancel", straight ? 10 : 3)) {
      // Half of them meet the order at work, some while it compensates.
      const atWork = straight || prng.chance(0.5);
      const withinMs = atWork ? (straight ? 1 : 2) * racingWithinMs : signalWithinMs;
      world.after(prng.between(0, withinMs), () => {
        upload.canceled = true;
        this.#untilDone("cancel", (client) => this.#cancel(client, upload));
      });
    }
  }

  #uploadCsv(key: string, poison: boolean): void {
    const rows = this.#parts.world.prng.below(5) + 1;
    const lines = Array.from(
      { length: rows },
      (_, row) => `${row},name ${row},2026-01-0${row + 1}`,
    );
    const text = poison ? "\0\u0001\0binary" : `id,name,date\n${lines.join("\n")}\n`;
    this.#upload("csv", "csv-to-parquet", key, text, poison);
  }

  #uploadSales(key: string, poison: boolean): void {
    const rows = this.#parts.world.prng.below(9) + 1;
    const lines = Array.from({ length: rows }, (_, row) => `${row},2026-01-01,Boston,1,2.50,2.50`);
    const header = "order_id,order_date,store,quantity,unit_price,total_amount";
    const text = poison ? "order_id,store\n1,Boston\n" : `${header}\n${lines.join("\n")}\n`;
    this.#upload("sales", salesQueues.queue, key, text, poison);
  }

  #upload(kind: Upload["kind"], queue: string, key: string, text: string, poison: boolean): Upload {
    const { faults, objects, queues, world } = this.#parts;
    const version = objects.write("raw", key, text, "upload");
    const object: ObjectCreated = {
      bucket: "raw",
      key,
      versionId: version.versionId,
      etag: version.etag,
      sizeBytes: Buffer.byteLength(text),
      sequencer: sequencerOf(version),
      eventEpochMs: Math.floor((worldEpochMs + world.nowMs) / 1_000) * 1_000,
    };
    const event = eventOf(object);
    const upload = { object, version, kind, poison, event, queue, text, canceled: false };
    this.uploads.push(upload);
    queues.put(queue, event);
    if (faults.strikes("delete", 2)) {
      world.after(world.prng.between(0, 1_000), () => {
        version.deleted = true;
      });
    }
    return upload;
  }

  #signalLater(upload: Upload): void {
    const { faults, world } = this.#parts;
    const times = faults.strikes("signal-twice", 3) ? 2 : 1;
    for (let index = 0; index < times; index++) {
      // Half of them come while the order is on its way to where it waits.
      const withinMs = world.prng.chance(0.5) ? racingWithinMs : signalWithinMs;
      const text = `yes ${index}`.padEnd(faults.strikes("oversize", 0.3) ? 310_000 : 0, ".");
      world.after(world.prng.between(0, withinMs), () =>
        this.#untilDone("signal", (client) => this.#signal(client, upload, text)),
      );
    }
  }

  /** Pauses it for a while: resumed only when the pause was answered, or the resumption could come first. */
  #pauseLater(upload: Upload): void {
    const { world } = this.#parts;
    world.after(
      world.prng.between(0, world.prng.chance(0.5) ? racingWithinMs : signalWithinMs),
      () =>
        this.#untilDone(
          "pause",
          (client) => this.#pause(client, upload),
          () => {
            world.after(world.prng.between(0, pausedMsMax), () =>
              this.#untilDone("resume", (client) => this.#resume(client, upload)),
            );
          },
        ),
    );
  }

  /** A client outside: it asks again, as a new process, until it has been answered. */
  #untilDone(
    name: string,
    ask: (process: SimulatedProcess) => Effect.Effect<void, { readonly _tag: string }>,
    done: () => void = () => undefined,
    times = 1,
  ): void {
    const { world } = this.#parts;
    let answered = false;
    const client = new SimulatedProcess(world, `${name}#${++this.#clients}`);
    client.fork(ask(client), (succeeded) => {
      answered = succeeded;
      client.kill();
    });
    world.after(leaseMs, () => {
      if (answered) return done();
      client.kill();
      if (times < asksMax) this.#untilDone(name, ask, done, times + 1);
    });
  }

  /** A person's command, or another program's call of the engine. */
  #signal(client: SimulatedProcess, { object }: Upload, text: string) {
    // A person's is refused when it is large: the value belongs into a bucket.
    const byCommand = this.#parts.world.prng.chance(0.5) && text.length < 300_000;
    return Effect.gen(function* () {
      const executionId = yield* Order.executionId({ object });
      if (byCommand) {
        yield* signal(executionId, { deferred: approvalOf.name, value: text });
        return;
      }
      const engine = yield* WorkflowEngine.WorkflowEngine;
      yield* engine.deferredDone(approvalOf, {
        workflowName: Order._tag,
        executionId,
        deferredName: approvalOf.name,
        exit: Exit.succeed(text),
      });
    }).pipe(
      Effect.catchTag("SignalRefused", () => Effect.void),
      Effect.provide(this.#clientLayer(client)),
    );
  }

  #pause(client: SimulatedProcess, { object }: Upload) {
    return Order.executionId({ object }).pipe(
      Effect.flatMap((id) => pause(id, { reason: "somebody looks at it" })),
      Effect.catchTag("AlreadyEnded", () => Effect.void),
      Effect.asVoid,
      Effect.provide(this.#clientLayer(client)),
    );
  }

  #resume(client: SimulatedProcess, { object }: Upload) {
    return Order.executionId({ object }).pipe(
      Effect.flatMap((id) => resume(id)),
      Effect.catchTag("AlreadyEnded", () => Effect.void),
      Effect.asVoid,
      Effect.provide(this.#clientLayer(client)),
    );
  }

  #cancel(client: SimulatedProcess, { object }: Upload) {
    const byCommand = this.#parts.world.prng.chance(0.5);
    return Effect.gen(function* () {
      const executionId = yield* Order.executionId({ object });
      if (byCommand) {
        yield* cancel(executionId);
        return;
      }
      const engine = yield* WorkflowEngine.WorkflowEngine;
      yield* engine.interrupt(Order, executionId);
    }).pipe(
      // An upload that is superseded has no execution, and never will.
      Effect.catchTag(["AlreadyEnded", "ExecutionUnknown"], () => Effect.void),
      Effect.provide(this.#clientLayer(client)),
    );
  }

  #clientLayer(process: SimulatedProcess) {
    const { counted, faults, journal, queues, schedules, values } = this.#parts;
    const caller: Caller = { process, faults, counted };
    return Engine.layer().pipe(
      Layer.provideMerge(QueueWakes.layerQueue(() => orderQueues.queue)),
      Layer.provide(queues.layerFor(caller)),
      Layer.provide(schedules.layerFor(caller)),
      Layer.provide(values.layerFor(caller)),
      Layer.provideMerge(journal.layerFor(caller)),
    );
  }
}

/** As S3 makes them: hexadecimal, and later ones are greater. */
const sequencerOf = ({ versionId }: StoredVersion): string =>
  Number(versionId.slice(1)).toString(16).padStart(16, "0").toUpperCase();

/** The event as EventBridge delivers it. */
const eventOf = (object: ObjectCreated): string =>
  JSON.stringify({
    version: "0",
    source: "aws.s3",
    "detail-type": "Object Created",
    time: new Date(object.eventEpochMs).toISOString(),
    detail: {
      bucket: { name: object.bucket },
      object: {
        key: object.key,
        size: object.sizeBytes,
        etag: object.etag,
        "version-id": object.versionId,
        sequencer: object.sequencer,
      },
    },
  });
