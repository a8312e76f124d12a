/**
 * The figures for people: a table, and beneath it each ratio that the project has set itself.
 */
import { Schema } from "effect";

const Maybe = Schema.NullOr(Schema.Finite);

/** What a measured engine prints. */
const Figures = Schema.Struct({
  engine: Schema.String,
  version: Schema.String,
  durability: Schema.String,
  runs: Schema.Int,
  stepsPerSecond: Maybe,
  cpuMsPerStep: Maybe,
  fan100Ms: Maybe,
  steps1000Ms: Maybe,
  lastOverFirstTenth: Maybe,
  lastOverFirstTenthSuspending: Maybe,
  resumeMs: Maybe,
  steps10000Ms: Maybe,
  lastOverFirstTenth10000: Maybe,
  msPerStepByTenth10000: Schema.optionalKey(Schema.Array(Schema.Finite)),
  writesPerExecution: Maybe,
  bodiesRun: Schema.Record(Schema.String, Schema.Int),
  runsOfBody: Schema.Record(Schema.String, Schema.Int),
});
export type Figures = typeof Figures.Type;

export const decodeFigures = Schema.decodeUnknownSync(Schema.fromJsonString(Figures));

const columns: ReadonlyArray<readonly [string, (one: Figures) => string | number | null]> = [
  ["engine", (one) => one.engine],
  ["steps/s", (one) => one.stepsPerSecond],
  ["CPU ms/step", (one) => one.cpuMsPerStep],
  ["fan 100 ms", (one) => one.fan100Ms],
  ["1,000 ms", (one) => one.steps1000Ms],
  ["last/first", (one) => one.lastOverFirstTenth],
  ["suspending", (one) => one.lastOverFirstTenthSuspending],
  ["resume ms", (one) => one.resumeMs],
  ["10,000 ms", (one) => one.steps10000Ms],
  ["last/first", (one) => one.lastOverFirstTenth10000],
  ["writes", (one) => one.writesPerExecution],
];

interface Target {
  readonly what: string;
  readonly value: number | null;
  readonly limit: number;
  readonly atLeast: boolean;
}

const ratio = (a: number | null | undefined, b: number | null | undefined): number | null =>
  a == null || b == null ? null : a / b;

const atMost = (what: string, value: number | null | undefined, limit: number): Target => ({
  what,
  value: value ?? null,
  limit,
  atLeast: false,
});

const targetsOf = (all: ReadonlyArray<Figures>): ReadonlyArray<Target> => {
  const of = (engine: string) => all.find((one) => one.engine === engine);
  const disk = of("millrace-sqlite");
  return [
    {
      what: "SQLite strict over Restate streaming, steps/s",
      value: ratio(disk?.stepsPerSecond, of("restate-streaming")?.stepsPerSecond),
      limit: 2,
      atLeast: true,
    },
    {
      what: ":memory: over Effect's memory engine, steps/s",
      value: ratio(of("millrace-memory")?.stepsPerSecond, of("effect-memory")?.stepsPerSecond),
      limit: 0.5,
      atLeast: true,
    },
    atMost("SQLite strict, 1,000 steps, last over first tenth", disk?.lastOverFirstTenth, 1.2),
    atMost(
      "SQLite strict, suspending every 50 steps, last over first tenth",
      disk?.lastOverFirstTenthSuspending,
      1.5,
    ),
    atMost(
      "DynamoDB (dynalite), suspending every 50 steps, last over first tenth",
      of("millrace-dynalite")?.lastOverFirstTenthSuspending,
      1.5,
    ),
    atMost("SQLite strict, resume of 1,000 steps, ms", disk?.resumeMs, 60),
    atMost(
      "SQLite strict, 10,000 steps, last over first tenth",
      disk?.lastOverFirstTenth10000,
      1.2,
    ),
    atMost("SQLite strict, 100 steps side by side, ms", disk?.fan100Ms, 30),
  ];
};

const targetLine = ({ atLeast, limit, value, what }: Target): ReadonlyArray<string> => {
  if (value === null) return [];
  const met = atLeast ? value >= limit : value <= limit;
  return [
    `${met ? "met   " : "MISSED"}  ${value.toFixed(2).padStart(6)}  ${atLeast ? ">=" : "<="} ${limit}  ${what}`,
  ];
};

const isRightCount = (load: string, bodies: number): boolean =>
  bodies === { fan100: 100, steps1000: 1_000, resume: 1_001, suspending: 1_000 }[load] ||
  (load === "steps10000" && bodies === 10_000);

/** Steps whose body ran more or less than once: there must be none. */
const wrongCounts = (one: Figures): ReadonlyArray<string> =>
  Object.entries(one.bodiesRun)
    .filter(([load, bodies]) => !isRightCount(load, bodies))
    .map(([load, bodies]) => `WRONG   ${one.engine}: ${bodies} step bodies ran in ${load}`);

export const table = (all: ReadonlyArray<Figures>): string => {
  const cells = [
    columns.map(([head]) => head),
    ...all.map((one) => columns.map(([, pick]) => String(pick(one) ?? "-"))),
  ];
  const widths = columns.map((_, column) =>
    Math.max(...cells.map((row) => row[column]?.length ?? 0)),
  );
  const lines = cells.map((row) =>
    row
      .map((cell, column) =>
        column === 0 ? cell.padEnd(widths[column] ?? 0) : cell.padStart(widths[column] ?? 0),
      )
      .join("  "),
  );
  return [
    ...lines,
    "",
    ...all.map(({ durability, engine, version }) => `${engine}: ${version}; ${durability}`),
    "",
    ...targetsOf(all).flatMap(targetLine),
    ...all.flatMap(wrongCounts),
    "",
  ].join("\n");
};
