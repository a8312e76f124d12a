/**
 * Goal: what is in people's files, and the keys of our vendors, stay where they belong.
 * Method: a card number, a cell's text and a secret are sent along every path; afterwards every store, log, trace, letter,
 * event and output of the command line is searched for them. That the search finds what is there is shown by the names of
 * the objects, which are everywhere.
 */
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { PutRuleCommand, PutTargetsCommand } from "@aws-sdk/client-eventbridge";
import { CreateQueueCommand } from "@aws-sdk/client-sqs";
import { SNSClient, SubscribeCommand } from "@aws-sdk/client-sns";
import { ScanCommand } from "@aws-sdk/lib-dynamodb";
import { assert, layer } from "@effect/vitest";
import { Executions, Journal, signal, Wakes } from "@millrace/core";
import {
  clientConfig,
  localBuckets,
  localBus,
  localTables,
  localTopicArn,
  localValuesBucket,
  queueArn,
} from "@millrace/local";
import { pipelines } from "@millrace/workflows/topology";
import { Context, Effect, FileSystem, Layer } from "effect";
import { NodeServices } from "@effect/platform-node";
import { bank } from "./bank/bank.ts";
import { makeCollector } from "./Collector.ts";
import { layerLocalWorld, LocalWorld } from "./LocalWorld.ts";
import { openTerminal } from "./operatorWorld.ts";

const card = "4929123456781236";
const cell = "canary-cell-Zq81xW";
const secret = 'canary secret/7f3a9c"key';
/** In every form in which it could be found. */
const canaries = [
  card,
  card.replaceAll(/(.{4})(?=.)/g, "$1 "),
  cell,
  secret,
  JSON.stringify(secret).slice(1, -1),
  encodeURIComponent(secret),
  Buffer.from(secret).toString("base64"),
];

/** What is sent, by the name of its path: an object's key and content. */
const uploads: Readonly<Record<string, readonly [key: string, content: string]>> = {
  "cells of a good file": ["incoming/good.csv", `id,card,note\n1,${card},${cell}\n`],
  "rejected rows": ["incoming/rows.csv", `id,card,note\n1,2,3\n${card},${cell}\n`],
  "a file with no good row": ["incoming/bad.csv", `id,card,note\n${card},${cell}\n${cell}\n`],
  "a file without a header": ["incoming/bare.csv", `${card},ana@example.org,1\n1,2,3\n`],
  "a broken header": ["incoming/header.csv", `id,"${cell}"${card},note\n1,2,3\n`],
  "an open quote": ["incoming/quote.csv", `id,note\n1,"${cell} ${card}\n`],
  "a date that is none": ["incoming/date.csv", `id,date\n1,${cell}\n2,${card}\n`],
  "a text called an image": ["images/text.png", `${cell} ${card}`],
  "broken XML": ["images/xml.svg", `<svg xmlns="http://www.w3.org/2000/svg"><${cell}></svg>`],
  "an SVG with an encoding": ["images/enc.svg", `<?xml version="1.0" encoding="${cell}"?><svg/>`],
  "a body that is no JSON": ["payments/nojson.json", `${cell} ${card}`],
  "a body of another form": ["payments/form.json", JSON.stringify({ card, behaviour: cell })],
};

/** The same for orders, which the vendor treats as told. */
const orders = ["pay", "decline", "break", "misread", "disclose"] as const;
const orderOf = (behaviour: string) =>
  JSON.stringify({ invoice: `canary-${behaviour}`, card, note: cell, behaviour });

class Place extends Context.Service<
  Place,
  { readonly directory: string; readonly collector: Effect.Success<typeof makeCollector> }
>()("millrace/test/Place") {}

const layerPlace = Layer.effect(
  Place,
  Effect.gen(function* () {
    const fs = yield* FileSystem.FileSystem;
    const directory = yield* fs.makeTempDirectoryScoped({ prefix: "millrace-canary-" });
    return { directory, collector: yield* makeCollector };
  }),
).pipe(Layer.provide(NodeServices.layer));

const world = Layer.unwrap(
  Effect.map(Place, ({ collector, directory }) =>
    layerLocalWorld({
      timeoutSeconds: 30,
      directory,
      variables: {
        OTEL_EXPORTER_OTLP_ENDPOINT: collector.endpoint,
        MILLRACE_LOG_LEVEL: "Debug",
        MILLRACE_SECRET_BANK_KEY: secret,
      },
      ...bank,
    }),
  ),
).pipe(Layer.provideMerge(layerPlace));

