/**
 * Goal: what the buckets and the executions say against each other is found, and nothing else is.
 * Method: lists as a command reads them.
 */
import { assert, describe, it } from "@effect/vitest";
import { type ExecutionRow, Operations } from "@millrace/core";

const nowEpochMs = 10_000_000;
const minuteMs = 60_000;

const version = (
  name: string,
  extra: Partial<Operations.ListedVersion> = {},
): Operations.ListedVersion => ({
  subject: `raw/${name}@1`,
  bucket: "raw",
  key: name,
  isLatest: true,
  modifiedEpochMs: nowEpochMs - 60 * minuteMs,
  executions: [{ pipeline: "csv", executionId: `of ${name}` }],
  ...extra,
});

const row = (name: string, extra: Partial<ExecutionRow> = {}): ExecutionRow => ({
  executionId: `of ${name}`,
  workflow: "Csv",
  key: `raw/${name}@1`,
  status: "completed",
  commit: 1,
  steps: 1,
  runs: 1,
  startedEpochMs: nowEpochMs - 60 * minuteMs,
  updatedEpochMs: nowEpochMs - 59 * minuteMs,
  result: name,
  ...extra,
});

const ids = (findings: ReadonlyArray<{ readonly executionId: string }>) =>
  findings.map(({ executionId }) => executionId);

/** The output of each object is called like it. */
const reconcile = (input: {
  readonly versions?: ReadonlyArray<Operations.ListedVersion>;
  readonly rows?: ReadonlyArray<ExecutionRow>;
  readonly outputs?: ReadonlyArray<readonly [string, number]>;
  readonly sinceEpochMs?: number;
}) => {
  const found = Operations.reconcile({
    versions: input.versions ?? [],
    rows: input.rows ?? [],
    outputs: new Map((input.outputs ?? []).map(([key, at]) => [`clean/${key}`, at])),
    outputsOf: ({ result }) =>
      typeof result === "string" ? [{ bucket: "clean", key: result }] : undefined,
    nowEpochMs,
    graceMs: 5 * minuteMs,
    openMsMax: 30 * minuteMs,
    sinceEpochMs: input.sinceEpochMs,
  });
  return {
    without: ids(found.objectsWithoutExecution),
    gone: ids(found.executionsWithoutObject),
    noOutput: ids(found.completedWithoutOutput),
    others: ids(found.outputsWrittenByOthers),
    open: ids(found.openTooLong),
    noEnd: found.outputsWithoutEnd.map(({ bucket, key }) => `${bucket}/${key}`),
    young: found.young,
    unjudged: found.unjudged,
  };
};

const written = (name: string, at = nowEpochMs - 59 * minuteMs) => [name, at] as const;
const nothing = {
  without: [],
  gone: [],
  noOutput: [],
  others: [],
  open: [],
  noEnd: [],
  young: 0,
  unjudged: 0,
};

describe("a reconciliation", () => {
  it("finds nothing where all agree", () => {
    const lists = { versions: [version("a")], rows: [row("a")], outputs: [written("a")] };
    assert.deepStrictEqual(reconcile(lists), nothing);
  });

  it("finds uploads without an execution, but no young and no overwritten ones", () => {
    const young = version("young", { modifiedEpochMs: nowEpochMs - minuteMs });
    const old = version("old", { isLatest: false });
    const none = version("none", { executions: [] });
    assert.deepStrictEqual(reconcile({ versions: [version("a"), young, old, none] }), {
      ...nothing,
      without: ["of a"],
      young: 1,
    });
  });

  it("finds executions whose object is gone, but no forks and none that began meanwhile", () => {
    const rows = [
      row("a"),
      row("fork", { forkedFrom: "of a" }),
      row("new", { startedEpochMs: nowEpochMs + 1 }),
      row("old"),
    ];
    const outputs = rows.map(({ result }) => written(String(result)));
    const versions = [version("old", { isLatest: false })];
    assert.deepStrictEqual(reconcile({ rows, outputs, versions }), { ...nothing, gone: ["of a"] });
  });

  it("finds completed executions whose output is gone, and says how many it cannot judge", () => {
    const { result: _, ...silent } = row("silent");
    const rows = [row("a"), row("failed", { status: "failed" }), silent];
    const versions = ["a", "failed", "silent"].map((name) => version(name));
    assert.deepStrictEqual(reconcile({ rows, versions }), {
      ...nothing,
      noOutput: ["of a"],
      unjudged: 1,
    });
  });

  it("finds outputs written after the last of their executions has ended", () => {
    const again = row("again", { result: "a", updatedEpochMs: nowEpochMs - 10 * minuteMs });
    const rows = [row("a"), again];
    const versions = ["a", "again"].map((name) => version(name));
    const at = (epochMs: number) => reconcile({ rows, versions, outputs: [written("a", epochMs)] });
    // By the later execution, of another version of the object.
    assert.deepStrictEqual(at(nowEpochMs - 10 * minuteMs), nothing);
    assert.deepStrictEqual(at(nowEpochMs - 9 * minuteMs), { ...nothing, others: ["of again"] });
    // While the lists were read.
    assert.deepStrictEqual(at(nowEpochMs + 1), nothing);
  });

  it("finds executions that are open for too long", () => {
    const rows = [
      row("a", { status: "running" }),
      row("b", { status: "parked" }),
      row("c", { status: "suspended", startedEpochMs: nowEpochMs - minuteMs }),
    ];
    const versions = ["a", "b", "c"].map((name) => version(name));
    assert.deepStrictEqual(reconcile({ rows, versions }), { ...nothing, open: ["of a", "of b"] });
  });

  it("finds outputs that no completed execution names, once they are old enough to have an end", () => {
    const versions = [version("a"), version("failed")];
    const rows = [row("a"), row("failed", { status: "failed" })];
    const outputs = [written("a"), written("failed"), written("young", nowEpochMs - minuteMs)];
    assert.deepStrictEqual(reconcile({ versions, rows, outputs }), {
      ...nothing,
      noEnd: ["clean/failed"],
    });
  });

  it("judges no output that may be of an execution whose row does not name its own", () => {
    const { result: _, ...silent } = row("silent");
    const versions = [version("silent")];
    const outputs = [written("its own"), written("earlier", nowEpochMs - 70 * minuteMs)];
    assert.deepStrictEqual(reconcile({ versions, rows: [silent], outputs }), {
      ...nothing,
      unjudged: 1,
      noEnd: ["clean/earlier"],
    });
  });

  it("judges nothing from before its window, and no output whose execution may have begun before it", () => {
    const sinceEpochMs = nowEpochMs - 80 * minuteMs;
    const before = { modifiedEpochMs: sinceEpochMs - 1 };
    const versions = [version("old", before), version("new")];
    const outputs = [
      written("before", sinceEpochMs - 1),
      written("near", sinceEpochMs + 29 * minuteMs),
      written("within", sinceEpochMs + 31 * minuteMs),
    ];
    assert.deepStrictEqual(reconcile({ versions, outputs, sinceEpochMs }), {
      ...nothing,
      without: ["of new"],
      noEnd: ["clean/within"],
    });
  });
});
