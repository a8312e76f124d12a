/**
 * Bugs put into the real source, one at a time, to show that the simulation would notice them.
 *
 * A mutant replaces text of a module while it is loaded for the test; the product has no switch for it. A text that
 * is not found exactly once is an error: the mutant must be brought up to date with the source.
 */

export interface Mutant {
  readonly name: string;
  readonly edits: ReadonlyArray<{
    /** Path below packages/core/src. */
    readonly file: string;
    readonly from: string;
    readonly to: string;
  }>;
}

const one = (name: string, file: string, from: string, to: string): Mutant => ({
  name,
  edits: [{ file, from, to }],
});

export const mutants: ReadonlyArray<Mutant> = [
  one(
    "a failed run is answered as done",
    "LiveExecutions.ts",
    "Exit.failCause(after.cause) : exit",
    'Exit.failCause(after.cause) : Exit.isFailure(exit) ? Exit.succeed({ _tag: "Fenced" }) : exit',
  ),
  one(
    "an append overwrites",
    "sqlite/SqliteJournal.ts",
    "ON CONFLICT DO NOTHING",
    "ON CONFLICT DO UPDATE SET writer = excluded.writer, events = excluded.events, checksum = excluded.checksum",
  ),
  one(
    "a conflict takes the next number",
    "ExecutionLog.ts",
    `failure._tag === "JournalConflict") {
        yield* meetTail(options, unstored);`,
    `failure._tag === "JournalConflict") {
        options.state.commit++;`,
  ),
  one(
    "own writes are not recognised",
    "sqlite/SqliteJournal.ts",
    ": decodeWriter(selectWriter.get(executionId, commit))?.writer",
    ": undefined",
  ),
  one(
    "every retry of an append has a new writer token",
    "ExecutionLog.ts",
    "askAgain(journal.append({ executionId, commit: state.commit + 1, writer: nextWriter(), events }));",
    "askAgain(Effect.suspend(() => journal.append({ executionId, commit: state.commit + 1, writer: nextWriter(), events })));",
  ),
  one(
    "no run is ever fenced",
    "Decision.ts",
    `tail.some(
    (event) =>`,
    `[].concat(...tail).length < 0 && tail.some(
    (event) =>`,
  ),
  one(
    "a rival run does not fence",
    "Decision.ts",
    `(event._tag === "RunStarted" && event.owner !== owner)`,
    "false",
  ),
  one(
    "a conflict's tail is not folded",
    "ExecutionLog.ts",
    "evolveCommits(state, tail);",
    "state.commit += tail.length;",
  ),
  one(
    "a suspension is not revised after a conflict",
    "Decision.ts",
    `case "Suspended":
        return overtaken();`,
    `case "Suspended":
        return true;`,
  ),
  {
    name: "a wake during a suspension is dropped",
    edits: [
      {
        file: "runExecution.ts",
        from: "if ((live.wakeRequested || arrived) && !result.failed) continue;",
        to: "",
      },
      {
        file: "runExecution.ts",
        from: `live.wakeRequested === "explicit" || (live.wakeRequested === "automatic" && !failed);`,
        to: "live.wakeRequested === undefined && failed && !failed;",
      },
      {
        file: "LiveExecutions.ts",
        from: "left.length > 0 || !mode ? left",
        to: "mode || !mode ? left",
      },
    ],
  },
  one(
    "changed code goes on",
    "divergedAt.ts",
    "if (unasked === undefined || live.log?.isFenced()) return false;",
    "if (unasked !== undefined || live.log?.isFenced() || unasked === undefined) return false;",
  ),
  one(
    "a damaged commit is read as if it were whole",
    "CommitCodec.ts",
    "if (checksum !== undefined && checksum !== checksumOf(executionId, row)) {",
    "if (checksum !== undefined && checksum === undefined) {",
  ),
  one(
    "a large value is not stored",
    "LargeValues.ts",
    `return values
      .put(sha256, text)
      .pipe(`,
    `return Effect.void
      .pipe(`,
  ),
  one(
    "a lease never ends",
    "Decision.ts",
    "lease.owner !== asking.owner && lease.leaseUntilEpochMs > asking.nowEpochMs",
    "lease.owner !== asking.owner",
  ),
  one(
    "an early timer is not asked for again",
    "Decision.ts",
    `return { run: { _tag: "Waiting" }, facts: [], timers: [clock] };`,
    `return { run: { _tag: "Waiting" }, facts: [], timers: [] };`,
  ),
  one(
    "an early timer counts",
    "Decision.ts",
    "isAwaited && clock.wakeAtEpochMs > asking.nowEpochMs",
    "isAwaited && clock.wakeAtEpochMs < 0",
  ),
  one(
    "the last completion of a deferred wins",
    "Decision.ts",
    "!isEnded(state) && !state.deferreds.has(name);",
    "!isEnded(state) && name.length > 0;",
  ),
  one(
    "an activity starts before the last result is stored",
    "executeActivity.ts",
    `if (strict && (yield* live.orBreakDown(live.flush)) === "fenced") return`,
    "if (strict && live.log?.isFenced()) return",
  ),
  one(
    "the end is not looked at",
    "Decision.ts",
    `if (state.completed) return { _tag: "Completed" };`,
    "",
  ),
  {
    name: "a result met on the way is recorded again",
    edits: [
      {
        file: "Decision.ts",
        from: "return !state.activities.has(activityKey(event.name, event.attempt)) || overtaken();",
        to: `return activityKey(event.name, event.attempt) !== "";`,
      },
      {
        file: "executeActivity.ts",
        from: "const met = strict ? live.log?.findActivity(key) : undefined;",
        to: "const met = strict ? undefined : live.log?.findActivity(key);",
      },
    ],
  },
  one(
    "a step whose success was found does not count as asked for",
    "executeActivity.ts",
    "if (live.replay?.askActivity(key) === false) return undefined;",
    "",
  ),
  one(
    "an outage becomes the workflow's failure",
    "LiveExecution.ts",
    "return Effect.catchCause(counted, (cause) => {",
    "if (Effect.isEffect(part)) return part;\n    return Effect.catchCause(counted, (cause) => {",
  ),
  one(
    "an outage while a body asks about another execution becomes its failure",
    "EncodedEngine.ts",
    "return live?.orBreakDown(part) ?? part;",
    "return live ? part : part;",
  ),
  one(
    "a parent is not told of its child's end",
    "LiveExecutions.ts",
    "return parent ? this.tellParent(`Child/${executionId}`, parent) : Effect.void;",
    "return parent ? Effect.void : Effect.void;",
  ),
  one(
    "a child's end is a wake only",
    "LiveExecutions.ts",
    "state.started && acceptsDeferred(state, name) ? [done()] : [],",
    `state.started && acceptsDeferred(state, name) && name === "" ? [done()] : [],`,
  ),
  one(
    "a parent is told after the message was answered",
    "LiveExecutions.ts",
    "      this.lives.delete(live.executionId);\n",
    "      this.lives.delete(live.executionId);\n      Deferred.doneUnsafe(live.ended, exit);\n",
  ),
  one(
    "a start joins a look for something else",
    "LiveExecutions.ts",
    "else current.joined.push(request);",
    "",
  ),
  one(
    "a body that ends interrupted does not end",
    "runBody.ts",
    "Cause.hasInterruptsOnly(exit.cause) &&",
    "Cause.hasInterruptsOnly(exit.cause) && live.executionId === `` &&",
  ),
  one(
    "a pending interrupt stops compensations",
    "divergedAt.ts",
    "return isPending && !live.bodyEnded\n",
    "return isPending\n",
  ),
  one(
    "a leased child is asked for as its parent",
    "Worker.ts",
    "state.started?.workflow ?? pipeline.workflow._tag",
    "pipeline.workflow._tag",
  ),
  one(
    "the sweeper does not see facts after a suspension",
    "Sweeper.ts",
    "return after.length > 0 ?",
    "return after.length < 0 ?",
  ),
  one(
    "the sweeper does not see timers",
    "Sweeper.ts",
    "clock.wakeAtEpochMs <= dueEpochMs &&",
    "clock.wakeAtEpochMs < 0 &&",
  ),
  one(
    "the index forgets executions that wait",
    "makeProjection.ts",
    "if (!row) return Effect.void;",
    "if (!row || !state.completed) return Effect.void;",
  ),
  one(
    "a dead letter that the queue did not take is forgotten",
    "DeadLetter.ts",
    "send(address, cause, { ...story, execution: { workflow: workflow._tag, executionId } }),",
    "Effect.ignore(send(address, cause, { ...story, execution: { workflow: workflow._tag, executionId } })),",
  ),
  one(
    "a timer recorded by an overtaken run is recorded again",
    "scheduleClock.ts",
    "if (log.findRecorded(isClockScheduled(clock.name))) return;",
    "",
  ),
  one(
    "timers are asked for before they are stored, and not after",
    "LiveExecution.ts",
    `if (event._tag === "ClockScheduled") this.timersToSend.push(event);`,
    "",
  ),
  one(
    "a timer beyond the queue's delay is not asked for",
    "QueueWakes.ts",
    "yield* schedules.create({ name: nameOf(message, atEpochMs), atEpochMs, queue, body });",
    "",
  ),
  one(
    "all schedules have one name",
    "QueueWakes.ts",
    "canonicalHash({ message, atEpochMs })",
    `canonicalHash("schedule")`,
  ),
  one(
    "an execution that is to be interrupted stops before its side branches have replayed",
    "divergedAt.ts",
    "? Effect.as(awaitUnasked(live, false), true)",
    "? Effect.succeed(true)",
  ),
  one(
    "a redrive stores its fact before anybody could find it",
    "redrive.ts",
    "  yield* recordRow(executionId, state);\n  const isStored",
    "  const isStored",
  ),
  one(
    "an end that the bus did not take is not announced again",
    "announceLife.ts",
    "    retryActivity(whileBusIsAway),\n",
    "",
  ),
  one(
    "a launch that is asked for again starts another container",
    "FargateTask.ts",
    "token: canonicalHash(address),",
    "token: canonicalHash({ ...address, asked: performance.now() }),",
  ),
  one(
    "a container's end is taken for that of its work",
    "FargateTask.ts",
    `if (Option.isSome(polled) && polled.value._tag === "Complete") {`,
    `if (Option.isSome(polled) && polled.value._tag === "Complete" && end === undefined) {`,
  ),
  one(
    "the newest version is superseded by itself",
    "ObjectHeads.ts",
    "if (head.order <= sequencerOrder(object.sequencer)) return undefined;",
    "if (head.order < sequencerOrder(object.sequencer)) return undefined;",
  ),
];
