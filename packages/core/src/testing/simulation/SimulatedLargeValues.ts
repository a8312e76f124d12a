/**
 * The store of large values behind faulty requests.
 */
import { Exit, Layer } from "effect";
import { LargeValueLost, LargeValues, LargeValueUnavailable } from "../../LargeValues.ts";
import { type Caller, request } from "./request.ts";

const unavailable = (sha256: string, operation: string) => (reason: string) =>
  new LargeValueUnavailable({ sha256, operation, cause: reason });

export class SimulatedLargeValues {
  readonly texts = new Map<string, string>();

  /** The store as a process reaches it. */
  layerFor(caller: Caller): Layer.Layer<LargeValues> {
    return Layer.succeed(LargeValues, {
      put: (sha256, text) =>
        request(caller, {
          name: `put value ${sha256.slice(0, 8)}`,
          apply: () => {
            this.texts.set(sha256, text);
            return Exit.void;
          },
          unavailable: unavailable(sha256, "put"),
          refusal: "slow-down",
        }),
      get: (sha256) =>
        request<string, LargeValueLost | LargeValueUnavailable>(caller, {
          name: `get value ${sha256.slice(0, 8)}`,
          apply: () => {
            const text = this.texts.get(sha256);
            return text === undefined
              ? Exit.fail(new LargeValueLost({ sha256, reason: "it is not there" }))
              : Exit.succeed(text);
          },
          unavailable: unavailable(sha256, "get"),
          refusal: "slow-down",
        }),
    });
  }
}
