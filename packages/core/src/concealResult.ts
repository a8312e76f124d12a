/**
 * What an activity came to, as it may be recorded: a failure masked (see Mask), a success without secrets.
 *
 * The run goes on with what is recorded, so that a replay sees the same.
 */
import { Exit, Schema } from "effect";
import { Workflow } from "effect/workflow";
import { maskJson, secretIn } from "./Mask.ts";
import { decodeActivityResult, encodeActivityResult } from "./WorkflowCodec.ts";

/** An activity returned a secret, which would have been recorded. Its effect is done; its result is not kept. */
class SecretDisclosed extends Schema.TaggedError<SecretDisclosed>()("SecretDisclosed", {
  activity: Schema.String,
  secret: Schema.String,
}) {
  override get message(): string {
    return `activity "${this.activity}" returned the secret "${this.secret}", and what it returns is recorded: read the secret where it is used, and return what came of it`;
  }
}

/** The result to record and to go on with. */
export const concealResult = (
  activity: string,
  result: Workflow.Result<unknown, unknown>,
): Workflow.Result<unknown, unknown> => {
  if (result._tag !== "Complete") return result;
  if (Exit.isSuccess(result.exit)) {
    const secret = secretIn(result.exit.value);
    if (secret === undefined) return result;
    return new Workflow.Complete({ exit: Exit.die(new SecretDisclosed({ activity, secret })) });
  }
  const json = encodeActivityResult(result);
  const masked = maskJson(json);
  return masked === json ? result : decodeActivityResult(masked);
};
