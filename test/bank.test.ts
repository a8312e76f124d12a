/**
 * Goal: what functions share is shared by their processes; a pipeline follows another; only the newest version counts.
 * Method: a whole local mode with a topology of the test's own; two processes at work for each pipeline.
 */
import { ScanCommand } from "@aws-sdk/lib-dynamodb";
import { assert, layer } from "@effect/vitest";
import { Executions } from "@millrace/core";
import { localBuckets, localTables } from "@millrace/local";
import { Effect } from "effect";
import { bank, quotes } from "./bank/bank.ts";
import { eventOf } from "./events.ts";
import { layerLocalWorld, LocalWorld } from "./LocalWorld.ts";

const orderOf = (invoice: string, more: object = {}) =>
  JSON.stringify({ invoice, card: "none", behaviour: "pay", ...more });

const world = layerLocalWorld({
  timeoutSeconds: 30,
  variables: { MILLRACE_SECRET_BANK_KEY: "the bank's own key" },
  ...bank,
});

/** Calls of the vendor, by what they left. */
const callsFor = Effect.fnUntraced(function* (invoice: string) {
  const { versions } = yield* LocalWorld;
  return (yield* versions(localBuckets.clean, `paid/${invoice}/`)).length;
});

layer(world, { timeout: "60 seconds", excludeTestServices: true })("a bank", (it) => {
  it.effect("pays an invoice once, whichever process gets it, and however often", () =>
    Effect.gen(function* () {
      const { ended, handled, upload } = yield* LocalWorld;
      const uploads = yield* Effect.forEach(
        Array.from({ length: 12 }, (_, index) => index),
        (index) => upload(`payments/once-${index}.json`, orderOf(`invoice-${index % 3}`)),
        { concurrency: 12 },
      );
      const rows = yield* Effect.forEach(uploads, ended);
      const subjects = new Set(uploads.map(({ subject }) => subject));
      const pids = new Set(
        handled.filter(({ subject }) => subjects.has(subject)).map(({ pid }) => pid),
      );
      assert.strictEqual(pids.size, 2, "both processes were at work");
      for (const row of rows) assert.strictEqual(row.status, "completed");
      for (const invoice of [0, 1, 2]) {
        assert.strictEqual(yield* callsFor(`invoice-${invoice}`), 1);
        const results = rows
          .filter((_, index) => index % 3 === invoice)
          .map(({ result }) => JSON.stringify(result));
        assert.strictEqual(new Set(results).size, 1, "all have the receipt of the one call");
      }
      const { clients } = yield* LocalWorld;
      const { Items = [] } = yield* Effect.promise(() =>
        clients.documents.send(new ScanCommand({ TableName: localTables.idempotency })),
      );
      assert.lengthOf(Items, 3);
      for (const item of Items) assert.isNumber(item["expiresAt"]);
    }),
  );

  it.effect("the same invoice with another card is refused", () =>
    Effect.gen(function* () {
      const { process } = yield* LocalWorld;
      const first = yield* process("payments/first.json", orderOf("same"));
      const second = yield* process("payments/second.json", orderOf("same", { card: "another" }));
      assert.strictEqual(first.row.status, "completed");
      assert.strictEqual(second.row.status, "failed");
      assert.strictEqual(second.row.errorTag, "IdempotencyPayloadMismatch");
      assert.strictEqual(yield* callsFor("same"), 1);
    }),
  );

  it.effect("calls the vendor as often as the limit allows, from all processes together", () =>
    Effect.gen(function* () {
      const { ended, upload } = yield* LocalWorld;
      const uploads = yield* Effect.forEach(
        Array.from({ length: 6 }, (_, index) => index),
        (index) =>
          upload(
            `payments/limited-${index}.json`,
            orderOf(`limited-${index}`, { callsPerHour: 4 }),
          ),
        { concurrency: 6 },
      );
      const rows = yield* Effect.forEach(uploads, ended);
      const statuses = rows.map(({ status }) => status).toSorted();
      assert.deepStrictEqual(statuses, [...Array(4).fill("completed"), "failed", "failed"]);
      for (const row of rows.filter(({ status }) => status === "failed")) {
        assert.strictEqual(row.errorTag, "VendorBusy");
      }
    }),
  );

  it.effect("sends one receipt after each payment, in a pipeline of its own", () =>
    Effect.gen(function* () {
      const { ended, process, read, versions } = yield* LocalWorld;
      const executions = yield* Executions;
      const { row, uploaded } = yield* process("payments/chain.json", orderOf("chain"));
      const receipt = yield* ended({ subject: `payments/${row.executionId}` });
      assert.strictEqual(receipt.workflow, "Receipt");
      assert.strictEqual(receipt.status, "completed");
      const key = `receipts/${row.executionId}.txt`;
      const { bytes } = yield* read(localBuckets.clean, key);
      assert.strictEqual(Buffer.from(bytes).toString("utf8"), uploaded.subject);
      assert.lengthOf(yield* versions(localBuckets.clean, key), 1);
      assert.isDefined(yield* executions.find(receipt.executionId));
    }),
  );

  it.effect("sends no receipt for a payment that failed", () =>
    Effect.gen(function* () {
      const { ended, handledAbout, process } = yield* LocalWorld;
      const failed = yield* process("payments/no.json", orderOf("no", { behaviour: "decline" }));
      assert.strictEqual(failed.row.status, "failed");
      // The receipt of a later payment comes through the same queue after it.
      const later = yield* process("payments/later.json", orderOf("later"));
      yield* ended({ subject: `payments/${later.row.executionId}` });
      assert.lengthOf(handledAbout(`payments/${failed.row.executionId}`), 0);
    }),
  );

  it.effect("a quote that comes after a newer one is superseded, and told of as such", () =>
    Effect.gen(function* () {
      const { deliver, handledAbout, process, read, until } = yield* LocalWorld;
      const { row, uploaded: newer } = yield* process("quotes/eur.json", "1.11");
      assert.strictEqual(row.status, "completed");
      // Its sequencer is the first of all.
      const older = { ...newer, versionId: "an-older-one", sizeBytes: 4 };
      const olderSubject = `${localBuckets.raw}/${older.key}@${older.versionId}`;
      yield* deliver(quotes, eventOf(older));
      yield* until(() => handledAbout(olderSubject).length > 0);
      const [superseded] = handledAbout(olderSubject);
      assert.strictEqual(superseded?.outcome, "superseded");
      assert.include(superseded?.reason ?? "", newer.versionId);
      const { bytes } = yield* read(localBuckets.clean, "quoted/quotes/eur.json");
      assert.strictEqual(Buffer.from(bytes).toString("utf8"), newer.versionId);
    }),
  );
});
