/**
 * The `aws-chunked` framing of streamed uploads: unwraps the frames, checks chunk signatures, collects trailers.
 *
 * Frames are taken by their length and never searched for, because a body may contain what looks like a frame.
 * `feed` gives the payload of what has arrived; `finish` tells whether the stream ended where it had to.
 *
 * Shape:  `hexlen[;chunk-signature=sig] CRLF data CRLF ... 0[;chunk-signature=sig] CRLF [trailer CRLF]* CRLF`
 * Fails:  IncompleteBody - a frame is cut, malformed or followed by more bytes
 *         SignatureDoesNotMatch - a chunk or the trailer is signed wrongly
 * Source: docs.aws.amazon.com/AmazonS3/latest/API/sigv4-streaming-trailers.html
 */
import { Result } from "effect";
import { createHash, type Hash } from "node:crypto";
import type { AwsError } from "../AwsError.ts";
import { s3Error } from "./s3Error.ts";

/** Verifies the chain of chunk signatures; without one the frames are unsigned. */
export interface ChunkSigner {
  readonly chunk: (sha256: string) => string;
  readonly trailer: (sha256: string) => string;
}

/** A line of framing is short; more means that the body is not framed at all. */
const lineBytesMax = 16 * 1024;

type Phase = "header" | "data" | "dataEnd" | "trailer" | "done";

export class AwsChunkedDecoder {
  readonly trailers = new Map<string, string>();
  #phase: Phase = "header";
  #line: Buffer = Buffer.alloc(0);
  #left = 0;
  #signature = "";
  #hash: Hash = createHash("sha256");
  #trailerLines = "";
  readonly #signer: ChunkSigner | undefined;
  readonly #signedTrailer: boolean;

  constructor(signer: ChunkSigner | undefined, signedTrailer: boolean) {
    this.#signer = signer;
    this.#signedTrailer = signedTrailer;
  }

  /** The payload bytes contained in the next piece of the body. */
  feed(bytes: Uint8Array): Result.Result<ReadonlyArray<Uint8Array>, AwsError> {
    const payload: Array<Uint8Array> = [];
    let rest = bytes;
    while (rest.byteLength > 0) {
      if (this.#phase === "done") return Result.fail(incompleteBody("bytes after the last chunk"));
      if (this.#phase === "data") {
        const taken = rest.subarray(0, this.#left);
        payload.push(taken);
        if (this.#signer !== undefined) this.#hash.update(taken);
        this.#left -= taken.byteLength;
        rest = rest.subarray(taken.byteLength);
        if (this.#left === 0) this.#phase = "dataEnd";
        continue;
      }
      const end = rest.indexOf(0x0a);
      const piece = end < 0 ? rest : rest.subarray(0, end + 1);
      this.#line = Buffer.concat([this.#line, piece]);
      rest = rest.subarray(piece.byteLength);
      if (this.#line.byteLength > lineBytesMax) {
        return Result.fail(incompleteBody("a chunk header is too long"));
      }
      if (end < 0) continue;
      const line = this.#line.toString("utf8");
      this.#line = Buffer.alloc(0);
      const failure = line.endsWith("\r\n")
        ? this.#takeLine(line.slice(0, -2))
        : incompleteBody("a chunk header does not end with CRLF");
      if (failure !== undefined) return Result.fail(failure);
    }
    return Result.succeed(payload);
  }

  /** Succeeds when the last chunk and the trailer were complete. */
  finish(): Result.Result<void, AwsError> {
    if (this.#phase === "trailer" && this.#line.byteLength === 0) {
      // Some clients leave out the empty line at the very end.
      const failure = this.#endTrailer();
      return failure === undefined ? Result.void : Result.fail(failure);
    }
    return this.#phase === "done"
      ? Result.void
      : Result.fail(incompleteBody("the body ended inside a chunk"));
  }

  #takeLine(line: string): AwsError | undefined {
    switch (this.#phase) {
      case "header":
        return this.#takeHeader(line);
      case "dataEnd":
        if (line !== "") return incompleteBody("a chunk is longer than it says");
        this.#phase = "header";
        return this.#checkChunk();
      default:
        return this.#takeTrailer(line);
    }
  }

  #takeHeader(line: string): AwsError | undefined {
    const match = /^([0-9a-fA-F]{1,12})(?:;chunk-signature=([0-9a-f]{64}))?$/u.exec(line);
    if (match === null) return incompleteBody("a chunk header is malformed");
    this.#left = Number.parseInt(match[1] ?? "", 16);
    this.#signature = match[2] ?? "";
    if (this.#left > 0) {
      this.#phase = "data";
      return undefined;
    }
    this.#phase = "trailer";
    return this.#checkChunk();
  }

  #takeTrailer(line: string): AwsError | undefined {
    if (line === "") return this.#endTrailer();
    const colon = line.indexOf(":");
    if (colon < 1) return malformedTrailer();
    const name = line.slice(0, colon).trim().toLowerCase();
    const value = line.slice(colon + 1).trim();
    if (this.trailers.has(name)) return malformedTrailer();
    this.trailers.set(name, value);
    if (name !== trailerSignature) this.#trailerLines += `${name}:${value}\n`;
    return undefined;
  }

  #endTrailer(): AwsError | undefined {
    this.#phase = "done";
    if (this.#signer === undefined || !this.#signedTrailer) return undefined;
    const expected = this.#signer.trailer(
      createHash("sha256").update(this.#trailerLines).digest("hex"),
    );
    return this.trailers.get(trailerSignature) === expected ? undefined : badSignature();
  }

  #checkChunk(): AwsError | undefined {
    if (this.#signer === undefined) return undefined;
    const expected = this.#signer.chunk(this.#hash.digest("hex"));
    this.#hash = createHash("sha256");
    return expected === this.#signature ? undefined : badSignature();
  }
}

const trailerSignature = "x-amz-trailer-signature";

const incompleteBody = (reason: string): AwsError =>
  s3Error(400, "IncompleteBody", `The request body terminated unexpectedly: ${reason}`);

const malformedTrailer = (): AwsError =>
  s3Error(
    400,
    "MalformedTrailerError",
    "The request contained trailing data that was not well-formed or did not conform to our published schema.",
  );

const badSignature = (): AwsError =>
  s3Error(
    403,
    "SignatureDoesNotMatch",
    "The request signature we calculated does not match the signature you provided. Check your key and signing method.",
  );
