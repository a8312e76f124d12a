/**
 * What happens in a simulated hour: uploads, overwrites, deletions, signals and cancellations, all drawn from the seed.
 */
import { Engine, type ObjectCreated, pause, QueueWakes, resume } from "@millrace/core";
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

/** An accepted upload, and what is known of it. */
export interface Upload {
  readonly object: ObjectCreated;
  readonly version: StoredVersion;
  readonly kind: "order" | "csv";
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
/** A paused order is resumed at most this long after, in milliseconds. */
const holdWithinMs = 900_000;
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
  begin(orders: number, csvFiles: number): void {
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
    if (faults.strikes("hold", 3)) {
      // Half of them meet the order at work.
      const withinMs = prng.chance(0.5) ? racingWithinMs : signalWithinMs;
      world.after(prng.between(0, withinMs), () => this.#hold(upload));
    }
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

  /** Pauses the order, and when that is answered resumes it some time later. */
  #hold(upload: Upload): void {
    const { world } = this.#parts;
    const people = (client: SimulatedProcess, ask: (id: string) => ReturnType<typeof resume>) =>
      Order.executionId({ object: upload.object }).pipe(
        Effect.flatMap(ask),
        // It has not begun, or has ended: then nobody pauses it.
        Effect.catchTags({
          ExecutionUnknown: () => Effect.void,
          AlreadyEnded: () => Effect.void,
        }),
        Effect.orDie,
        Effect.asVoid,
        Effect.provide(this.#peopleLayer(client)),
      );
    this.#untilDone(
      "pause",
      (client) => people(client, (id) => pause(id, { reason: "look first" })),
      () =>
        world.after(world.prng.between(0, holdWithinMs), () =>
          this.#untilDone("resume", (client) => people(client, resume)),
        ),
    );
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

  #upload(kind: Upload["kind"], queue: string, key: string, text: string, poison: boolean): Upload {
    const { faults, objects, queues, world } = this.#parts;
    const version = objects.write("raw", key, text, "upload");
    const object: ObjectCreated = {
      bucket: "raw",
      key,
      versionId: version.versionId,
      etag: version.etag,
      sizeBytes: Buffer.byteLength(text),
      sequencer: version.versionId,
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

  /** A client outside: it asks again, as a new process, until it has been answered. */
  #untilDone(
    name: string,
    ask: (process: SimulatedProcess) => Effect.Effect<void>,
    then: () => void = () => undefined,
  ): void {
    const { world } = this.#parts;
    let answered = false;
    const client = new SimulatedProcess(world, `${name}#${++this.#clients}`);
    client.fork(ask(client), (succeeded) => {
      answered = succeeded;
      client.kill();
      if (succeeded) then();
    });
    world.after(leaseMs, () => {
      if (answered) return;
      client.kill();
      this.#untilDone(name, ask, then);
    });
  }

  #signal(client: SimulatedProcess, { object }: Upload, text: string) {
    return Effect.gen(function* () {
      const executionId = yield* Order.executionId({ object });
      const engine = yield* WorkflowEngine.WorkflowEngine;
      yield* engine.deferredDone(approvalOf, {
        workflowName: Order._tag,
        executionId,
        deferredName: approvalOf.name,
        exit: Exit.succeed(text),
      });
    }).pipe(Effect.provide(this.#clientLayer(client)));
  }

  #cancel(client: SimulatedProcess, { object }: Upload) {
    return Effect.gen(function* () {
      const executionId = yield* Order.executionId({ object });
      const engine = yield* WorkflowEngine.WorkflowEngine;
      yield* engine.interrupt(Order, executionId);
    }).pipe(Effect.provide(this.#clientLayer(client)));
  }

  /** What people at the command line have. */
  #peopleLayer(process: SimulatedProcess) {
    const { counted, faults, journal, queues, schedules } = this.#parts;
    const caller: Caller = { process, faults, counted };
    return QueueWakes.layerQueue(() => orderQueues.queue).pipe(
      Layer.provide(queues.layerFor(caller)),
      Layer.provide(schedules.layerFor(caller)),
      Layer.merge(journal.layerFor(caller)),
    );
  }

  #clientLayer(process: SimulatedProcess) {
    const { counted, faults, journal, queues, schedules, values } = this.#parts;
    const caller: Caller = { process, faults, counted };
    return Engine.layer().pipe(
      Layer.provide(QueueWakes.layerQueue(() => orderQueues.queue)),
      Layer.provide(queues.layerFor(caller)),
      Layer.provide(schedules.layerFor(caller)),
      Layer.provide(values.layerFor(caller)),
      Layer.provide(journal.layerFor(caller)),
    );
  }
}

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
