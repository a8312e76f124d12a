/**
 * `millrace renditions`: an image's renditions on plain files, with the same code that the pipeline runs.
 */
import {
  type Rendition,
  renderRenditions,
  renditionKey,
  renditionBoxes,
} from "@millrace/workflows";
import { Console, Effect, FileSystem, Path } from "effect";
import { Argument, Command, Flag } from "effect/cli";
import { failAsUserError } from "./commandFailure.ts";
import { jsonFlag } from "./jsonFlag.ts";
import { openOutputFile } from "./OutputFile.ts";
import { makeProgress } from "./Progress.ts";

/** The same places as in the bucket: `<out>/resized/<WxH>/<name>.<ext>`. */
const placeOf = (name: string, { box, type }: Rendition): string =>
  renditionKey({ key: name, box, type });

const renderFile = Effect.fn("renderFile")(function* (image: string, folder: string) {
  const path = yield* Path.Path;
  const fileSystem = yield* FileSystem.FileSystem;
  const bytes = yield* fileSystem.readFile(image);
  const name = path.basename(image);
  const progress = yield* makeProgress(name, renditionBoxes.length + 1);
  const { metadata, renditions } = yield* renderRenditions(bytes, { source: image }).pipe(
    Effect.tap(() => progress.advance(1)),
    Effect.onError(() => progress.clear),
  );
  const files = yield* Effect.forEach(renditions, (rendition) =>
    Effect.gen(function* () {
      const target = path.join(folder, placeOf(name, rendition));
      yield* fileSystem.makeDirectory(path.dirname(target), { recursive: true });
      const file = yield* openOutputFile(target);
      yield* file.write(rendition.bytes);
      yield* progress.advance(1);
      return { target, file, rendition };
    }),
  );
  yield* Effect.forEach(files, ({ file }) => file.commit, { discard: true });
  yield* progress.clear;
  return {
    dimensions: metadata.dimensions,
    mimeType: metadata.mimeType,
    fileSize: metadata.fileSize,
    outputs: files.map(({ rendition, target }) => ({
      path: target,
      box: rendition.box,
      width: rendition.dimensions.width,
      height: rendition.dimensions.height,
      mimeType: rendition.mimeType,
      fileSize: rendition.fileSize,
    })),
  };
}, Effect.scoped);

type Rendered = Effect.Success<ReturnType<typeof renderFile>>;

const describe = (result: Rendered): string =>
  [
    `${result.mimeType} ${result.dimensions.width}x${result.dimensions.height}, ${result.fileSize} bytes`,
    ...result.outputs.map(
      (output) => `${output.path}  ${output.width}x${output.height}  ${output.fileSize} bytes`,
    ),
  ].join("\n");

/** The command. */
export const renditions = Command.make(
  "renditions",
  {
    image: Argument.Path("image").pipe(
      Argument.withDescription("The image: JPEG, PNG, GIF, WebP, AVIF or SVG"),
    ),
    out: Flag.Path("out").pipe(
      Flag.withAlias("o"),
      Flag.withDescription("Folder for the results; made when missing"),
    ),
    json: jsonFlag,
  },
  ({ image, json, out }) =>
    renderFile(image, out).pipe(
      Effect.flatMap((result) => Console.log(json ? JSON.stringify(result) : describe(result))),
      failAsUserError,
    ),
).pipe(
  Command.withDescription(
    "Render an image at 800x600, 400x300 and 150x150, without any cloud. Exit codes: 0 rendered; 1 it is no image that can be rendered, or cannot be written; 2 wrong usage",
  ),
  Command.withShortDescription(
    "Render an image at 800x600, 400x300 and 150x150, without any cloud",
  ),
  Command.withExamples([
    {
      command: "millrace renditions photo.jpg --out web",
      description: "Write web/resized/800x600/photo.jpg and two smaller ones",
    },
  ]),
);
