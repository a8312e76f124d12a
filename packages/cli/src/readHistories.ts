/**
 * The histories of a file, one after another: a file may be larger than memory.
 */
import { HistoryFile } from "@millrace/core";
import { Effect, FileSystem, Stream } from "effect";

/** Fails at the first line that holds no history, with its number. */
export const readHistories = (file: string) =>
  Stream.unwrap(
    Effect.map(FileSystem.FileSystem, (files) =>
      files.stream(file).pipe(
        Stream.decodeText,
        Stream.splitLines,
        Stream.zipWithIndex,
        Stream.filter(([line]) => line.trim() !== ""),
        Stream.mapEffect(([line, index]) => HistoryFile.decodeHistory(line, index + 1)),
      ),
    ),
  );
