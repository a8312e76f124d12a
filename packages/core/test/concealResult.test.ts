/**
 * Goal: what an activity came to is recorded without secrets and card numbers, and the run goes on with what is recorded.
 * Method: results as the engine hands them over, before and after.
 */
import { assert, describe, it } from "@effect/vitest";
import { Mask } from "@millrace/core";
import { Cause, Exit } from "effect";
import { Workflow } from "effect/workflow";
import { concealResult } from "../src/concealResult.ts";
import { decodeActivityResult, encodeActivityResult } from "../src/WorkflowCodec.ts";

const card = "4111111111111111";
const secret = "s3cr3t-of-conceal";
const complete = (exit: Exit.Exit<unknown, unknown>) => new Workflow.Complete({ exit });

describe("an activity's result", () => {
  const failures = [
    ["a typed failure", Exit.fail({ _tag: "Declined", card, detail: `no funds on ${card}` })],
    ["a defect", Exit.die(new Error(`cannot charge ${card}`))],
    ["several failures", Exit.failCause(Cause.combine(Cause.fail({ card }), Cause.die(card)))],
  ] as const;
  for (const [what, exit] of failures) {
    it(`that is ${what} is recorded masked, and replayed as it was seen`, () => {
      const seen = concealResult("charge", complete(exit));
      const recorded = encodeActivityResult(seen);
      assert.notInclude(JSON.stringify(recorded), card);
      assert.include(JSON.stringify(recorded), "<card number>");
      assert.deepStrictEqual(encodeActivityResult(decodeActivityResult(recorded)), recorded);
    });
  }

  it("that has nothing to conceal is the same", () => {
    for (const exit of [Exit.succeed({ card }), Exit.fail({ _tag: "Declined" }), Exit.void]) {
      const result = complete(exit);
      assert.strictEqual(concealResult("charge", result), result);
    }
  });

  it("that holds a secret is none: the activity has failed", () => {
    Mask.learnSecret("vendor", secret);
    const result = concealResult("charge", complete(Exit.succeed({ used: `Bearer ${secret}` })));
    assert.strictEqual(result._tag, "Complete");
    const text = JSON.stringify(encodeActivityResult(result));
    assert.include(text, 'returned the secret \\"vendor\\"');
    assert.notInclude(text, secret);
  });
});
