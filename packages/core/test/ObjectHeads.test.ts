/**
 * Goal: of the versions of one key the newest by sequencer is the head, whatever the order of their events; an older one
 * that comes late is recorded, once, and one that has an execution is never called superseded.
 * Method: the heads in DynamoDB (dynalite), the journal in SQLite; writes are counted by the client.
 */
import { ScanCommand } from "@aws-sdk/lib-dynamodb";
import { assert, describe, it, layer } from "@effect/vitest";
import {
  Journal,
  judgeVersion,
  type ObjectCreated,
  ObjectHeads,
  sequencerOrder,
} from "@millrace/core";
import { DocumentClient } from "@millrace/core/aws";
import { SqliteJournal } from "@millrace/core/sqlite";
import { Effect, Layer } from "effect";
import { layerDynaliteObjectHeads } from "./dynalite.ts";

const version = (key: string, sequencer: string): ObjectCreated => ({
  bucket: "raw",
  key,
  versionId: `v${sequencer}`,
  etag: "e",
  sizeBytes: 1,
  sequencer,
  eventEpochMs: 1_000,
});

describe("the order of sequencers", () => {
  const pairs: ReadonlyArray<[string, string, number]> = [
    ["0055AED6DCD90281E5", "0055AED6DCD90281E6", -1],
    // The shorter is padded on the right, not on the left.
    ["0055", "00550001", -1],
    ["0056", "00550001", 1],
    ["0055", "00550000", 0],
    ["00ab", "00AB", 0],
    ["F", "0FFF", 1],
  ];
  for (const [one, other, sign] of pairs) {
    it(`of ${one} and ${other} is ${sign}`, () => {
      const [a, b] = [sequencerOrder(one), sequencerOrder(other)];
      assert.strictEqual(a < b ? -1 : a > b ? 1 : 0, sign);
    });
  }
});

const stores = Layer.mergeAll(
  layerDynaliteObjectHeads,
  Layer.fresh(SqliteJournal.layerSqlite(":memory:")),
);

const items = Effect.gen(function* () {
  const client = yield* DocumentClient;
  const { Items = [] } = yield* Effect.promise(() =>
    client.send(new ScanCommand({ TableName: "ObjectHeads", ConsistentRead: true })),
  );
  return Items;
});

layer(stores, { excludeTestServices: true })("a version", (it) => {
  it.effect("that comes in order is run, and so is each of its duplicates", () =>
    Effect.gen(function* () {
      for (const sequencer of ["01", "01", "02", "02", "03"]) {
        assert.isUndefined(yield* judgeVersion(version("in-order", sequencer), `o${sequencer}`));
      }
    }),
  );

  it.effect(
    "that comes after a newer one is superseded by it, recorded once, and replays write nothing",
    () =>
      Effect.gen(function* () {
        assert.isUndefined(yield* judgeVersion(version("late", "0A"), "l0A"));
        const head = yield* judgeVersion(version("late", "09"), "l09");
        assert.strictEqual(head?.name, "raw/late@v0A");
        const before = (yield* items).filter(({ object }) => object === "raw/late");
        assert.sameMembers(
          before.map(({ entry }) => String(entry)),
          ["head", "superseded/v09"],
        );
        const client = yield* DocumentClient;
        const sent: Array<string> = [];
        client.middlewareStack.add(
          (next, { commandName = "" }) =>
            (args) => {
              sent.push(commandName);
              return next(args);
            },
          { step: "initialize", name: "count" },
        );
        assert.isDefined(yield* judgeVersion(version("late", "09"), "l09"));
        assert.isUndefined(yield* judgeVersion(version("late", "0A"), "l0A"));
        client.middlewareStack.remove("count");
        assert.deepStrictEqual([...new Set(sent)], ["GetItemCommand"]);
      }),
  );

  it.effect("of which an execution exists is run on, whatever the head has become", () =>
    Effect.gen(function* () {
      const journal = yield* Journal;
      yield* judgeVersion(version("begun", "01"), "begun01");
      yield* journal.append({
        executionId: "begun01",
        commit: 1,
        writer: "w",
        events: [{ _tag: "InterruptRequested", unsafe: false, atEpochMs: 1 }],
      });
      yield* judgeVersion(version("begun", "02"), "begun02");
      assert.isUndefined(yield* judgeVersion(version("begun", "01"), "begun01"));
    }),
  );

  it.effect("without a sequencer is run: nothing is known about its order", () =>
    Effect.gen(function* () {
      yield* judgeVersion(version("listed", "05"), "x");
      assert.isUndefined(yield* judgeVersion(version("listed", ""), "y"));
    }),
  );

  it.effect("that is raised at the same time as others leaves the newest as the head", () =>
    Effect.gen(function* () {
      const heads = yield* ObjectHeads;
      const sequencers = Array.from({ length: 20 }, (_, n) =>
        (n + 1).toString(16).padStart(4, "0"),
      );
      yield* Effect.forEach(
        sequencers.toReversed().toSorted((a, b) => (a.slice(-1) < b.slice(-1) ? -1 : 1)),
        (sequencer) => heads.raise(version("race", sequencer)),
        { concurrency: "unbounded" },
      );
      const head = yield* heads.raise(version("race", "0001"));
      assert.strictEqual(head.order, sequencerOrder("0014"));
    }),
  );
});
