/**
 * Reads the multipart/form-data body of a browser upload without holding the file in memory.
 *
 * `feed` collects the fields that come before the file and gives the file's bytes on; a possible beginning of the
 * boundary at the end of a chunk is kept back until it is clear what it is. What comes after the file is ignored, as S3
 * does.
 *
 * Fails:  MalformedPOSTRequest - the body is no form, or ends inside a part
 *         MaxPostPreDataLengthExceededError - the fields before the file are too long
 */
import { Result } from "effect";
import type { AwsError } from "../AwsError.ts";
import { s3Error } from "./s3Error.ts";

/** S3's limit for everything before the file. */
const preDataBytesMax = 20_480;

/** The file's own part header. */
export interface FilePart {
  readonly filename: string;
  readonly contentType: string | undefined;
}

type Phase = "fields" | "file" | "done";

export class UploadForm {
  /** Field names in lower case. */
  readonly fields = new Map<string, string>();
  file: FilePart | undefined;
  #phase: Phase = "fields";
  #pending: Buffer = Buffer.alloc(0);
  readonly #delimiter: Buffer;

  constructor(boundary: string) {
    this.#delimiter = Buffer.from(`\r\n--${boundary}`);
    // The first boundary has no line break before it; giving it one makes all boundaries equal.
    this.#pending = Buffer.from("\r\n");
  }

  /** Bytes of the file contained in the next piece of the body. */
  feed(bytes: Uint8Array): Result.Result<Uint8Array | undefined, AwsError> {
    if (this.#phase === "done") return Result.succeed(undefined);
    this.#pending = Buffer.concat([this.#pending, bytes]);
    while (this.#phase === "fields") {
      const step = this.#readField();
      if (step === "more") {
        return this.#pending.byteLength > preDataBytesMax + this.#delimiter.byteLength
          ? Result.fail(tooMuchPreData())
          : Result.succeed(undefined);
      }
      if (step !== "next") return Result.fail(step);
    }
    return Result.succeed(this.#fileBytes());
  }

  /** Succeeds when the file was complete. */
  finish(): Result.Result<FilePart, AwsError> {
    if (this.#phase === "fields" && this.#pending.includes(`${this.#delimiter.toString()}--`)) {
      return Result.fail(
        s3Error(400, "InvalidArgument", "POST requires exactly one file upload per request.", {
          ArgumentName: "file",
          ArgumentValue: "0",
        }),
      );
    }
    return this.#phase === "done" && this.file !== undefined
      ? Result.succeed(this.file)
      : Result.fail(malformedForm());
  }

  #readField(): "more" | "next" | AwsError {
    const delimiter = this.#delimiter;
    if (this.#pending.byteLength < delimiter.byteLength + 2) return "more";
    if (this.#pending.indexOf(delimiter) !== 0) return malformedForm();
    const headEnd = this.#pending.indexOf("\r\n\r\n", delimiter.byteLength);
    if (headEnd < 0) return "more";
    const head = this.#pending.subarray(delimiter.byteLength + 2, headEnd).toString("utf8");
    const name = parameter(head, "name");
    if (name === undefined) return malformedForm();
    const bodyStart = headEnd + 4;
    if (name.toLowerCase() === "file") {
      this.file = {
        filename: parameter(head, "filename") ?? "",
        contentType: /^content-type:\s*(.+)$/imu.exec(head)?.[1]?.trim(),
      };
      this.#pending = this.#pending.subarray(bodyStart);
      this.#phase = "file";
      return "next";
    }
    const bodyEnd = this.#pending.indexOf(delimiter, bodyStart);
    if (bodyEnd < 0) return "more";
    this.fields.set(
      name.toLowerCase(),
      this.#pending.subarray(bodyStart, bodyEnd).toString("utf8"),
    );
    this.#pending = this.#pending.subarray(bodyEnd);
    return "next";
  }

  #fileBytes(): Uint8Array | undefined {
    const end = this.#pending.indexOf(this.#delimiter);
    if (end >= 0) {
      const bytes = this.#pending.subarray(0, end);
      this.#phase = "done";
      this.#pending = Buffer.alloc(0);
      return bytes;
    }
    const safe = this.#pending.byteLength - this.#delimiter.byteLength;
    if (safe <= 0) return undefined;
    const bytes = this.#pending.subarray(0, safe);
    this.#pending = this.#pending.subarray(safe);
    return bytes;
  }
}

const parameter = (head: string, name: string): string | undefined => {
  const disposition = /^content-disposition:(.*)$/imu.exec(head)?.[1] ?? "";
  const match = new RegExp(`;\\s*${name}=(?:"((?:[^"\\\\]|\\\\.)*)"|([^;\\s]+))`, "iu").exec(
    disposition,
  );
  return (match?.[1]?.replaceAll(/\\(["\\])/gu, "$1") ?? match?.[2])?.replaceAll("%22", '"');
};

const malformedForm = (): AwsError =>
  s3Error(
    400,
    "MalformedPOSTRequest",
    "The body of your POST request is not well-formed multipart/form-data.",
  );

const tooMuchPreData = (): AwsError =>
  s3Error(
    400,
    "MaxPostPreDataLengthExceededError",
    "Your POST request fields preceding the upload file were too large.",
  );
