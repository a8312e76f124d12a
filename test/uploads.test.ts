/**
 * Goal: whoever has no AWS client uploads through the API, by a form or in parts, and nothing but what he was given leave for.
 * Method: the API of a whole local mode, asked by plain HTTP as a program would; what was uploaded goes through its pipeline.
 */
import { assert, layer } from "@effect/vitest";
import { Executions } from "@millrace/core";
import { UploadApi } from "@millrace/local";
import { Effect, Option, Schedule, Schema } from "effect";
import { layerLocalWorld } from "./LocalWorld.ts";

const Form = Schema.Struct({
  url: Schema.String,
  fields: Schema.Record(Schema.String, Schema.String),
  key: Schema.String,
  expiresInSeconds: Schema.Int,
});
const Begun = Schema.Struct({
  key: Schema.String,
  uploadId: Schema.String,
  partBytes: Schema.Int,
  partsCount: Schema.Int,
  parts: Schema.Array(
    Schema.Struct({ partNumber: Schema.Int, bytes: Schema.Int, url: Schema.String }),
  ),
});
const decodeForm = Schema.decodeUnknownEffect(Form);
const decodeBegun = Schema.decodeUnknownEffect(Begun);
const Refused = Schema.Struct({ error: Schema.String });
const decodeRefused = Schema.decodeUnknownEffect(Refused);

/** Asks the API; gives the status and what it says. */
const ask = Effect.fnUntraced(function* (path: string, body: object) {
  const url = Option.getOrThrow((yield* UploadApi).url);
  return yield* Effect.promise(async () => {
    const response = await fetch(url + path, { method: "POST", body: JSON.stringify(body) });
    const said: unknown = await response.json();
    return { status: response.status, said };
  });
});

const refusal = Effect.fnUntraced(function* (path: string, body: object) {
  const { said, status } = yield* ask(path, body);
  assert.strictEqual(status, 400, JSON.stringify(said));
  return (yield* decodeRefused(said)).error;
});

const csv = { pipeline: "csv-to-parquet", fileName: "orders.csv", contentType: "text/csv" };
const png = { pipeline: "image-renditions", fileName: "photo.png", contentType: "image/png" };

const getForm = Effect.fnUntraced(function* (path: string, body: object) {
  const { said, status } = yield* ask(path, body);
  assert.strictEqual(status, 201, JSON.stringify(said));
  return yield* decodeForm(said);
});

/** Sends the form as a browser or curl would: the fields first, then the file. */
const send = (
  { fields, url }: typeof Form.Type,
  content: Uint8Array<ArrayBuffer> | string,
  changes: Readonly<Record<string, string>> = {},
) =>
  Effect.promise(async () => {
    const form = new FormData();
    for (const [name, value] of Object.entries({ ...fields, ...changes })) form.set(name, value);
    form.set("file", new Blob([content]));
    const { status } = await fetch(url, { method: "POST", body: form });
    return status;
  });

/** The execution about the object, once it has ended. */
const ended = (key: string) =>
  Executions.use((executions) => executions.list({ rowsMax: 100 })).pipe(
    Effect.map(({ rows }) =>
      rows.find(
        (row) =>
          row.key.includes(`/${key}@`) && (row.status === "completed" || row.status === "failed"),
      ),
    ),
    Effect.repeat({ until: (row) => row !== undefined, schedule: Schedule.spaced("50 millis") }),
    Effect.flatMap(Effect.fromNullishOr),
  );

const put = (url: string, bytes: Uint8Array<ArrayBuffer>) =>
  Effect.promise(async () => (await fetch(url, { method: "PUT", body: bytes })).status);

const world = layerLocalWorld({ timeoutSeconds: 60 });

