/**
 * What a series of kills came to: the last line of `npm run kill`.
 */
export interface KillReport {
  readonly store: "sqlite" | "dynamo";
  readonly rounds: number;
  readonly violations: number;
  readonly executions: number;
  readonly kills: number;
  readonly seed: number;
  readonly ms: number;
  /** Effects that ran, and those of them that ran again under the key of an earlier one. */
  readonly effects: number;
  readonly effectsRepeated: number;
}

export interface KillResult {
  readonly report: KillReport;
  /** What is wrong, each with the execution that it is about. */
  readonly violations: ReadonlyArray<string>;
}

export interface KillOptions {
  readonly rounds: number;
  readonly seed: number;
  /** Where the store and everything else goes; it must exist. */
  readonly directory: string;
  readonly onRound?: (round: number, kills: number) => void;
}
