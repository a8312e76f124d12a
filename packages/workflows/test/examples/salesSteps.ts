/** The example of docs/data.md, "Steps": sales with their net amount and the name of their country. */
import { Column, joinReference, rowStep } from "@millrace/workflows";
import { Result, Schema } from "effect";

export const Sale = Schema.Struct({
  id: Column.int64,
  country: Column.text,
  gross: Column.double,
});

const netAmount = rowStep({
  name: "net-amount",
  stage: "transform",
  input: Schema.Struct({ gross: Column.double }),
  output: Schema.Struct({ net: Column.double }),
  run: ({ gross }) =>
    gross < 0
      ? Result.fail("gross is less than zero")
      : Result.succeed({ net: Math.round((gross / 1.19) * 100) / 100 }),
});

const countryName = joinReference({
  name: "country-name",
  on: { row: "country", table: "code" },
  key: Column.text,
  reference: { key: "reference/countries.csv" },
  adds: { country_name: Column.text },
  unmatched: "reject",
});

export const salesOptions = { schema: Sale, steps: [netAmount, countryName] };