layer(world, { timeout: "120 seconds", excludeTestServices: true })("an upload", (it) => {
  it.effect("by a form goes straight to the bucket, and through its pipeline", () =>
    Effect.gen(function* () {
      const form = yield* getForm("/uploads", csv);
      assert.match(form.key, /^incoming\/[0-9a-f-]{36}\/orders\.csv$/);
      assert.strictEqual(form.expiresInSeconds, 300);
      assert.strictEqual(yield* send(form, "id\n1\n"), 204);
      assert.strictEqual((yield* ended(form.key)).status, "completed");
    }),
  );

  it.effect(
    "is refused by S3 under another key, with another type, and after a change of the policy",
    () =>
      Effect.gen(function* () {
        const form = yield* getForm("/uploads", csv);
        const changes = [
          { key: "incoming/other.csv" },
          { "Content-Type": "image/png" },
          {
            Policy: Buffer.from(JSON.stringify({ expiration: "2099-01-01T00:00:00Z" })).toString(
              "base64",
            ),
          },
        ];
        for (const change of changes) {
          assert.strictEqual(yield* send(form, "id\n1\n", change), 403, JSON.stringify(change));
        }
      }),
  );

  it.effect("is what its bytes say it is, whatever its name and its type say", () =>
    Effect.gen(function* () {
      const program = yield* getForm("/uploads", png);
      assert.strictEqual(
        yield* send(program, Buffer.from("\x7fELF\x02\x01\x01".padEnd(64, "\0"))),
        204,
      );
      const row = yield* ended(program.key);
      assert.strictEqual(row.status, "failed");
      assert.strictEqual(row.errorTag, "ImageTypeUnsupported");
    }),
  );

  it.effect("of a tenant lies in the tenant's folder, and nobody else completes it", () =>
    Effect.gen(function* () {
      const form = yield* getForm("/tenants/acme/uploads", csv);
      assert.match(form.key, /^incoming\/acme\/[0-9a-f-]{36}\/orders\.csv$/);
      const sizeBytes = 6;
      const begin = yield* ask("/tenants/acme/uploads/begin", { ...csv, sizeBytes });
      const { key, uploadId } = yield* decodeBegun(begin.said);
      const own = { pipeline: csv.pipeline, key, uploadId };
      for (const path of ["/uploads/abort", "/tenants/acme-2/uploads/abort"]) {
        assert.include(yield* refusal(path, own), "is no upload of yours");
      }
      const urls = { ...own, sizeBytes, fromPart: 1 };
      assert.include(yield* refusal("/tenants/other/uploads/urls", urls), "is no upload of yours");
      assert.include(yield* refusal("/tenants/..%2F..%2F/uploads", csv), "tenant");
      assert.strictEqual((yield* ask("/tenants/acme/uploads/abort", own)).status, 200);
    }),
  );

  it.effect(
    "in parts is put together once all of it has come, and only with the lengths that were signed",
    () =>
      Effect.gen(function* () {
        const row = `${"x".repeat(1_000)},1\n`;
        const content = Buffer.from(`name,n\n${row.repeat(33_000)}`);
        const sizeBytes = content.length;
        const { said } = yield* ask("/uploads/begin", { ...csv, sizeBytes });
        const { key, partBytes, parts, partsCount, uploadId } = yield* decodeBegun(said);
        assert.deepStrictEqual([partBytes, partsCount, parts.length], [16 * 1024 ** 2, 2, 2]);
        const own = { pipeline: csv.pipeline, key, uploadId, sizeBytes };
        const [first, last] = parts;
        assert.isDefined(first);
        assert.isDefined(last);
        if (!first || !last) return;
        const bytesOf = ({ bytes, partNumber }: typeof first) =>
          content.subarray((partNumber - 1) * partBytes, (partNumber - 1) * partBytes + bytes);

        assert.strictEqual(yield* put(last.url, bytesOf(last).subarray(1)), 403, "a shorter part");
        assert.strictEqual(yield* put(first.url, bytesOf(first)), 200);
        assert.include(yield* refusal("/uploads/complete", own), `of ${sizeBytes} bytes have come`);
        // The URL of the second part once more, as after a broken line.
        const { said: more } = yield* ask("/uploads/urls", { ...own, fromPart: 2 });
        const again = yield* Schema.decodeUnknownEffect(
          Schema.Struct({ parts: Begun.fields.parts }),
        )(more);
        assert.deepStrictEqual(
          again.parts.map(({ partNumber }) => partNumber),
          [2],
        );
        assert.strictEqual(yield* put(again.parts[0]?.url ?? "", bytesOf(last)), 200);
        assert.strictEqual((yield* ask("/uploads/complete", own)).status, 200);
        assert.strictEqual((yield* ended(key)).status, "completed");
        assert.include(yield* refusal("/uploads/complete", own), "there is no upload in parts");
      }),
  );

  it.effect("in parts can be given up", () =>
    Effect.gen(function* () {
      const sizeBytes = 10;
      const { said } = yield* ask("/uploads/begin", { ...csv, sizeBytes });
      const { key, parts, uploadId } = yield* decodeBegun(said);
      const own = { pipeline: csv.pipeline, key, uploadId };
      assert.strictEqual((yield* ask("/uploads/abort", own)).status, 200);
      assert.strictEqual(yield* put(parts[0]?.url ?? "", Buffer.alloc(10)), 404);
      assert.include(
        yield* refusal("/uploads/complete", { ...own, sizeBytes }),
        "there is no upload in parts",
      );
    }),
  );

  it.effect(
    "is asked for in words that are understood, by this machine's pages and programs only",
    () =>
      Effect.gen(function* () {
        assert.include(
          yield* refusal("/uploads", { ...csv, pipeline: "none" }),
          "there are: csv-to-parquet",
        );
        assert.include(
          yield* refusal("/uploads", { ...csv, fileName: "a.exe" }),
          "files that end with",
        );
        assert.include(yield* refusal("/uploads", {}), "pipeline");
        assert.strictEqual((yield* ask("/uploads/steal", {})).status, 404);
        const url = Option.getOrThrow((yield* UploadApi).url);
        const status = (method: string, origin: string) =>
          Effect.promise(
            async () => (await fetch(`${url}/uploads`, { method, headers: { origin } })).status,
          );
        assert.strictEqual(yield* status("POST", "https://elsewhere.example"), 403);
        assert.strictEqual(yield* status("OPTIONS", "http://localhost:3000"), 204);
        assert.strictEqual(yield* status("GET", "http://localhost:3000"), 405);
      }),
  );
});
