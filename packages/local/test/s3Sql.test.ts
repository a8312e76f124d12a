/**
 * A statement is prepared once for each database, however often it is run.
 */
import { assert, describe, it } from "@effect/vitest";
import { Schema } from "effect";
import { DatabaseSync, type StatementSync } from "node:sqlite";
import { allRows, firstRow, run } from "../src/s3/sql.ts";

class CountingDatabase extends DatabaseSync {
  prepared = 0;
  override prepare(sql: string): StatementSync {
    this.prepared++;
    return super.prepare(sql);
  }
}

const Row = Schema.Struct({ n: Schema.Int });

describe("statements by their text", () => {
  it("are prepared once for each database, and bind the values of each run", () => {
    const [one, other] = [new CountingDatabase(":memory:"), new CountingDatabase(":memory:")];
    for (const database of [one, other]) database.exec("CREATE TABLE numbers (n INTEGER)");
    for (const n of [1, 2, 3]) run(one, "INSERT INTO numbers (n) VALUES (?)", n);
    assert.strictEqual(one.prepared, 1);
    for (const n of [2, 3]) {
      const row = firstRow(one, Row, "SELECT n FROM numbers WHERE n >= ? ORDER BY n", n);
      assert.deepStrictEqual(row, { n });
    }
    const all = () => allRows(one, Row, "SELECT n FROM numbers ORDER BY n");
    assert.deepStrictEqual(all(), [{ n: 1 }, { n: 2 }, { n: 3 }]);
    assert.deepStrictEqual(all(), [{ n: 1 }, { n: 2 }, { n: 3 }]);
    assert.strictEqual(one.prepared, 3);
    assert.deepStrictEqual(allRows(other, Row, "SELECT n FROM numbers ORDER BY n"), []);
    assert.strictEqual(other.prepared, 1);
  });
});
