/**
 * Goal: `millrace infer` prints a schema, as source or as JSON, and says why when it cannot.
 * Method: the command's own process, on files in a temporary folder.
 */
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { assert, describe, it } from "@effect/vitest";
import { Effect } from "effect";
import { inFolder, millrace } from "../../../test/cliProcess.ts";

describe("millrace infer", { timeout: 60_000 }, () => {
  it.live("prints source, or JSON that holds it", () =>
    inFolder(
      Effect.fnUntraced(function* (folder) {
        writeFileSync(join(folder, "sales.csv"), "Order ID;Amount\n1;2.50\n2;\n");
        const text = yield* millrace(folder, "infer", "sales.csv");
        assert.strictEqual(text.code, 0, text.err);
        assert.include(text.out, "export const Sales = Schema.Struct({");
        assert.include(text.out, "  amount: Schema.NullOr(Column.decimal(7, 2)),");
        const json = yield* millrace(folder, "infer", "sales.csv", "--json", "--name", "Order");
        const told: unknown = JSON.parse(json.out);
        assert.deepInclude(told, {
          name: "Order",
          from: {
            rows: 2,
            bytes: 26,
            whole: true,
            rowsRejected: 0,
            encoding: "utf-8",
            delimiter: ";",
          },
        });
      }),
    ),
  );

  it.live("ends with 1 and the reason for what is no CSV, with 2 for wrong usage", () =>
    inFolder(
      Effect.fnUntraced(function* (folder) {
        writeFileSync(join(folder, "a.csv"), "");
        const empty = yield* millrace(folder, "infer", "a.csv");
        assert.strictEqual(empty.code, 1);
        assert.include(empty.err, "CsvEmpty");
        assert.strictEqual((yield* millrace(folder, "infer", "gone.csv")).code, 1);
        assert.strictEqual(
          (yield* millrace(folder, "infer", "a.csv", "--sample-mib", "0")).code,
          2,
        );
      }),
    ),
  );
});
