/**
 * `millrace cost`: what a month of files costs on AWS, with the formula and the reader's own counts.
 */
import { Console, Effect } from "effect";
import { topology } from "@millrace/workflows/topology";
import { Argument, Command, Flag } from "effect/cli";
import { bytesPerCpuSecond, compareCompute, type Estimate } from "./cost/compareCompute.ts";
import { costAtRest, costOfFiles, type Line, sumOf } from "./cost/costOf.ts";
import { pricesDate } from "./cost/prices.ts";
import { jsonFlag } from "./jsonFlag.ts";

const count = (name: string, description: string, byDefault: number) =>
  Flag.Finite(name).pipe(
    Flag.withDescription(`${description}; by default ${byDefault}`),
    Flag.withDefault(byDefault),
    Flag.filter(
      (value) => value >= 0,
      (value) => `a count is zero or more, not ${value}`,
    ),
  );

const flags = {
  files: count("files", "Files a month", 1_000_000),
  seconds: count("seconds", "Seconds that a function works on one file", 1),
  memory: count("memory", "Its memory in MB", 1_769),
  batch: count("batch", "Files of one invocation", 1),
  x86: Flag.Boolean("x86").pipe(
    Flag.withDescription("Functions on x86 instead of arm64"),
    Flag.withDefault(false),
  ),
  reads: count("reads", "Reads of objects per file", 2),
  writes: count("writes", "Writes of objects per file", 1),
  logs: count("logs", "KB of logs per file", 1),
  "task-cpu-hours": count("task-cpu-hours", "vCPU-hours of tasks a month", 0),
  "task-gb-hours": count("task-gb-hours", "GB-hours of tasks a month", 0),
  json: jsonFlag,
};

const render = (title: string, lines: ReadonlyArray<Line>): ReadonlyArray<string> => [
  `${title}: ${sumOf(lines).toFixed(2)} USD a month`,
  ...lines.map(
    ({ how, usd, what }) => `  ${usd.toFixed(2).padStart(9)}  ${what.padEnd(22)} ${how}`,
  ),
];

const where = (estimate: Estimate): string => {
  const { impossible, seconds, usd } = estimate;
  const line = `  ${estimate.where.padEnd(13)} ${usd.toFixed(6).padStart(10)} USD  ${seconds.toFixed(0).padStart(6)} s`;
  return impossible === undefined ? line : `${line}  not there: ${impossible}`;
};

const compare = Command.make(
  "compare",
  {
    bytes: Argument.Int("bytes").pipe(Argument.withDescription("Size of the object")),
    pipeline: Flag.Literals(
      "pipeline",
      topology.pipelines.map(({ name }) => name),
    ).pipe(
      Flag.withDescription("Whose function and task are compared"),
      Flag.withDefault("csv-to-parquet"),
    ),
    json: jsonFlag,
  },
  Effect.fnUntraced(function* ({ bytes, json, pipeline: name }) {
    const pipeline = topology.pipelines.find((one) => one.name === name);
    if (!pipeline) return;
    const { choice, estimates } = compareCompute(bytes, pipeline);
    yield* Console.log(
      json
        ? JSON.stringify({ pricesDate, bytes, pipeline: name, choice, estimates })
        : [
            `${name}, ${bytes} bytes: ${choice.compute} by rule "${choice.rule}" (${choice.because})`,
            ...estimates.map(where),
            `Times assume ${bytesPerCpuSecond / 1_000_000} MB of CSV a processor second; Spot at its largest discount. Prices as of ${pricesDate}.`,
          ].join("\n"),
    );
  }),
).pipe(
  Command.withDescription(
    "Compare what one object costs in a function and in a task, and say which the rules choose. Exit codes: 0 done; 1 it failed; 2 wrong usage",
  ),
  Command.withShortDescription("Compare function and task for one object"),
  Command.withExamples([
    { command: "millrace cost compare 2000000000", description: "A file of 2 GB" },
    {
      command: "millrace cost compare 5000000 --pipeline daily-sales --json",
      description: "Another pipeline's sizes, as JSON",
    },
  ]),
);

export const cost = Command.make(
  "cost",
  flags,
  Effect.fnUntraced(function* (given) {
    const files = costOfFiles({
      filesPerMonth: given.files,
      secondsPerFile: given.seconds,
      memoryMb: given.memory,
      architecture: given.x86 ? "x86_64" : "arm64",
      batch: Math.max(1, given.batch),
      readsPerFile: given.reads,
      writesPerFile: given.writes,
      logKbPerFile: given.logs,
      taskCpuHours: given["task-cpu-hours"],
      taskGbHours: given["task-gb-hours"],
    });
    const rest = costAtRest();
    if (given.json) {
      return yield* Console.log(
        JSON.stringify({ pricesDate, files, filesUsd: sumOf(files), rest, restUsd: sumOf(rest) }),
      );
    }
    yield* Console.log(
      [
        ...render(`${given.files} files`, files),
        ...render("at rest, production or a shared stage", rest),
        `List prices of us-east-1 without free tiers, as of ${pricesDate}: packages/cli/src/cost/prices.ts says where each is from.`,
      ].join("\n"),
    );
  }),
).pipe(
  Command.withDescription(
    "Say what a month of files costs on AWS, line by line with its formula. It asks AWS nothing: counts are yours, prices are dated. Exit codes: 0 done; 1 it failed; 2 wrong usage",
  ),
  Command.withShortDescription("Say what a month of files costs on AWS"),
  Command.withSubcommands([compare]),
  Command.withExamples([
    { command: "millrace cost --files 1500000", description: "50,000 files a day, a second each" },
    {
      command: "millrace cost --files 300000 --seconds 20 --memory 3008 --json",
      description: "larger files, as JSON",
    },
  ]),
);
