/**
 * A temporary file for what does not fit into memory: append whole blocks, read anywhere.
 *
 * Reads are synchronous on purpose. They are a few hundred bytes that lie in the page cache, made from the middle of a
 * synchronous loop over rows; an asynchronous read would cost ten times the work and break the loop into pieces.
 */
import { closeSync, openSync, readSync, writeSync } from "node:fs";
import { join } from "node:path";
import { Effect, Schema, type Scope } from "effect";
import { makeTemporaryFolder } from "../makeTemporaryFolder.ts";

/** The temporary file could not be made, written or read: no space left, mostly. Worth a retry elsewhere. */
export class SpillFailed extends Schema.TaggedError<SpillFailed>()("SpillFailed", {
  operation: Schema.String,
  cause: Schema.Defect(),
}) {
  readonly failureClass = "transient";
  override get message(): string {
    return `Cannot ${this.operation} the temporary file of row hashes: ${String(this.cause)}. Give the process more temporary disk space (16 bytes per distinct row).`;
  }
}

/** An open temporary file. */
export interface SpillFile {
  readonly append: (bytes: Uint8Array) => void;
  /** Fills `into` from the offset on. */
  readonly read: (offset: number, into: Uint8Array) => void;
}

const writeAll = (descriptor: number, bytes: Uint8Array, position: number): void => {
  for (let done = 0; done < bytes.length;)
    done += writeSync(descriptor, bytes, done, bytes.length - done, position + done);
};

const readAll = (descriptor: number, into: Uint8Array, position: number): void => {
  for (let done = 0; done < into.length;) {
    const got = readSync(descriptor, into, done, into.length - done, position + done);
    if (got === 0) throw new RangeError(`the file of row hashes ends before ${position + done}`);
    done += got;
  }
};

/** Makes a temporary file that vanishes with the scope. */
export const makeSpillFile: Effect.Effect<SpillFile, SpillFailed, Scope.Scope> = Effect.gen(
  function* () {
    const folder = yield* makeTemporaryFolder(
      "millrace-rows-",
      (cause) => new SpillFailed({ operation: "create", cause }),
    );
    const descriptor = yield* Effect.acquireRelease(
      Effect.try({
        try: () => openSync(join(folder, "hashes"), "wx+"),
        catch: (cause) => new SpillFailed({ operation: "open", cause }),
      }),
      (descriptor) => Effect.sync(() => closeSync(descriptor)),
    );
    let size = 0;
    return {
      append: (bytes) => {
        writeAll(descriptor, bytes, size);
        size += bytes.length;
      },
      read: (offset, into) => readAll(descriptor, into, offset),
    };
  },
);
