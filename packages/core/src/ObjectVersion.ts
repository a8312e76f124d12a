/** One version of one object, as a listing tells of it. */
export interface ObjectVersion {
  readonly key: string;
  /** Absent for what was written while the bucket was not versioned. */
  readonly versionId: string | undefined;
  readonly etag: string;
  readonly sizeBytes: number;
  readonly modifiedEpochMs: number;
  readonly isLatest: boolean;
}