/** A queue that hears everything that the product tells. */
const listen = Effect.gen(function* () {
  const { clients, connection } = yield* LocalWorld;
  const { events, sqs } = clients;
  const QueueName = "everything";
  const Endpoint = queueArn(QueueName);
  yield* Effect.promise(async () => {
    await sqs.send(new CreateQueueCommand({ QueueName }));
    await events.send(
      new PutRuleCommand({
        Name: QueueName,
        EventBusName: localBus,
        EventPattern: JSON.stringify({ source: ["millrace"] }),
      }),
    );
    await events.send(
      new PutTargetsCommand({
        Rule: QueueName,
        EventBusName: localBus,
        Targets: [{ Id: "queue", Arn: Endpoint }],
      }),
    );
    await new SNSClient(clientConfig(connection)).send(
      new SubscribeCommand({ TopicArn: localTopicArn, Protocol: "sqs", Endpoint }),
    );
  });
});

/** Everything that this process can see, by the name of the place, as texts. */
interface Seen {
  readonly place: string;
  readonly text: string;
}

/** Raw bytes of the queues, the archive, the topics, the schedules and the tables, live and deleted. */
const bytesOf = (directory: string): ReadonlyArray<Seen> =>
  readdirSync(directory, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile() && !entry.parentPath.includes(join(directory, "objects")))
    .map((entry) => join(entry.parentPath, entry.name))
    .map((place) => ({ place, text: readFileSync(place).toString("latin1") }));

const tables = Effect.gen(function* () {
  const { clients } = yield* LocalWorld;
  return yield* Effect.forEach(Object.values(localTables), (TableName) =>
    Effect.promise(async (): Promise<Seen> => {
      const { Items } = await clients.documents.send(new ScanCommand({ TableName }));
      return { place: `table ${TableName}`, text: JSON.stringify(Items) };
    }),
  );
});

const histories = (executionIds: ReadonlyArray<string>) =>
  Effect.forEach(executionIds, (executionId) =>
    Effect.gen(function* () {
      const journal = yield* Journal;
      const text = JSON.stringify(yield* journal.load(executionId, 0));
      return { place: `history ${executionId}`, text };
    }),
  );

/** Outputs and copies of people's own files hold people's data; nothing else in a bucket does. */
const isTheirs = (bucket: string, key: string): boolean =>
  bucket === localBuckets.raw ||
  (bucket === localBuckets.errors && !key.endsWith(".reason.json")) ||
  (bucket === localBuckets.clean && /\.(parquet|ndjson)$/.test(key));

const objects = Effect.gen(function* () {
  const { read, versions } = yield* LocalWorld;
  const buckets = [...Object.values(localBuckets), localValuesBucket];
  const seen = yield* Effect.forEach(buckets, (bucket) =>
    Effect.flatMap(versions(bucket), (found) =>
      Effect.forEach(
        found.filter(({ key }) => !isTheirs(bucket, key)),
        ({ key, versionId }) =>
          Effect.map(read(bucket, key, versionId), ({ bytes }) => ({
            place: `object ${bucket}/${key}`,
            text: Buffer.from(bytes).toString("latin1"),
          })),
      ),
    ),
  );
  return seen.flat();
});

/** What a person sees of it all. */
const commands = (executionIds: ReadonlyArray<string>) =>
  Effect.gen(function* () {
    const { text } = yield* openTerminal;
    const calls = [
      ["ls"],
      ["ls", "--json"],
      ["where", "bad.csv"],
      ["dlq", "ls", pipelines.csvToParquet.name],
      ["dlq", "ls", pipelines.imageRenditions.name, "--json"],
      ...executionIds.flatMap((id) => [
        ["show", id],
        ["show", id, "--json"],
      ]),
    ];
    return yield* Effect.forEach(
      calls,
      (words) =>
        Effect.map(text(...words), ({ err, out }) => ({
          place: `millrace ${words.join(" ")}`,
          text: out + err,
        })),
      { concurrency: 2 },
    );
  }).pipe(Effect.scoped);

