/**
 * What a soak is asked for and what it answers with.
 *
 * Units:  milliseconds, megabytes (2^20 bytes), parts of one where a name says `Part`
 */

export interface SoakOptions {
  /** Objects put into the bucket, those that no pipeline wants included. */
  readonly uploads: number;
  readonly seed: number;
  /** Where the state of the local mode lies; removed by the caller. */
  readonly directory: string;
  /** Worker processes of one pipeline. @default 2 */
  readonly concurrencyMax?: number | undefined;
  /** Uploads that are under way at the same time. @default 64 */
  readonly windowMax?: number | undefined;
  /** Replays the whole archive afterwards, as an operator would. @default false */
  readonly replay?: boolean | undefined;
  /** Old events that come again from the archive while new uploads go on. @default 0 */
  readonly stormEvents?: number | undefined;
  /** Told of the work as it is done: so much of so much of a phase. */
  readonly onProgress?: ((phase: string, done: number, total: number) => void) | undefined;
}

/** The JSON line; the names up to `rssMb` are promised. */
export interface SoakReport {
  readonly ok: boolean;
  readonly uploads: number;
  readonly completed: number;
  readonly failed: number;
  /** Objects that no pipeline wants. */
  readonly ignored: number;
  /** Executions with a dead letter. */
  readonly deadLettered: number;
  /** `ExecutionStarted` facts in the journal for each upload that a pipeline wants. */
  readonly startsPerUpload: number;
  readonly uploadsPerSecond: number;
  /** The most that the host and all its processes held together. */
  readonly rssMb: number;
  readonly seed: number;
  readonly ms: number;
  readonly violations: number;
  readonly inFlight: number;
  /** Messages of events that had been delivered before. */
  readonly duplicates: number;
  readonly kills: number;
  /** Requests of the workers, and those of them that were spoiled. */
  readonly requests: number;
  readonly faults: number;
  /** Messages that the queue gave up because their workers were killed, put back as an operator would. */
  readonly putBack: number;
  /** From the upload to its end. */
  readonly p50Ms: number;
  readonly p95Ms: number;
  /** Medians of the first and of the last quarter of the uploads. */
  readonly rssFirstMb: number;
  readonly rssLastMb: number;
  readonly [more: string]: number | boolean;
}

export interface SoakResult {
  readonly report: SoakReport;
  readonly violations: ReadonlyArray<string>;
}
