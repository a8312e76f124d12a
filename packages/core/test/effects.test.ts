/**
 * Goal: the effects compose as docs/effects.md says, and the example there is the code that runs here.
 */
import { assert, describe, it } from "@effect/vitest";
import { IdempotencyStore, RateLimit, SharedState } from "@millrace/core";
import { SqliteIdempotency } from "@millrace/core/sqlite";
import { Context, Effect, Layer } from "effect";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import {
  CardDeclined,
  ChargeInvoice,
  layerChargeInvoice,
  Vendor,
  VendorAway,
} from "./chargeInvoice.ts";
import { makeWorld } from "./engineWorld.ts";

const layerServices = Layer.mergeAll(
  RateLimit.layerShared.pipe(Layer.provideMerge(SharedState.layerMemory)),
  SqliteIdempotency.layerSqlite(":memory:"),
);

/** A world whose vendor answers like this, by the number of the call from 1. */
const makeShop = (answer: (call: number) => Effect.Effect<string, CardDeclined | VendorAway>) =>
  Effect.gen(function* () {
    let calls = 0;
    const services = yield* Layer.build(Layer.fresh(layerServices));
    const vendor = Layer.succeed(Vendor, { charge: () => Effect.suspend(() => answer(++calls)) });
    const world = yield* makeWorld;
    const process = yield* world.start(
      layerChargeInvoice.pipe(Layer.provide(vendor), Layer.provide(Layer.succeedContext(services))),
    );
    return {
      calls: () => calls,
      store: Context.get(services, IdempotencyStore),
      charge: (order: string, invoice: string, amount = 100) =>
        process.run(ChargeInvoice.execute({ order, invoice, amount })),
    };
  });

describe("the effects together", () => {
  it.live("one invoice of two orders is charged once, and both get the receipt", () =>
    Effect.gen(function* () {
      const shop = yield* makeShop((call) => Effect.succeed(`receipt ${call}`));
      assert.strictEqual(yield* shop.charge("order 1", "i"), "receipt 1");
      assert.strictEqual(yield* shop.charge("order 2", "i"), "receipt 1");
      assert.strictEqual(shop.calls(), 1);
      const other = yield* Effect.flip(shop.charge("order 3", "i", 200));
      assert.strictEqual(other._tag, "IdempotencyPayloadMismatch");
      assert.strictEqual(yield* shop.charge("order 4", "j"), "receipt 2");
    }),
  );

  it.live("a hiccup is retried; what is declined is not, and may be asked for again", () =>
    Effect.gen(function* () {
      const shop = yield* makeShop((call) => {
        if (call === 1) return Effect.fail(new VendorAway({}));
        return call === 3
          ? Effect.fail(new CardDeclined({ invoice: "j" }))
          : Effect.succeed(`receipt ${call}`);
      });
      assert.strictEqual(yield* shop.charge("order 1", "i"), "receipt 2");
      assert.strictEqual((yield* Effect.flip(shop.charge("order 2", "j")))._tag, "CardDeclined");
      assert.strictEqual(yield* shop.charge("order 3", "j"), "receipt 4");
    }),
  );
});

describe("docs/effects.md", () => {
  it("shows the example that runs here", () => {
    const code = readFileSync(join(import.meta.dirname, "chargeInvoice.ts"), "utf8");
    const page = readFileSync(join(import.meta.dirname, "../../../docs/effects.md"), "utf8");
    assert.include(page, code.slice(code.indexOf("\nimport") + 1).trimEnd());
  });
});
