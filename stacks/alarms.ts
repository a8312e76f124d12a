/**
 * What is watched, in the stages where somebody is on call: dead letters, functions, tables, and the sums that must
 * come out even. Each alarm's text says what to do.
 */
import { alarmOn, alarmOnExpression } from "./lib/alarms";
import { ofFunction, ofPipeline, ofQueue, ofRule, ofTable, ofTaskRule } from "./lib/numbers";
import type { DeployedPipeline } from "./lib/pipeline";
import { pipelines } from "./pipelines";
import { reconciler } from "./reconciler";
import { stage } from "./stage";
import { sweeper } from "./sweeper";
import { tables } from "./tables";
import { topology } from "./topology";
import { uploads } from "./uploads";

const minute = 60;
const quarter = 15 * minute;
const hour = 60 * minute;

const nameOf = (queue: sst.aws.Queue) => queue.nodes.queue.name;

const watchQueues = ({ pipeline: { compute, name }, queues }: DeployedPipeline): void => {
  const visible = "ApproximateNumberOfMessagesVisible";
  alarmOn(`${name}-dead-letters`, ofQueue(nameOf(queues.deadLetters), visible), {
    happened: `messages of ${name} were given up`,
    todo: `millrace dlq ls ${name}; then millrace dlq redrive ${name} --all`,
    section: "dead-letters",
    above: 0,
    periodSeconds: minute,
  });
  alarmOn(`${name}-undelivered`, ofQueue(nameOf(queues.undelivered), visible), {
    happened: `events could not be put into the queue of ${name}`,
    todo: `millrace dlq ls ${name} --undelivered`,
    section: "dead-letters",
    above: 0,
    periodSeconds: minute,
  });
  alarmOn(`${name}-oldest-message`, ofQueue(nameOf(queues.main), "ApproximateAgeOfOldestMessage"), {
    happened: `a message of ${name} has waited for longer than two runs of its function take`,
    todo: `millrace ls --status running; raise concurrencyMax of ${name} if it is only load`,
    section: "what-to-do-when",
    above: Math.max(5 * minute, 2 * compute.timeoutSeconds),
    periodSeconds: minute,
    periods: 5,
  });
};

/** Errors, throttles, and how near it comes to its timeout (requirements D1.15, D4.13). */
const watchFunction = (name: string, fn: sst.aws.Function, timeoutSeconds: number): void => {
  const section = "what-to-do-when";
  alarmOn(`${name}-errors`, ofFunction(fn.name, "Errors"), {
    happened: `an invocation of ${name} failed`,
    todo: "the saved query `errors` shows why",
    section,
    above: 0,
    periodSeconds: minute,
  });
  alarmOnExpression(
    `${name}-error-rate`,
    "IF(invocations >= 20, 100 * errors / invocations, 0)",
    {
      errors: ofFunction(fn.name, "Errors"),
      invocations: ofFunction(fn.name, "Invocations"),
    },
    {
      happened: `more than 5 % of the invocations of ${name} failed`,
      todo: "the saved query `errors` shows why; go back to the last version if it began with a deployment",
      section,
      above: 5,
      periodSeconds: 5 * minute,
    },
  );
  alarmOn(`${name}-throttles`, ofFunction(fn.name, "Throttles"), {
    happened: `invocations of ${name} were refused for want of concurrency`,
    todo: "ask AWS for a higher quota, or lower concurrencyMax of the pipelines that need it less",
    section,
    above: 0,
    periodSeconds: minute,
  });
  alarmOn(`${name}-duration`, ofFunction(fn.name, "Duration", "p95"), {
    happened: `${name} takes more than 80 % of its timeout`,
    todo: "the saved query `slowest` shows for what; give it memory, or send large objects to a task",
    section,
    above: 0.8 * timeoutSeconds * 1_000,
    periodSeconds: 5 * minute,
    periods: 3,
  });
};

/** Every event that its rule took must have come to something; an upload starts one execution. */
const watchSums = (deployed: DeployedPipeline): void => {
  const { name } = deployed.pipeline;
  const taken = {
    taken: ofRule(deployed, "MatchedEvents"),
    started: ofPipeline(name, "ExecutionsStarted"),
  };
  alarmOnExpression(
    `${name}-conservation`,
    "IF(taken > 0, 100 * (taken - FILL(started, 0) - FILL(joined, 0) - FILL(ignored, 0) - FILL(superseded, 0) - FILL(given, 0)) / taken, 0)",
    {
      ...taken,
      joined: ofPipeline(name, "DuplicatesAbsorbed"),
      ignored: ofPipeline(name, "ObjectsIgnored"),
      superseded: ofPipeline(name, "ObjectsSuperseded"),
      given: ofPipeline(name, "DeadLetters"),
    },
    {
      happened: `more than 1 % of the events that ${name} took have come to nothing, two hours in a row`,
      todo: "millrace reconcile",
      section: "reconcile",
      above: 1,
      periodSeconds: hour,
      periods: 2,
    },
  );
  alarmOnExpression(
    `${name}-starts-per-upload`,
    "IF(taken >= 20, FILL(started, 0) / taken, 1)",
    taken,
    {
      happened: `${name} starts more executions than there are uploads; a replay or a backfill does that too`,
      todo: "unless somebody replays: look for two executions of one object with millrace ls",
      section: "reconcile",
      above: 1.01,
      periodSeconds: hour,
      periods: 2,
    },
  );
  alarmOn(`${name}-delivery`, ofRule(deployed, "FailedInvocations"), {
    happened: `EventBridge could not deliver to ${name}`,
    todo: `millrace dlq ls ${name} --undelivered`,
    section: "dead-letters",
    above: 0,
    periodSeconds: 5 * minute,
  });
  if (deployed.taskRule) {
    alarmOn(`${name}-tasks-delivery`, ofTaskRule(deployed.taskRule, "FailedInvocations"), {
      happened: `EventBridge could not tell ${name} of the end of a task; who waits for it goes on at its time limit`,
      todo: `millrace dlq ls ${name} --undelivered`,
      section: "dead-letters",
      above: 0,
      periodSeconds: 5 * minute,
    });
  }
  alarmOnExpression(
    `${name}-silence`,
    "IF(FILL(today, 0) < 1, 1, 0)",
    { today: ofRule(deployed, "MatchedEvents") },
    {
      happened: `nothing has come in for ${name} for a day`,
      todo: "see whether the rule is enabled and whoever uploads still does; disable this alarm for a quiet pipeline",
      section: "what-to-do-when",
      above: 0,
      periodSeconds: 24 * hour,
      silence: "breaching",
    },
  );
};

