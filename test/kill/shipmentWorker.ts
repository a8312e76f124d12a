/**
 * A process that runs shipments over a journal file until somebody kills it.
 *
 * Usage: node test/kill/shipmentWorker.ts <journal file> <effects file> <outputs directory>
 *
 * It says `ready` when its code is loaded, and opens the journal when it is told `open`. `start <id>` and
 * `approve <id>` are answered by themselves once they are facts.
 */
import { Engine } from "@millrace/core";
import { SqliteJournal } from "@millrace/core/sqlite";
import { Effect, Layer, ManagedRuntime } from "effect";
import { DurableDeferred } from "effect/workflow";
import { createInterface } from "node:readline";
import { approval, layerShipment, Shipment } from "./Shipment.ts";

/** How long a dead worker's executions are left alone, in milliseconds. */
const leaseMs = 250;

const [journalFile = "", effectsFile = "", outputsDirectory = ""] = process.argv.slice(2);

const runtime = ManagedRuntime.make(
  layerShipment({ effectsFile, outputsDirectory }).pipe(
    Layer.provideMerge(
      Layer.provide(Engine.layerInProcess({ leaseMs }), SqliteJournal.layerSqlite(journalFile)),
    ),
  ),
);

const approve = Effect.fnUntraced(function* (id: number) {
  const token = yield* DurableDeferred.tokenFromPayload(approval, {
    workflow: Shipment,
    payload: { id },
  });
  yield* DurableDeferred.succeed(approval, { token, value: `approval ${crypto.randomUUID()}` });
});

const obey = (command: string, id: number) => {
  switch (command) {
    case "start":
      return Effect.asVoid(Shipment.execute({ id }, { discard: true }));
    case "approve":
      return approve(id);
    default:
      return Effect.void;
  }
};

createInterface({ input: process.stdin })
  .on("line", (line) => {
    const [command = "", id] = line.split(" ");
    runtime.runPromise(obey(command, Number(id))).then(
      () => process.stdout.write(`${line}\n`),
      (error: unknown) => process.stderr.write(`${line}: ${String(error)}\n`),
    );
  })
  // Whoever started it is gone.
  .on("close", () => process.exit(0));
process.stdout.write("ready\n");
