/**
 * A named pipe through which a part's text goes to DuckDB: nothing of it lies on the disk.
 *
 * To open a pipe waits for its other side, in a thread. So whoever gives up opens both sides for a moment, until DuckDB has ended.
 */
import { execFile } from "node:child_process";
import { closeSync, constants, openSync } from "node:fs";
import { type FileHandle, open } from "node:fs/promises";
import { setImmediate } from "node:timers/promises";
import { promisify } from "node:util";
import { Effect } from "effect";
import { DuckDbFailed } from "./DuckDb.ts";

const run = promisify(execFile);

const attempt = <A>(operation: string, work: () => Promise<A>) =>
  Effect.tryPromise({ try: work, catch: (cause) => new DuckDbFailed({ operation, cause }) });

/** Pipes that are made at once: to start `mkfifo` copies the tables of this process's memory, 20 ms of the processor. */
const pipesAtOnce = 16;

/** Gives pipes in a folder, a new one each time; they go with the folder. */
export const makeFifos = (folder: string) => {
  const unused: Array<string> = [];
  let made = 0;
  return Effect.gen(function* () {
    if (unused.length === 0) {
      const paths = Array.from(
        { length: pipesAtOnce },
        (_, index) => `${folder}/pipe-${made + index}`,
      );
      yield* attempt("make its pipes", () => run("mkfifo", ["-m", "600", ...paths]));
      made += pipesAtOnce;
      unused.push(...paths.toReversed());
    }
    return unused.pop() ?? `${folder}/pipe`;
  });
};

/** Lets go whoever waits at the pipe, until `isEnded` says that nobody does any more. */
export const releaseFifo = (path: string, isEnded: () => boolean) =>
  Effect.gen(function* () {
    while (!isEnded()) {
      closeSync(openSync(path, constants.O_RDWR | constants.O_NONBLOCK));
      yield* Effect.promise(() => setImmediate());
    }
  });

/** The writer's side of a pipe. */
export class FifoWriter {
  /** Whether it waits for the reader. */
  isWaiting = false;
  readonly #path: string;
  #file: Promise<FileHandle> | undefined;

  constructor(path: string) {
    this.#path = path;
  }

  #open(): Promise<FileHandle> {
    if (this.#file !== undefined) return this.#file;
    this.isWaiting = true;
    this.#file = open(this.#path, "w").finally(() => {
      this.isWaiting = false;
    });
    return this.#file;
  }

  /** Writes, when the reader is there. */
  readonly write = (bytes: Uint8Array) =>
    Effect.flatMap(
      attempt("pass a part's text on", () => this.#open()),
      (file) =>
        Effect.gen(function* () {
          for (let done = 0; done < bytes.length;) {
            const { bytesWritten } = yield* attempt("pass a part's text on", () =>
              file.write(bytes, done, bytes.length - done),
            );
            done += bytesWritten;
          }
        }),
    );

  /** The text ends here. */
  readonly close = Effect.flatMap(
    attempt("end a part's text", () => this.#open()),
    (file) => attempt("end a part's text", () => file.close()),
  );

  /** Closes what an interrupted write has opened, or will have. */
  readonly abandon = Effect.sync(() => {
    this.#file?.then((file) => file.close()).catch(() => undefined);
  });
}
