/**
 * `millrace demo`: real files through the real pipelines on this machine, with duplicates, a kill and an archive replay.
 *
 * It succeeds only when every claim that it makes is true at the end; see verdict.ts.
 */
import { Console, Effect, FileSystem, Path } from "effect";
import { Argument, Command } from "effect/cli";
import { stateDirectory } from "../Connection.ts";
import { jsonFlag } from "../jsonFlag.ts";
import { ownDemoFiles, publicDemoFiles } from "./DemoFile.ts";
import { renderReport } from "./renderReport.ts";
import { runDemo } from "./runDemo.ts";
import { DemoFailed } from "./verdict.ts";

export const demo = Command.make(
  "demo",
  {
    files: Argument.Path("files").pipe(
      Argument.withDescription(
        "Your own CSV files and images; public data sets when there are none",
      ),
      Argument.variadic(),
    ),
    json: jsonFlag,
  },
  Effect.fnUntraced(function* ({ files, json }) {
    const fs = yield* FileSystem.FileSystem;
    const path = yield* Path.Path;
    const directory = path.resolve(stateDirectory, "demo");
    yield* fs.remove(directory, { recursive: true, force: true });
    const demoFiles =
      files.length > 0
        ? yield* ownDemoFiles(files)
        : yield* publicDemoFiles(path.join(directory, "inputs"));
    const say = (text: string) => (json ? Console.error(text) : Console.log(text));
    const report = yield* runDemo(demoFiles, directory, say);
    yield* say(renderReport(report));
    if (json) yield* Console.log(JSON.stringify(report.summary));
    if (!report.summary.ok) return yield* new DemoFailed({ untrue: report.untrue });
  }),
).pipe(
  Command.withDescription(
    "Run the pipelines on real files, kill a worker, replay the archive, and check the result. Exit codes: 0 all is as it should be; 1 something is not; 2 wrong usage",
  ),
  Command.withShortDescription(
    "Run the pipelines on real files, kill a worker, replay the archive, and check the result",
  ),
  Command.withExamples([
    { command: "millrace demo", description: "On public data sets" },
    { command: "millrace demo orders.csv photo.jpg", description: "On your own files" },
  ]),
);