const found = (seen: ReadonlyArray<Seen>): ReadonlyArray<string> =>
  seen.flatMap(({ place, text }) =>
    canaries.flatMap((canary) => {
      const at = text.indexOf(canary);
      return at < 0
        ? []
        : [`${place}: ${JSON.stringify(text.slice(Math.max(0, at - 150), at + 80))}`];
    }),
  );

layer(world, { timeout: "180 seconds", excludeTestServices: true })("a canary", (it) => {
  it.effect(
    "is found in people's files, and nowhere else",
    () =>
      Effect.gen(function* () {
        const { ended, upload, watchers } = yield* LocalWorld;
        const { collector, directory } = yield* Place;
        const executions = yield* Executions;
        const lines: Array<string> = [];
        watchers.add((event) => lines.push(JSON.stringify(event)));
        yield* listen;

        const sent = yield* Effect.forEach(
          [
            ...Object.values(uploads),
            ...orders.map(
              (behaviour) => [`payments/${behaviour}.json`, orderOf(behaviour)] as const,
            ),
          ],
          ([key, content]) => upload(key, content),
        );
        const rows = yield* Effect.forEach(sent, ended, { concurrency: "unbounded" });
        const statusOf = new Map(sent.map(({ key }, index) => [key, rows[index]?.status]));
        assert.strictEqual(statusOf.get("incoming/good.csv"), "completed");
        assert.strictEqual(statusOf.get("incoming/rows.csv"), "completed");
        assert.strictEqual(statusOf.get("payments/pay.json"), "completed");
        const failed = sent.filter(({ key }) => statusOf.get(key) === "failed");
        assert.isAtLeast(failed.length, 9, JSON.stringify([...statusOf]));
        const disclosed = rows.find(({ key }) => key.includes("disclose"));
        assert.include(disclosed?.errorMessage ?? "", "returned the secret");
        const receipt = yield* ended({
          subject: `payments/${rows.find(({ key }) => key.includes("pay.json"))?.executionId}`,
        });
        assert.isDefined(yield* executions.find(receipt.executionId));

        const ids = rows.map(({ executionId }) => executionId);
        // One of each kind: each is a process.
        const shown = ["bad.csv", "bare.csv", "text.png", "decline.json", "break.json"].flatMap(
          (name) =>
            rows.filter(({ key }) => key.includes(name)).map(({ executionId }) => executionId),
        );
        assert.lengthOf(shown, 5);
        const refused = yield* signal(ids[0] ?? "", { deferred: "approval", value: { card } }).pipe(
          Effect.provideService(
            Wakes,
            Wakes.of({ wake: () => Effect.void, timer: () => Effect.void }),
          ),
          Effect.flip,
        );
        assert.strictEqual(refused._tag, "SignalRefused");

        const seen: ReadonlyArray<Seen> = [
          ...bytesOf(directory),
          ...(yield* tables),
          ...(yield* histories(ids)),
          ...(yield* objects),
          ...(yield* commands(shown)),
          { place: "lines and host events", text: lines.join("\n") },
          { place: "traces", text: collector.bodies.join("\n") },
          { place: "the refusal of a signal", text: String(refused) },
        ];
        // The search sees what is there.
        const everywhere = [
          "aws.sqlite",
          "table MillraceJournal",
          "table MillraceExecutions",
          "history ",
          "millrace ls",
          "millrace dlq ls",
          "lines and host events",
        ];
        for (const place of everywhere) {
          const named = seen.filter((one) => one.place.includes(place));
          assert.isTrue(
            named.some(({ text }) => text.includes("incoming/bad.csv")),
            place,
          );
        }
        const { text: traces } = seen.find(({ place }) => place === "traces") ?? { text: "" };
        assert.include(traces, ids[0] ?? "no execution");
        assert.isTrue(seen.some(({ place }) => place.endsWith(".reason.json")));

        assert.deepStrictEqual(found(seen), []);
      }),
    170_000,
  );

  it.effect("in a message that nobody can read is in no letter", () =>
    Effect.gen(function* () {
      const { deliver, letters } = yield* LocalWorld;
      yield* deliver(pipelines.csvToParquet, `no event of ours, but ${card}`);
      const [letter] = yield* letters(
        pipelines.csvToParquet,
        ({ cause }) => cause.tag === "MessageUnreadable",
      );
      assert.deepStrictEqual(found([{ place: "letter", text: JSON.stringify(letter) }]), []);
      assert.include(letter?.original ?? "", "no event of ours, but <card number>");
    }),
  );
});
