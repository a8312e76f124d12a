/**
 * Lines that keep promises, each with the test that fails when the line is gone.
 *
 * The mutants of the simulation (test/simulation/mutants.ts) are about the engine; these are about the effects, intake
 * and the ways back. `npm run guards` takes each line out while its test loads, and expects the test to fail.
 */

export interface Guard {
  readonly name: string;
  /** Path below packages. */
  readonly file: string;
  readonly from: string;
  readonly to: string;
  /** A second line that keeps the same promise. */
  readonly also?: Pick<Guard, "file" | "from" | "to">;
  readonly test: string;
}

const holes = "packages/core/test/idempotencyHoles.test.ts";
const retries = "packages/core/test/Retry.test.ts";
const dynamo = "core/src/aws/DynamoIdempotency.ts";

export const guards: ReadonlyArray<Guard> = [
  {
    name: "1 a claim whose answer was lost is the claimant's own",
    file: dynamo,
    from: `  if (item.owner === owner) return { _tag: "Claimed" };\n`,
    to: "",
    test: holes,
  },
  {
    name: "2 a late failure leaves the successor's claim alone",
    file: dynamo,
    from: `        Key: { key },
        ConditionExpression: "#owner = :owner AND attribute_not_exists(#result)",`,
    to: `        Key: { key },
        ConditionExpression: "#owner = :owner OR attribute_exists(#owner) OR attribute_exists(#result)",`,
    test: holes,
  },
  {
    name: "3 a late success does not overwrite the successor's result",
    file: dynamo,
    from: `ConditionExpression: "#owner = :owner",`,
    to: `ConditionExpression: "#owner = :owner OR attribute_exists(#owner)",`,
    test: holes,
  },
  {
    name: "4, 6 a lease ends, and is compared by whoever asks",
    file: dynamo,
    from: `ExpressionAttributeValues: { ":now": nowEpochMs },`,
    to: `ExpressionAttributeValues: { ":now": 0 },`,
    test: holes,
  },
  {
    name: "5 a result that could not be kept is refused before the effect",
    file: "core/src/Idempotency.ts",
    from: "if (resultBytesMax > valueBytesMax && Option",
    to: "if (resultBytesMax < 0 && Option",
    test: holes,
  },
  {
    name: "7 the order of a payload's members does not matter",
    file: "core/src/CanonicalJson.ts",
    from: "    .toSorted(([, a], [, b]) => (a < b ? -1 : a > b ? 1 : 0))\n",
    to: "",
    test: holes,
  },
  {
    name: "8 a member called __proto__ counts",
    file: "core/src/CanonicalJson.ts",
    from: ".filter(([, member]) => member !== undefined)",
    to: `.filter(([name, member]) => name !== "__proto__" && member !== undefined)`,
    test: holes,
  },
  {
    name: "8 numbers beyond a double keep their digits",
    file: "core/src/CanonicalJson.ts",
    from: "return isHeld ? value : new ExactNumber(source);",
    to: "return value;",
    test: holes,
  },
  {
    name: "another payload under the same key is an error",
    file: "core/src/Idempotency.ts",
    from: `claim._tag !== "Claimed" && claim.payloadHash !== payloadHash`,
    to: `claim._tag !== "Claimed" && claim.payloadHash === ""`,
    test: holes,
  },
  {
    name: "an output that is an input is refused",
    file: "workflows/src/refuseLoops.ts",
    from: "[...findLoops(pipelines, chains), ...findRings(pipelines, chains)]",
    to: "[...findRings(pipelines, chains)]",
    test: "packages/workflows/test/refuseLoops.test.ts",
  },
  {
    name: "what has come three times through a pipeline is not run",
    file: "workflows/src/openInput.ts",
    from: "if (depth >= depthMax)",
    to: "if (depth > depthMax + depth)",
    test: "packages/workflows/test/openInput.test.ts",
  },
  {
    name: "sequencers of different length are compared as S3 wants it",
    file: "core/src/ObjectHeads.ts",
    from: `sequencer.toUpperCase().replace(/0+$/, "")`,
    to: `sequencer.padStart(40, "0")`,
    test: "packages/core/test/ObjectHeads.test.ts",
  },
  {
    name: "an older version that comes late is not run",
    file: "core/src/ObjectHeads.ts",
    from: "if (head.order <= sequencerOrder(object.sequencer)) return undefined;",
    to: "return undefined;",
    test: "packages/core/test/ObjectHeads.test.ts",
  },
  {
    name: "a version that has an execution is run on",
    file: "core/src/ObjectHeads.ts",
    from: "if (history.length > 0) return undefined;",
    to: "if (history.length < 0) return undefined;",
    test: "packages/core/test/ObjectHeads.test.ts",
  },
  {
    name: "a permanent failure is not tried again",
    file: "core/src/Retry.ts",
    from: `if (failureClass === "permanent" || failureClass === "defect") return undefined;`,
    to: `if (failureClass === "defect") return undefined;`,
    also: {
      file: "core/src/Failure.ts",
      from: `return failureClass !== "permanent" && failureClass !== "defect";`,
      to: `return failureClass !== "defect";`,
    },
    test: retries,
  },
  {
    name: "a defect is not tried again",
    file: "core/src/Retry.ts",
    from: `if (failureClass === "permanent" || failureClass === "defect") return undefined;`,
    to: `if (failureClass === "permanent") return undefined;`,
    also: {
      file: "core/src/Failure.ts",
      from: `return failureClass !== "permanent" && failureClass !== "defect";`,
      to: `return failureClass !== "permanent";`,
    },
    test: retries,
  },
  ...(["transient", "throttled", "timeout"] as const).map((failureClass) => ({
    name: `a ${failureClass} failure is tried again`,
    file: "core/src/Failure.ts",
    from: `return failureClass !== "permanent" && failureClass !== "defect";`,
    to: `return !["permanent", "defect", "${failureClass}"].includes(failureClass);`,
    test: retries,
  })),
  {
    name: "a throttled failure waits as long as it asks for",
    file: "core/src/Failure.ts",
    from: "    ? error.retryAfterMs\n",
    to: "    ? 0\n",
    test: retries,
  },
  {
    name: "a letter is sent before the end is stored",
    file: "core/src/DeadLetter.ts",
    from: `execute: Effect.flatMap(storyOf(executionId), (story) =>
            send(address, cause, { ...story, execution: { workflow: workflow._tag, executionId } }),
          ),`,
    to: `execute: Effect.asVoid(Effect.forkDetach(Effect.delay(Effect.flatMap(storyOf(executionId), (story) =>
            send(address, cause, { ...story, execution: { workflow: workflow._tag, executionId } }),
          ), "1 second"))),`,
    test: "packages/core/test/DeadLetter.test.ts",
  },
  {
    name: "a letter that the queue did not take is sent again",
    file: "core/src/DeadLetter.ts",
    from: "  yield* queue.send(address.queue, encodeEnvelope(envelope)).pipe(retry());",
    to: "  yield* queue.send(address.queue, encodeEnvelope(envelope));",
    test: "packages/core/test/DeadLetter.test.ts",
  },
  {
    name: "a letter has one id, whoever sends it again",
    file: "core/src/DeadLetter.ts",
    from: "? { pipeline, executionId: execution.executionId, redrives }",
    to: "? { pipeline, executionId: execution.executionId, redrives, now }",
    test: "packages/core/test/DeadLetter.test.ts",
  },
  {
    name: "of two redrives at once one counts",
    file: "core/src/redrive.ts",
    from: `Effect.catchTag("JournalConflict", () => Effect.succeed(false)),`,
    to: `Effect.catchTag("JournalConflict", () => Effect.succeed(true)),`,
    test: "packages/core/test/redrive.test.ts",
  },
  {
    name: "what has not failed is not redriven",
    file: "core/src/decideRedrive.ts",
    from: `if (status !== "failed" && status !== "parked") {`,
    to: `if (status === "completed") {`,
    test: "packages/core/test/redrive.test.ts",
  },
];
