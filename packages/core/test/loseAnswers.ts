/** Below the SDK's own retries: a request is served, and its answer does not arrive. */
import { DocumentClient } from "@millrace/core/aws";
import { Effect } from "effect";

/** Loses the answers to the next `left` requests of the client; `only` says of which command. */
export const loseAnswers = (count: number, only?: string) =>
  Effect.map(DocumentClient, (client) => {
    const lost = { left: count };
    client.middlewareStack.add(
      (next, { commandName }) =>
        async (given) => {
          const answer = await next(given);
          if (lost.left === 0 || (only !== undefined && commandName !== only)) return answer;
          lost.left--;
          throw Object.assign(new Error("socket hang up"), { code: "ECONNRESET" });
        },
      { step: "deserialize", priority: "high", name: "loseAnswers" },
    );
    return lost;
  });
