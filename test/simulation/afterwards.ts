/**
 * The invariants of what comes after an execution: what is announced of it, and what follows it; and of what is not run
 * because something newer is there.
 */
import { objectIdentity, objectName, sequencerOrder } from "@millrace/core";
import type { Evidence, Told, Violated } from "./invariants.ts";
import type { Upload } from "./Scenario.ts";
import { startedByUploads } from "./simulatedPipelines.ts";

/** I15: only where the newest is wanted, and only by a newer version of the same object. */
export const isSuperseded = (
  { newest, superseded, uploads }: Evidence,
  upload: Upload,
): boolean => {
  const by = superseded.get(objectIdentity(upload.object));
  const newer = uploads.find(({ object }) => objectName(object) === by);
  return (
    newest &&
    newer?.object.key === upload.object.key &&
    sequencerOrder(newer.object.sequencer) > sequencerOrder(upload.object.sequencer)
  );
};

/** I14: an end is announced as it was, and nobody hears of another one. */
export const checkAnnouncements = (
  { announced, uploads }: Evidence,
  told: ReadonlyArray<Told>,
  violated: Violated,
): void => {
  const kinds = new Map<string, Set<string>>();
  for (const { executionId, kind, redrives } of announced) {
    const of = `${executionId}/${redrives}`;
    kinds.set(of, (kinds.get(of) ?? new Set()).add(kind));
  }
  // Who is interrupted says nothing of its end; it may have said before how it was about to end.
  const canceled = new Set(
    uploads.flatMap(({ canceled, object }) => (canceled ? objectIdentity(object) : [])),
  );
  for (const { events, executionId, key, status, workflow } of told) {
    if (!startedByUploads.has(workflow)) continue;
    if (status === "open" || canceled.has(key)) continue;
    const redrives = events.filter(({ _tag }) => _tag === "Redriven").length;
    const heard = [...(kinds.get(`${executionId}/${redrives}`) ?? [])].toSorted();
    const begun = redrives > 0 ? "ExecutionRedriven" : "ExecutionStarted";
    const expected =
      status === "completed"
        ? ["ExecutionCompleted", begun]
        : ["ExecutionDeadLettered", "ExecutionFailed", begun];
    if (heard.join() !== expected.toSorted().join()) {
      violated("I14", executionId, `${status}, but heard of it: ${heard.join(", ")}`);
    }
  }
};

/** I15: one invoice for each completed order, none for another. */
export const checkInvoices = (
  { announced, invoiced, journal }: Evidence,
  told: ReadonlyArray<Told>,
  violated: Violated,
): void => {
  const invoices = told.filter(({ workflow }) => workflow === "Invoice");
  const completed = new Set(
    announced.flatMap(({ executionId, kind, workflow }) =>
      workflow === "Order" && kind === "ExecutionCompleted" ? executionId : [],
    ),
  );
  for (const { key } of invoices) {
    if (!completed.has(key)) violated("I15", key, "invoiced, and not completed");
  }
  // One whose history is damaged is not among those that tell of themselves.
  const mustFollow = invoiced && journal.damaged.size === 0;
  for (const { executionId, status, workflow } of mustFollow ? told : []) {
    if (workflow !== "Order" || status !== "completed") continue;
    const count = invoices.filter(({ key }) => key === executionId).length;
    if (count !== 1) violated("I15", executionId, `completed, and invoiced ${count} times`);
  }
};
