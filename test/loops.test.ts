/**
 * Goal: a loop is refused where the topology is taken up; one that comes about outside of it is stopped by depth.
 * Method: a topology with a planted loop, and a copier that feeds a pipeline's outputs back to it, over the real clients.
 */
import { ListRulesCommand } from "@aws-sdk/client-eventbridge";
import { CopyObjectCommand, HeadObjectCommand } from "@aws-sdk/client-s3";
import { assert, layer } from "@effect/vitest";
import { localBuckets } from "@millrace/local";
import { pipelines, reconciler, sweeper } from "@millrace/workflows/topology";
import { Effect, Schema } from "effect";
import sharp from "sharp";
import { provision } from "../packages/local/src/host/provision.ts";
import { layerLocalWorld, LocalWorld } from "./LocalWorld.ts";

const decodeRendered = Schema.decodeUnknownEffect(
  Schema.Struct({ sizes: Schema.Array(Schema.Struct({ key: Schema.String })) }),
);
const decodeFailed = Schema.decodeUnknownEffect(
  Schema.Array(Schema.Struct({ error: Schema.Struct({ _tag: Schema.String }) })),
);

const ofLoop = (found: ReadonlyArray<{ readonly key: string }>) =>
  found.filter(({ key }) => key.includes("loop"));

const world = layerLocalWorld({ timeoutSeconds: 30 });

layer(world, { timeout: "60 seconds", excludeTestServices: true })("a loop", (it) => {
  it.effect("in the topology is refused before anything of it is made", () =>
    Effect.gen(function* () {
      const { clients, connection } = yield* LocalWorld;
      const looping = {
        ...pipelines.imageRenditions,
        name: "looping",
        outputs: [{ bucket: "raw", prefix: "images/small/" }],
      } as const;
      const rules = Effect.promise(async () => {
        const { Rules } = await clients.events.send(new ListRulesCommand());
        return Rules?.map(({ Name }) => Name);
      });
      const before = yield* rules;
      const error = yield* Effect.flip(
        provision(connection, {
          pipelines: [pipelines.csvToParquet, looping],
          chains: [],
          timesOf: () => ({ timeoutSeconds: 30, visibilitySeconds: 31 }),
          sweeper,
          reconciler,
          sweeps: false,
        }),
      );
      assert.strictEqual(error._tag, "TopologyLoops");
      assert.match(error.message, /looping writes would start looping/);
      assert.deepStrictEqual(yield* rules, before);
    }),
  );

  it.effect("that a copier makes of outputs stops at depth 3, dead-lettered and not run", () =>
    Effect.gen(function* () {
      const { clients, ended, letters, process, versions } = yield* LocalWorld;
      const png = yield* Effect.promise(() =>
        sharp({ create: { width: 900, height: 700, channels: 3, background: "#369" } })
          .png()
          .toBuffer(),
      );
      let { row, uploaded } = yield* process("images/loop/0.png", png);
      const depths: Array<string | undefined> = [];
      for (const round of [1, 2, 3]) {
        assert.strictEqual(row.status, "completed");
        const { sizes } = yield* decodeRendered(row.result);
        const output = sizes[0]?.key ?? "";
        const head = yield* Effect.promise(() =>
          clients.s3.send(new HeadObjectCommand({ Bucket: localBuckets.clean, Key: output })),
        );
        depths.push(head.Metadata?.["millrace-depth"]);
        // What a replication rule, or somebody's script, would do.
        const key = `images/loop/${round}.png`;
        const copied = yield* Effect.promise(() =>
          clients.s3.send(
            new CopyObjectCommand({
              Bucket: localBuckets.raw,
              Key: key,
              CopySource: `${localBuckets.clean}/${output}`,
            }),
          ),
        );
        const versionId = copied.VersionId ?? "";
        const subject = `${localBuckets.raw}/${key}@${versionId}`;
        uploaded = { key, versionId, etag: copied.CopyObjectResult?.ETag ?? "", subject };
        row = yield* ended(uploaded);
      }
      assert.deepStrictEqual(depths, ["1", "2", "3"]);
      assert.strictEqual(row.status, "failed");
      const [failure] = yield* decodeFailed(row.result);
      assert.strictEqual(failure?.error._tag, "LoopStopped");
      const [letter] = yield* letters(
        pipelines.imageRenditions,
        ({ subject }) => subject === uploaded.subject,
      );
      assert.deepInclude(letter?.cause, { tag: "LoopStopped" });
      assert.strictEqual(letter?.failureClass, "permanent");
      // Three runs of three renditions each; nothing of the fourth, not even in quarantine.
      assert.lengthOf(ofLoop(yield* versions(localBuckets.clean)), 9);
      assert.lengthOf(ofLoop(yield* versions(localBuckets.errors)), 0);
    }),
  );
});
