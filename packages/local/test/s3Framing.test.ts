/**
 * Goal: the two parsers that take a body in pieces, aws-chunked and multipart/form-data, give the same result wherever
 * the network cuts the body. Method: every cut of small bodies, in pieces of every size.
 */
import { assert, describe, it } from "@effect/vitest";
import { Result } from "effect";
import { AwsChunkedDecoder } from "../src/s3/AwsChunked.ts";
import { parseRange } from "../src/s3/byteRange.ts";
import { UploadForm } from "../src/s3/UploadForm.ts";

const cuts = (body: Buffer, size: number): ReadonlyArray<Buffer> => {
  const pieces: Array<Buffer> = [];
  for (let at = 0; at < body.byteLength; at += size) pieces.push(body.subarray(at, at + size));
  return pieces;
};

/** Feeds a body in pieces of one size; the payload, or the code of the refusal. */
const unchunk = (body: Buffer, size: number) => {
  const decoder = new AwsChunkedDecoder(undefined, false);
  const payload: Array<Uint8Array> = [];
  for (const piece of cuts(body, size)) {
    const fed = decoder.feed(piece);
    if (Result.isFailure(fed)) return { code: fed.failure.code };
    payload.push(...fed.success);
  }
  const end = decoder.finish();
  if (Result.isFailure(end)) return { code: end.failure.code };
  return { text: Buffer.concat(payload).toString(), trailers: [...decoder.trailers] };
};

describe("aws-chunked", () => {
  const tricky = "0\r\nx-amz-checksum-crc32:AAAAAA==\r\n\r\n5\r\n";
  const framed = Buffer.from(
    `${tricky.length.toString(16)}\r\n${tricky}\r\n3\r\nend\r\n0\r\nx-amz-checksum-crc32:abc=\r\n\r\n`,
  );

  it("gives the same payload and trailer for pieces of every size", () => {
    for (let size = 1; size <= framed.byteLength; size++) {
      assert.deepStrictEqual(unchunk(framed, size), {
        text: `${tricky}end`,
        trailers: [["x-amz-checksum-crc32", "abc="]],
      });
    }
  });

  it("refuses every body that stops before its last chunk", () => {
    const lastChunk = framed.lastIndexOf("0\r\nx-amz");
    for (let length = 0; length < lastChunk + 3; length++) {
      assert.deepStrictEqual(unchunk(framed.subarray(0, length), 7), { code: "IncompleteBody" });
    }
  });

  it("refuses a body that is not framed, or goes on after its end", () => {
    for (const text of [
      "plain text\r\n",
      "-5\r\nhello\r\n0\r\n\r\n",
      "5;x=y\r\nhello\r\n0\r\n\r\n",
    ]) {
      assert.deepStrictEqual(unchunk(Buffer.from(text), 4), { code: "IncompleteBody" });
    }
    const longer = Buffer.concat([framed, Buffer.from("x")]);
    assert.deepStrictEqual(unchunk(longer, 5), { code: "IncompleteBody" });
  });
});

describe("multipart/form-data", () => {
  const file = "--b\r\n\r\n--other\r\nalmost: \r\n--boundar";
  const body = Buffer.from(
    [
      "--boundary",
      'Content-Disposition: form-data; name="Key"',
      "",
      "in/${filename}",
      "--boundary",
      'Content-Disposition: form-data; name="file"; filename="a \\"b\\".csv"',
      "Content-Type: text/csv",
      "",
      file,
      "--boundary",
      'Content-Disposition: form-data; name="submit"',
      "",
      "ignored",
      "--boundary--",
      "",
    ].join("\r\n"),
  );

  it("gives the same fields and file for pieces of every size", () => {
    for (let size = 1; size <= body.byteLength; size++) {
      const form = new UploadForm("boundary");
      const bytes = cuts(body, size).map((piece) => Result.getOrThrow(form.feed(piece)));
      const text = Buffer.concat(bytes.filter((piece) => piece !== undefined)).toString();
      assert.strictEqual(text, file, `pieces of ${size}`);
      assert.deepStrictEqual([...form.fields], [["key", "in/${filename}"]]);
      assert.deepStrictEqual(Result.getOrThrow(form.finish()), {
        filename: 'a "b".csv',
        contentType: "text/csv",
      });
    }
  });

  it("refuses a form that ends inside its file", () => {
    for (const length of [10, 60, 160, 200]) {
      const form = new UploadForm("boundary");
      Result.getOrThrow(form.feed(body.subarray(0, length)));
      const end = form.finish();
      assert.strictEqual(Result.isFailure(end) ? end.failure.code : "", "MalformedPOSTRequest");
    }
  });
});

it("a range of an empty object is unsatisfiable, and one beyond its end is cut", () => {
  assert.deepStrictEqual(parseRange("bytes=0-", 0), { kind: "unsatisfiable" });
  assert.deepStrictEqual(parseRange("bytes=-1", 0), { kind: "unsatisfiable" });
  assert.deepStrictEqual(parseRange("bytes=0-99", 3), { kind: "part", from: 0, to: 3 });
  assert.deepStrictEqual(parseRange(undefined, 0), { kind: "whole" });
});
