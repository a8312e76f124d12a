/** A first look (to be replaced by the data branch's). */
import { Effect, Schema, Stream } from "effect";
import { CsvEmpty } from "./CsvFailure.ts";
import { withDefaults } from "./CsvOptions.ts";
import { CsvPass } from "./CsvPass.ts";
import { CsvDelimiter } from "./Delimiter.ts";
import { CsvEncoding } from "./Encoding.ts";

export const CsvLook = Schema.Struct({
  encoding: CsvEncoding,
  delimiter: CsvDelimiter,
  columns: Schema.Array(Schema.String),
});

export const sniffCsv = Effect.fnUntraced(function* <E, R>(
  options: { readonly source: string },
  source: Stream.Stream<Uint8Array, E, R>,
) {
  const pass = new CsvPass(withDefaults({ ...options, sourceFile: "", processedAtEpochMs: 0 }));
  const bytes = Buffer.concat(yield* Stream.runCollect(source));
  if (bytes.length === 0) return yield* new CsvEmpty({ source: options.source, bytes: 0 });
  const failure = pass.push(bytes);
  if (failure) return yield* Effect.fail(failure);
  return { encoding: pass.opened?.text.encoding ?? "utf-8", delimiter: pass.opened?.delimiter ?? ",", columns: pass.groups?.plan.map(({ name }) => name) ?? [] };
});
