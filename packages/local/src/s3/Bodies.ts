/**
 * The files that hold object bodies, below `objects/` of the state directory.
 *
 * Names are random and never made from a key. A file is written under a temporary name and renamed when complete; the
 * database row that points to it comes after, so a crash in between leaves an orphan that the next start removes. A file
 * that is deleted while somebody still reads it goes when the last reader is done.
 */
import { Effect, FileSystem, Path, type PlatformError, type Scope, Stream } from "effect";
import { randomBytes } from "node:crypto";
import type { AwsError } from "../AwsError.ts";
import { s3Error } from "./s3Error.ts";

/** A part of an object's body; most objects have one. */
export interface BodyFile {
  readonly file: string;
  readonly size: number;
}

/** A file in the making. It vanishes with its scope unless `keep` was called. */
export interface NewBody {
  readonly file: string;
  readonly write: (bytes: Uint8Array) => Effect.Effect<void, AwsError>;
  /** Closes the file under its final name; to be followed by the row that points to it. */
  readonly complete: Effect.Effect<void, AwsError>;
  /** Says that a row points to the file now. */
  readonly keep: () => void;
}

export interface Bodies {
  readonly create: Effect.Effect<NewBody, AwsError, Scope.Scope>;
  /** Reads bytes `from` to `to` (exclusive) of the files in a row; the files stay until the scope closes. */
  readonly read: (
    files: ReadonlyArray<BodyFile>,
    from: number,
    to: number,
  ) => Stream.Stream<Uint8Array, AwsError>;
  /** Holds files against removal until the returned function is called. */
  readonly hold: (files: ReadonlyArray<BodyFile>) => () => void;
  readonly remove: (files: ReadonlyArray<BodyFile>) => Effect.Effect<void>;
}

/** Bytes per read from a file; also the size of the pieces that go to the client. */
const readChunkBytes = 256 * 1024;

/** Opens the folder and removes files that no row points to. */
export const openBodies = Effect.fnUntraced(function* (
  directory: string,
  isKnown: (file: string) => boolean,
): Effect.fn.Return<Bodies, PlatformError.PlatformError, FileSystem.FileSystem | Path.Path> {
  const fs = yield* FileSystem.FileSystem;
  const path = yield* Path.Path;
  const root = path.join(directory, "objects");
  yield* fs.makeDirectory(root, { recursive: true });
  for (const name of yield* fs.readDirectory(root)) {
    if (!isKnown(name)) yield* fs.remove(path.join(root, name), { force: true });
  }
  const runFork = Effect.runForkWith(yield* Effect.context());
  const readers = new Map<string, number>();
  const doomed = new Set<string>();
  const unlink = (file: string) => Effect.ignore(fs.remove(path.join(root, file), { force: true }));

  const hold = (files: ReadonlyArray<BodyFile>) => {
    for (const { file } of files) readers.set(file, (readers.get(file) ?? 0) + 1);
    return () => {
      for (const { file } of files) {
        const left = (readers.get(file) ?? 1) - 1;
        if (left > 0) readers.set(file, left);
        else {
          readers.delete(file);
          if (doomed.delete(file)) runFork(unlink(file));
        }
      }
    };
  };

  return {
    hold,
    create: makeBody(fs, (name) => path.join(root, name)),
    remove: (files) =>
      Effect.forEach(
        files,
        ({ file }) => {
          if (!readers.has(file)) return unlink(file);
          doomed.add(file);
          return Effect.void;
        },
        { discard: true },
      ),
    read: (files, from, to) => readFiles(fs, (name) => path.join(root, name), { files, from, to }),
  };
});

const makeBody = (fs: FileSystem.FileSystem, resolve: (name: string) => string) =>
  Effect.gen(function* () {
    const name = randomBytes(16).toString("hex");
    const temporary = resolve(`${name}.part`);
    let kept = false;
    yield* Effect.addFinalizer(() =>
      kept
        ? Effect.void
        : Effect.ignore(
            Effect.all([
              fs.remove(temporary, { force: true }),
              fs.remove(resolve(name), { force: true }),
            ]),
          ),
    );
    const handle = yield* fs.open(temporary, { flag: "wx" });
    return {
      file: name,
      write: (bytes: Uint8Array) => Effect.mapError(handle.writeAll(bytes), storageError),
      complete: Effect.mapError(fs.rename(temporary, resolve(name)), storageError),
      keep: () => {
        kept = true;
      },
    };
  }).pipe(Effect.mapError(storageError));

const readFiles = (
  fs: FileSystem.FileSystem,
  resolve: (name: string) => string,
  range: { readonly files: ReadonlyArray<BodyFile>; readonly from: number; readonly to: number },
): Stream.Stream<Uint8Array, AwsError> => {
  const pieces: Array<{ readonly file: string; readonly offset: number; readonly bytes: number }> =
    [];
  let start = 0;
  for (const { file, size } of range.files) {
    const offset = Math.max(range.from - start, 0);
    const bytes = Math.min(range.to - start, size) - offset;
    if (bytes > 0) pieces.push({ file, offset, bytes });
    start += size;
  }
  return Stream.fromIterable(pieces).pipe(
    Stream.flatMap((piece) =>
      fs.stream(resolve(piece.file), {
        offset: piece.offset,
        bytesToRead: piece.bytes,
        chunkSize: readChunkBytes,
      }),
    ),
    Stream.mapError(storageError),
  );
};

const storageError = (error: PlatformError.PlatformError): AwsError =>
  s3Error(500, "InternalError", `The object store of the embedded AWS failed: ${error.message}`);
