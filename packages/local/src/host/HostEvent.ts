/**
 * What the host tells of its work, for logs and for the demo.
 */
export type HostEvent =
  | { readonly _tag: "EnvironmentStarted"; readonly function: string; readonly pid: number }
  | {
      readonly _tag: "InvocationStarted";
      readonly function: string;
      readonly pid: number;
      readonly requestId: string;
      readonly messages: number;
    }
  | {
      readonly _tag: "InvocationEnded";
      readonly function: string;
      readonly pid: number;
      readonly requestId: string;
      readonly failures: number;
    }
  | {
      readonly _tag: "InvocationFailed";
      readonly function: string;
      readonly pid: number;
      readonly requestId: string;
      readonly reason: string;
    }
  | {
      readonly _tag: "Line";
      readonly function: string;
      readonly pid: number;
      readonly line: string;
    };
