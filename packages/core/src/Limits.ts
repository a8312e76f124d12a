/**
 * Every limit of the engine: value, unit, reason and source.
 */

/**
 * Largest commit, in bytes of its JSON text.
 * DynamoDB refuses an item of more than 400 KB (attribute names included); 350 KB leaves room for keys and names.
 * Source: AWS DynamoDB developer guide, "Service, account, and table quotas".
 */
export const commitBytesMax = 350 * 1024;

/**
 * Largest value inside an event, in bytes of its JSON text; a larger one is kept beside the journal, by reference.
 * Below the largest commit, so that every event with one value fits.
 */
export const valueBytesMax = 300 * 1024;

/**
 * Longest delay of one SQS message, in milliseconds (15 minutes); a longer timer is a schedule of its own.
 * Source: AWS SQS API reference, SendMessage DelaySeconds.
 */
export const queueDelayMsMax = 900_000;

/**
 * How long a finished activity's result may wait in memory for a companion before it is written, in milliseconds.
 * Long enough for a fan-out of quick activities to share one commit, short enough that a slow sibling does not
 * keep a result at risk.
 */
export const resultLingerMs = 50;

/**
 * Longest sleep that is spent inside the running function, in milliseconds; a longer one suspends.
 * A function that waits is paid for; below a second or two a suspension costs more than the wait.
 */
export const inProcessSleepMsMax = 1_000;

/**
 * How long before its end a process stops running bodies, in milliseconds: time to store what there is and to ask for
 * the next run. At most a fifth of the time that the process has.
 */
export const yieldMarginMs = 2_000;

/**
 * How often an attempt of an activity may be given up because its process's time was over. The first time it may have
 * begun late; the second and third time it had nearly all of a process's time to itself. A process that was told to stop
 * does not count: capacity that is taken back says nothing of the activity.
 */
export const yieldsMax = 3;

/** How long a body may take to ask for what is recorded, before it counts as changed, in milliseconds. */
export const replayPatienceMs = 1_000;

/** A leased execution is looked at again this long after the lease has ended, in milliseconds: clocks differ a little. */
export const afterLeaseMs = 1_000;

/** Lease of a run in a process that has no deadline, in milliseconds, unless the engine is told otherwise. */
export const defaultLeaseMs = 60_000;

/**
 * Largest original message inside a dead letter, in bytes of JSON text.
 * A message of SQS has 1 MiB at most; the cause and the addresses need the rest.
 * Source: AWS SQS developer guide, "Amazon SQS message quotas".
 */
export const originalBytesMax = 900 * 1024;

/**
 * Largest result in a row of the index, in bytes of JSON text; a larger one is left out.
 * A page of 100 rows stays near 5 MB, and a row far below the 400 KB of a DynamoDB item.
 */
export const rowResultBytesMax = 50 * 1024;

/** Longest key, error tag and error message in a row, in characters: what a person reads in a list. */
export const rowKeyCharactersMax = 2_048;
export const rowTagCharactersMax = 128;
export const rowMessageCharactersMax = 300;

/**
 * Longest `bucket/key` in a row, in bytes: a bucket's name has 63 at most, a key 1,024.
 * Source: AWS S3 user guide, "Naming Amazon S3 objects"; an index key of DynamoDB may have 2,048.
 */
export const rowObjectBytesMax = 1_088;

/**
 * Retries in process of one invocation, over everything that it does, unless it is told otherwise.
 * A batch of ten messages, each with the two retries of the default policy; a system that needs more is away.
 */
export const retriesPerInvocationMax = 20;

/**
 * Longest idempotency key, in bytes of UTF-8: a partition key of DynamoDB.
 * Source: AWS DynamoDB developer guide, "Service, account, and table quotas".
 */
export const idempotencyKeyBytesMax = 2_048;

/**
 * Largest result in a lifecycle event, in bytes of JSON text; a larger one is left out.
 * An SNS message has 256 KiB at most, attributes included. Source: AWS SNS API reference, Publish.
 */
export const announcedResultBytesMax = 128 * 1024;

/**
 * Folded states of suspended executions that a process keeps, in bytes, counted roughly: a hundred histories of a
 * thousand small results, and a small part of the smallest function's memory.
 */
export const cachedStatesBytesMax = 16 * 1024 * 1024;
