/**
 * Goal: work goes where it fits, and the answer says which rule decided.
 * Method: the rules one by one at their borders, and any work against the order of the rules.
 */
import { assert, describe, it } from "@effect/vitest";
import * as fc from "fast-check";
import { chooseCompute, withoutTask } from "../src/index.ts";

describe("the choice between function and task", () => {
  const cases = [
    ["an empty object", { bytes: 0 }, {}, "lambda", "fits"],
    ["one byte less than 100 MB", { bytes: 99_999_999 }, {}, "lambda", "fits"],
    ["100 MB", { bytes: 100_000_000 }, {}, "fargate", "size"],
    [
      "as long as a function may be expected to work",
      { bytes: 1, seconds: 600 },
      {},
      "lambda",
      "fits",
    ],
    ["longer than that", { bytes: 1, seconds: 601 }, {}, "fargate", "time"],
    [
      "as much memory as the largest function has",
      { bytes: 1, memoryMb: 10_240 },
      {},
      "lambda",
      "fits",
    ],
    ["more than that", { bytes: 1, memoryMb: 10_241 }, {}, "fargate", "memory"],
    ["a GPU", { bytes: 1, gpu: true }, {}, "fargate", "gpu"],
    ["a pipeline's own size", { bytes: 1_000 }, { bytesMin: 1_000 }, "fargate", "size"],
    ["a pipeline's own time", { bytes: 1, seconds: 61 }, { secondsMax: 60 }, "fargate", "time"],
    [
      "a pipeline's own memory",
      { bytes: 1, memoryMb: 513 },
      { memoryMbMax: 512 },
      "fargate",
      "memory",
    ],
  ] as const;
  it.each(cases)("%s", (_, work, rules, compute, rule) => {
    assert.deepInclude(chooseCompute(work, rules), { compute, rule });
  });

  it("a larger object never goes back to the function", () => {
    fc.assert(
      fc.property(fc.nat(), fc.nat(), fc.nat(), (bytes, more, bytesMin) => {
        const small = chooseCompute({ bytes }, { bytesMin });
        const large = chooseCompute({ bytes: bytes + more }, { bytesMin });
        return small.compute === "lambda" || large.compute === "fargate";
      }),
    );
  });

  it("where there is no task everything is the function's, and the answer says so", () => {
    assert.deepInclude(withoutTask(chooseCompute({ bytes: 200_000_000 })), {
      compute: "lambda",
      rule: "no-task",
    });
    const fits = chooseCompute({ bytes: 1 });
    assert.strictEqual(withoutTask(fits), fits);
  });
});
