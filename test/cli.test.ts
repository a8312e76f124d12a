/**
 * Goal: the command does what its help says, tells other programs in JSON, and ends with a code that can be relied on.
 * Method: the command as people run it: a process of its own in a folder of its own.
 */
import { GetObjectCommand, S3Client } from "@aws-sdk/client-s3";
import { assert, describe, it } from "@effect/vitest";
import { clientConfig, localBuckets } from "@millrace/local";
import { Effect, Schema } from "effect";
import {
  decodeConnectionLine,
  decodeListing,
  dev,
  inFolder,
  listed,
  millrace,
  stop,
  write,
} from "./cliProcess.ts";

const Uploaded = Schema.fromJsonString(
  Schema.Struct({ bucket: Schema.String, key: Schema.String, versionId: Schema.String }),
);
const decodeUploaded = Schema.decodeUnknownEffect(Uploaded);
const Shown = Schema.fromJsonString(
  Schema.Struct({
    executionId: Schema.String,
    commits: Schema.Array(
      Schema.Struct({
        commit: Schema.Int,
        events: Schema.Array(Schema.Struct({ _tag: Schema.String })),
      }),
    ),
  }),
);
const decodeShown = Schema.decodeUnknownEffect(Shown);

/** Each command is a process, which starts in a second or more on a busy machine. */
describe("millrace", { timeout: 180_000 }, () => {
  it.live("dev, upload, ls and show work together, and state survives a restart", () =>
    inFolder(
      Effect.fnUntraced(function* (folder) {
        yield* write(folder, "orders.csv", "id,name\n1,a\n2,b\n");
        const uploaded = yield* Effect.gen(function* () {
          const { child, first } = yield* dev(folder, "--json");
          yield* decodeConnectionLine(first);
          const upload = yield* millrace(folder, "upload", "orders.csv", "--json");
          assert.strictEqual(upload.code, 0, upload.err);
          const object = yield* decodeUploaded(upload.out);
          assert.deepInclude(object, { bucket: localBuckets.raw, key: "incoming/orders.csv" });
          const { rows } = yield* listed(folder);
          assert.lengthOf(rows, 1);
          assert.deepInclude(rows[0], {
            workflow: "CsvToParquet",
            status: "completed",
            key: `${localBuckets.raw}/incoming/orders.csv@${object.versionId}`,
          });
          const [text, json, unknown] = yield* Effect.all(
            [
              millrace(folder, "show", "orders.csv"),
              millrace(folder, "show", rows[0]?.executionId.slice(0, 8) ?? "", "--json"),
              millrace(folder, "show", "nothing like it"),
            ],
            { concurrency: 2 },
          );
          assert.strictEqual(text.code, 0, text.err);
          for (const line of [
            `execution ${rows[0]?.executionId}`,
            "started CsvToParquet",
            "validate completed",
            "transform completed",
            "execution completed",
          ]) {
            assert.include(text.out, line);
          }
          const shown = yield* decodeShown(json.out);
          assert.strictEqual(shown.executionId, rows[0]?.executionId);
          assert.deepStrictEqual(
            shown.commits.map(({ commit }) => commit),
            shown.commits.map((_, index) => index + 1),
          );
          assert.strictEqual(shown.commits[0]?.events[0]?._tag, "ExecutionStarted");
          assert.strictEqual(shown.commits.at(-1)?.events.at(-1)?._tag, "Completed");
          assert.deepInclude(unknown, {
            code: 1,
            out: "",
            err: 'millrace: no execution has the id, or an object, that "nothing like it" is part of: see `millrace ls`\n',
          });
          assert.strictEqual(yield* stop(child), 0);
          return object;
        }).pipe(Effect.scoped);

        const offline = yield* millrace(folder, "ls");
        assert.strictEqual(offline.code, 1);
        assert.match(offline.err, /^millrace: no local mode runs here .*\n$/);

        yield* Effect.gen(function* () {
          const { first } = yield* dev(folder, "--json", "--no-workers");
          const connection = yield* decodeConnectionLine(first);
          const { rows } = yield* listed(folder);
          assert.lengthOf(rows, 1);
          const s3 = new S3Client({ ...clientConfig(connection), forcePathStyle: true });
          const { Body } = yield* Effect.promise(() =>
            s3.send(new GetObjectCommand({ Bucket: uploaded.bucket, Key: uploaded.key })),
          );
          const text = yield* Effect.promise(async () => Body?.transformToString());
          assert.strictEqual(text, "id,name\n1,a\n2,b\n");
          const second = yield* millrace(folder, "dev");
          assert.strictEqual(second.code, 1);
          assert.match(second.err, /^millrace: a local mode runs here already, at http.*\n$/);
        }).pipe(Effect.scoped);

        yield* Effect.gen(function* () {
          const { child } = yield* dev(folder, "--json", "--no-workers", "--clean");
          const { out } = yield* millrace(folder, "ls", "--json");
          assert.deepStrictEqual((yield* decodeListing(out)).rows, []);
          // Killed, it cannot take its connection away; others find out that nobody is there.
          yield* stop(child, "SIGKILL");
          const after = yield* millrace(folder, "ls");
          assert.strictEqual(after.code, 1);
          assert.match(after.err, /^millrace: no local mode runs here/);
        }).pipe(Effect.scoped);
      }),
    ),
  );

  it.live("dev --no-workers leaves messages in their queues", () =>
    inFolder(
      Effect.fnUntraced(function* (folder) {
        yield* write(folder, "a.csv", "id\n1\n");
        const { child, lines } = yield* dev(folder, "--no-workers");
        const upload = yield* millrace(folder, "upload", "a.csv");
        assert.deepInclude(upload, { code: 0, out: `${localBuckets.raw}/incoming/a.csv\n` });
        const { out } = yield* millrace(folder, "ls");
        assert.strictEqual(out, "no executions\n");
        assert.match(lines.join("\n"), /AWS_ENDPOINT_URL=http:\/\/127\.0\.0\.1:\d+/);
        assert.notInclude(lines.join("\n"), "csv-to-parquet");
        assert.strictEqual(yield* stop(child, "SIGTERM"), 0);
      }),
    ),
  );

  const wrong: ReadonlyArray<ReadonlyArray<string>> = [
    ["nonsense"],
    ["ls", "--nonsense"],
    ["ls", "--limit", "0"],
    ["ls", "--status", "lost"],
    ["ls", "--since", "yesterday"],
    ["fork", "3f9a"],
    ["export"],
    ["upload"],
    ["dev", "--port", "70000"],
    ["dev", "--concurrency", "0"],
  ];
  it.live("ends with 2 and says why when it is called wrongly", () =>
    inFolder((folder) =>
      Effect.forEach(
        wrong,
        (words) =>
          Effect.map(millrace(folder, ...words), ({ code, err }) => {
            assert.strictEqual(code, 2, words.join(" "));
            assert.match(err, /ERROR\n {2}\S/, words.join(" "));
            assert.notMatch(err, /^\s+at /m);
          }),
        { concurrency: 2, discard: true },
      ),
    ),
  );

  const failing: ReadonlyArray<readonly [ReadonlyArray<string>, RegExp]> = [
    [["ls"], /^millrace: no local mode runs here .*\n$/],
    [["redrive", "3f9a"], /^millrace: no local mode runs here .*\n$/],
    [["upload", "a.csv"], /^millrace: no local mode runs here .*\n$/],
    [["transform", "missing.csv", "--out", "o"], /missing\.csv/],
    [["demo", "missing.xyz"], /^millrace: no pipeline takes .*missing\.xyz: .*\n$/],
  ];
  it.live("ends with 1 and the reason, without a stack, when it fails", () =>
    inFolder((folder) =>
      Effect.forEach(
        failing,
        ([words, reason]) =>
          Effect.map(millrace(folder, ...words), ({ code, err, out }) => {
            assert.strictEqual(code, 1, words.join(" "));
            assert.match(err, reason);
            assert.notMatch(err, /^\s+at /m);
            assert.strictEqual(out, "");
          }),
        { concurrency: 2, discard: true },
      ),
    ),
  );
});