/** Executions that wait although nothing makes them wait. */
const watchProgress = ({ pipeline: { name } }: DeployedPipeline): void => {
  alarmOn(`${name}-parked`, ofPipeline(name, "ExecutionsParked"), {
    happened: `executions of ${name} wait for a person`,
    todo: "millrace ls --status parked",
    section: "redrive-by-query",
    above: 0,
    periodSeconds: 5 * minute,
  });
};

/** An execution that is open for longer than a day waits for nothing that it was made to wait for. */
const watchStuck = ({ pipeline: { name } }: DeployedPipeline): void => {
  alarmOn(`${name}-stuck`, ofPipeline(name, "OldestInFlightMs", "Maximum"), {
    happened: `an execution of ${name} has been open for more than a day`,
    todo: "millrace reconcile names it, with the command that gets it on",
    section: "reconcile",
    above: 24 * hour * 1_000,
    periodSeconds: hour,
  });
};

/** What the reconciler found: uploads, executions and outputs that do not add up. */
const watchGap = ({ pipeline: { name } }: DeployedPipeline): void => {
  alarmOn(`${name}-conservation-gap`, ofPipeline(name, "ConservationGap", "Maximum"), {
    happened: `uploads, executions and outputs of ${name} do not add up: something was lost, or was removed by hand`,
    todo: `millrace reconcile --pipeline ${name} names each, with the command that puts it right`,
    section: "reconcile",
    above: 0,
    periodSeconds: hour,
  });
};

/** A function that a schedule invokes: it comes, and it does not fail. */
const watchScheduled = (
  name: string,
  { failures, fn }: typeof sweeper,
  everySeconds: number,
): void => {
  alarmOnExpression(
    `${name}-silence`,
    "IF(FILL(runs, 0) < 1, 1, 0)",
    { runs: ofFunction(fn.name, "Invocations") },
    {
      happened: `the ${name} has not run for three times as long as it should have`,
      todo: "see whether its schedule is enabled",
      section: "what-to-do-when",
      above: 0,
      periodSeconds: everySeconds * 3,
      silence: "breaching",
    },
  );
  const failed = ofQueue(failures.nodes.queue.name, "ApproximateNumberOfMessagesVisible");
  alarmOn(`${name}-failures`, failed, {
    happened: `the ${name} failed three times in a row`,
    todo: "the saved query `errors` shows why; its next run does the work",
    section: "what-to-do-when",
    above: 0,
    periodSeconds: minute,
  });
};

const watchSweeper = (): void => {
  alarmOn("forgotten", ofPipeline("sweeper", "ForgottenExecutions"), {
    happened: "the sweeper had to wake executions: wakes are being lost",
    todo: "millrace ls --status running --status suspended; the saved query `errors` shows what failed to send",
    section: "what-to-do-when",
    above: 10,
    periodSeconds: quarter,
    periods: 2,
  });
};

const watchTables = (): void => {
  for (const [name, table] of Object.entries(tables)) {
    alarmOnExpression(
      `table-${name.toLowerCase()}-throttled`,
      "FILL(reads, 0) + FILL(writes, 0)",
      {
        reads: ofTable(table.name, "ReadThrottleEvents"),
        writes: ofTable(table.name, "WriteThrottleEvents"),
      },
      {
        happened: `table ${name} refused requests`,
        todo: "wait: on-demand tables double within half an hour; look for one hot key if it stays",
        section: "what-to-do-when",
        above: 0,
        periodSeconds: minute,
        periods: 3,
      },
    );
  }
};

if (stage.isWatched) {
  for (const deployed of Object.values(pipelines)) {
    const { compute, name } = deployed.pipeline;
    watchQueues(deployed);
    watchFunction(name, deployed.fn, compute.timeoutSeconds);
    watchSums(deployed);
    watchProgress(deployed);
    watchStuck(deployed);
    watchGap(deployed);
  }
  for (const [scheduled, made] of [
    [topology.sweeper, sweeper],
    [topology.reconciler, reconciler],
  ] as const) {
    const { compute, everyMinutes, name } = scheduled;
    watchFunction(name, made.fn, compute.timeoutSeconds);
    watchScheduled(name, made, everyMinutes * minute);
  }
  watchFunction("uploads", uploads.fn, 10);
  watchSweeper();
  watchTables();
}
