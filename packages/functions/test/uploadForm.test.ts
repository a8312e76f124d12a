/**
 * A form for an upload allows one object under a key that the server chose, of the size and type that its pipeline
 * takes, and nothing else.
 */
import { assert, describe, it } from "@effect/vitest";
import { toUploadForm, UploadRefused, UploadRequest } from "@millrace/functions/uploadForm";
import { refusalOf } from "@millrace/core";
import { pipelines, topology } from "@millrace/workflows/topology";
import { Exit, Schema } from "effect";

const formOf = (request: Partial<typeof UploadRequest.Type>) =>
  toUploadForm(
    topology.pipelines,
    { pipeline: "csv-to-parquet", fileName: "a.csv", contentType: "text/csv", ...request },
    "id-1",
  );

const keyOf = (fileName: string): string => {
  const form = formOf({ fileName });
  return form instanceof UploadRefused ? form.message : form.key;
};

describe("a form for an upload", () => {
  it("has a key that the pipeline's trigger takes", () => {
    const form = formOf({ fileName: "Orders 2026.CSV" });
    if (form instanceof UploadRefused) throw form;
    assert.strictEqual(form.key, "incoming/id-1/Orders-2026.csv");
    const { trigger } = pipelines.csvToParquet;
    const object = {
      bucket: "b",
      key: form.key,
      sizeBytes: 1,
      etag: "e",
      sequencer: "1",
      eventEpochMs: 0,
    };
    assert.isUndefined(refusalOf(trigger, "b", object));
  });

  it("lets no path of the caller's into the key", () => {
    assert.strictEqual(keyOf("../../etc/passwd.csv"), "incoming/id-1/..-..-etc-passwd.csv");
    assert.strictEqual(keyOf("a\u0000\u202e/b.csv"), "incoming/id-1/a-b.csv");
    assert.isBelow(keyOf(`${"x".repeat(251)}.csv`).length, 130);
  });

  it("is refused for a pipeline that there is not, and for a file that it does not take", () => {
    assert.instanceOf(formOf({ pipeline: "nobody" }), UploadRefused);
    assert.instanceOf(formOf({ fileName: "a.exe" }), UploadRefused);
    assert.include(keyOf("a.exe"), ".csv");
  });

  it("is not larger than one POST may be", () => {
    const form = formOf({});
    if (form instanceof UploadRefused) throw form;
    assert.strictEqual(form.bytesMax, 5 * 1024 ** 3);
    assert.strictEqual(form.bytesMin, 0);
  });

  it("wants a request that says a type and a name", () => {
    const decode = Schema.decodeUnknownExit(UploadRequest);
    for (const wrong of [
      {},
      { pipeline: "a", fileName: "", contentType: "text/csv" },
      { pipeline: "a", fileName: "a.csv", contentType: "text/csv\r\nx: y" },
      { pipeline: "a", fileName: "a".repeat(256), contentType: "text/csv" },
    ]) {
      assert.isTrue(Exit.isFailure(decode(wrong)), JSON.stringify(wrong));
    }
  });
});
