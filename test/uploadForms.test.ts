/**
 * Goal: S3 takes by a form what its pipeline takes, for as long as the form says, and nothing else.
 * Method: the form of a pipeline with a size range, signed by the API's own code, sent by plain HTTP to an embedded S3
 * after the test has moved this process's date.
 */
import { S3Client } from "@aws-sdk/client-s3";
import { assert, layer } from "@effect/vitest";
import { NodeServices } from "@effect/platform-node";
import { variables } from "@millrace/functions/Environment";
import { toUploadForm, UploadRefused } from "@millrace/functions/uploadForm";
import { formSeconds, signForm, Storage } from "@millrace/functions/uploadStorage";
import { clientConfig, EmbeddedAws, layerLocalMode, localBuckets } from "@millrace/local";
import { pipelines } from "@millrace/workflows/topology";
import { ConfigProvider, Effect, Layer } from "effect";
import { vi } from "vitest";

const storage = Layer.effect(
  Storage,
  Effect.map(EmbeddedAws, (connection) => ({
    client: new S3Client({ ...clientConfig(connection), forcePathStyle: true }),
  })),
);

const world = storage.pipe(
  Layer.provideMerge(layerLocalMode({ workers: false })),
  Layer.provideMerge(NodeServices.layer),
);

const bucketsOfApi = ConfigProvider.fromUnknown(
  Object.fromEntries(
    (["raw", "clean", "errors"] as const).map((name) => [
      variables.buckets[name],
      localBuckets[name],
    ]),
  ),
);

const { csvToParquet } = pipelines;
/** As it would stand in the topology. */
const picky = {
  ...csvToParquet,
  trigger: { ...csvToParquet.trigger, sizeBytesMin: 3, sizeBytesMax: 10 },
};

const signed = Effect.gen(function* () {
  const request = { pipeline: picky.name, fileName: "a.csv", contentType: "text/csv" };
  const form = toUploadForm([picky], request, "id-1");
  if (form instanceof UploadRefused) return yield* form;
  return yield* signForm(form);
}).pipe(Effect.provideService(ConfigProvider.ConfigProvider, bucketsOfApi));

/** Sends a file of so many bytes; gives the status and S3's word for a refusal. */
const send = (
  { fields, url }: { readonly url: string; readonly fields: Readonly<Record<string, string>> },
  bytes: number,
) =>
  Effect.promise(async () => {
    const form = new FormData();
    for (const [name, value] of Object.entries(fields)) form.set(name, value);
    form.set("file", new Blob(["x".repeat(bytes)]));
    const response = await fetch(url, { method: "POST", body: form });
    const [, code = ""] = /<Code>(\w+)<\/Code>/.exec(await response.text()) ?? [];
    return `${response.status} ${code}`.trim();
  });

layer(world, { excludeTestServices: true })("a form for an upload", (it) => {
  it.effect("takes files of the size that its pipeline takes", () =>
    Effect.gen(function* () {
      const form = yield* signed;
      const answers = yield* Effect.forEach([0, 2, 3, 10, 11, 100_000], (bytes) =>
        send(form, bytes),
      );
      assert.deepStrictEqual(answers, [
        "400 EntityTooSmall",
        "400 EntityTooSmall",
        "204",
        "204",
        "400 EntityTooLarge",
        "400 EntityTooLarge",
      ]);
    }),
  );

  it.effect("is good for as long as it says, and no longer", () =>
    Effect.gen(function* () {
      const form = yield* signed;
      const signedMs = Date.now();
      vi.useFakeTimers({ toFake: ["Date"], now: signedMs + (formSeconds - 10) * 1_000 });
      assert.strictEqual(yield* send(form, 5), "204");
      vi.setSystemTime(signedMs + (formSeconds + 1) * 1_000);
      assert.strictEqual(yield* send(form, 5), "403 AccessDenied");
    }).pipe(Effect.ensuring(Effect.sync(() => vi.useRealTimers()))),
  );
});
