/**
 * The workflow whose workers are killed: activities one by one and side by side, a suspension, a deferred, and for some
 * orders a refusal that is compensated.
 *
 *   reserve (compensated by release) -> quotes a, b, c side by side -> [sleep] -> [approval] -> charge -> ship
 *
 * Every activity appends one line to a log of effects before it answers, under its idempotency key, and says which
 * results it is based on. Its answer is drawn anew each time it runs: a result that was used and is not the recorded one
 * is found out.
 */
import { Effect, Schema } from "effect";
import { Activity, DurableClock, DurableDeferred, Workflow } from "effect/workflow";
import { closeSync, openSync, renameSync, writeFileSync, writeSync } from "node:fs";
import { join } from "node:path";

/** What an order has, by its number. */
export const planOf = (id: number) => ({
  sleeps: id % 2 === 0,
  needsApproval: id % 3 === 0,
  isRefused: id % 4 === 1,
});

export const quotes = ["quote a", "quote b", "quote c"] as const;

/** The activities of an order, each of which must be recorded once. */
export const activitiesOf = (id: number): ReadonlyArray<string> => [
  "reserve",
  ...quotes,
  "charge",
  planOf(id).isRefused ? "release" : "ship",
];

/** Length of a durable sleep and of the longest activity, in milliseconds. */
const sleepMs = 40;
const activityMsMax = 12;

/** One line of the log of effects. */
export const EffectLine = Schema.fromJsonString(
  Schema.Struct({
    key: Schema.String,
    id: Schema.Int,
    activity: Schema.String,
    answer: Schema.String,
    basedOn: Schema.Record(Schema.String, Schema.String),
  }),
);
const encodeLine = Schema.encodeSync(EffectLine);

/** Where the effects go: a log, and a folder with one file per shipped order. */
export interface Outside {
  readonly effectsFile: string;
  readonly outputsDirectory: string;
}

/** The text of a shipped order: what it was based on. */
export const outputOf = (basedOn: Readonly<Record<string, string>>): string =>
  JSON.stringify(basedOn, Object.keys(basedOn).toSorted());

export const outputFile = (outside: Outside, id: number): string =>
  join(outside.outputsDirectory, `${id}.json`);

/** The card of the order is refused: what was reserved is released. */
export class Refused extends Schema.TaggedError<Refused>()("Refused", { id: Schema.Int }) {}

export const Shipment = Workflow.make("Shipment", {
  payload: { id: Schema.Int },
  success: Schema.String,
  error: Refused,
  idempotencyKey: ({ id }) => `order ${id}`,
});

export const approval = DurableDeferred.make("approval", { success: Schema.String });

/** The workflow's code, with its effects in the given places. */
export const layerShipment = (outside: Outside) => {
  const act = (id: number, activity: string, basedOn: Record<string, string>) =>
    Effect.gen(function* () {
      const key = yield* Activity.idempotencyKey(activity);
      const answer = `${activity} ${crypto.randomUUID()}`;
      yield* Effect.sleep(Math.random() * activityMsMax);
      const line = encodeLine({ key, id, activity, answer, basedOn });
      yield* Effect.sync(() => {
        // One write at the end of the file: whole or not at all, whoever else writes.
        const log = openSync(outside.effectsFile, "a");
        writeSync(log, `${line}\n`);
        closeSync(log);
      });
      return answer;
    });
  const step = (id: number, name: string, basedOn: Record<string, string> = {}) =>
    Activity.make({ name, success: Schema.String, execute: act(id, name, basedOn) });

  const charge = (id: number, basedOn: Record<string, string>) =>
    Activity.make({
      name: "charge",
      success: Schema.String,
      error: Refused,
      execute: Effect.flatMap(act(id, "charge", basedOn), (answer) =>
        planOf(id).isRefused ? Effect.fail(new Refused({ id })) : Effect.succeed(answer),
      ),
    });

  const ship = (id: number, basedOn: Record<string, string>) =>
    Activity.make({
      name: "ship",
      success: Schema.String,
      execute: Effect.gen(function* () {
        yield* act(id, "ship", basedOn);
        const text = outputOf(basedOn);
        yield* Effect.sync(() => {
          const file = outputFile(outside, id);
          const part = `${file}.${crypto.randomUUID()}.part`;
          writeFileSync(part, text);
          renameSync(part, file);
        });
        return text;
      }),
    });

  return Shipment.toLayer(
    Effect.fnUntraced(function* ({ id }) {
      const reserve = yield* step(id, "reserve").pipe(
        Shipment.withCompensation((value) =>
          Effect.asVoid(step(id, "release", { reserve: value })),
        ),
      );
      const [a, b, c] = yield* Effect.all(
        quotes.map((name) => step(id, name, { reserve })),
        { concurrency: "unbounded" },
      );
      const plan = planOf(id);
      if (plan.sleeps) {
        yield* DurableClock.sleep({ name: "pause", duration: sleepMs, inMemoryThreshold: 0 });
      }
      const approved = plan.needsApproval ? yield* DurableDeferred.await(approval) : "";
      const seen = {
        reserve,
        "quote a": a ?? "",
        "quote b": b ?? "",
        "quote c": c ?? "",
        ...(plan.needsApproval && { approval: approved }),
      };
      const charged = yield* charge(id, seen);
      return yield* ship(id, { ...seen, charge: charged });
    }),
  );
};
