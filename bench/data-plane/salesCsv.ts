/**
 * A sales CSV of any size, the same for the same size: quoted cells, line breaks in cells, text of many scripts, about
 * 1 % blank rows and 2 % exact duplicates of recent rows.
 *
 * The figures it gives are the truth that a transform's report is checked against.
 */
import { Effect, Stream } from "effect";

/** What the file holds, known only once it has been generated. */
export interface SalesFigures {
  bytes: number;
  rows: number;
  duplicates: number;
  blankRows: number;
}

const pieceBytes = 512 * 1024;
const header =
  "Order ID,Order Date,Customer Name,City,Product SKU,Quantity,Unit Price,Discount,Total Amount,Status,Is Member,Note\n";
const first = [
  "Ana",
  "Björn",
  "Chloé",
  "Dmitri",
  "Elif",
  "François",
  "Gül",
  "João",
  "Kenji",
  "Łukasz",
  "Zoë",
  '"Al"',
  "Smith, Jr",
];
const last = [
  "García",
  "Nakamura",
  "Øberg",
  "Müller",
  "Petrov",
  "Singh",
  "Yılmaz",
  "Zhang",
  "D'Souza",
];
const cities = [
  "São Paulo",
  "Zürich",
  "Göteborg",
  "Tokyo",
  "Boston",
  "Kraków",
  "東京",
  "Ürümqi",
  "Seoul",
];
const notes = [
  "",
  "",
  "",
  "gift wrap",
  'fragile, "handle with care"',
  "leave at\nback door",
  "emoji 😀 ok",
  "line1\r\nline2",
  "a,b,c",
  "  padded  ",
];
const statuses = ["new", "paid", "shipped", "returned"];

const quoted = (cell: string): string =>
  /[",\r\n]/.test(cell) ? `"${cell.replaceAll('"', '""')}"` : cell;

/** Numbers from 0 to 1 that are the same in every run. */
const makeRandom = (seed: number): (() => number) => {
  let state = seed >>> 0;
  return () => {
    state ^= state << 13;
    state >>>= 0;
    state ^= state >>> 17;
    state ^= state << 5;
    state >>>= 0;
    return state / 4_294_967_296;
  };
};

const makeRow = (id: number, random: () => number): string => {
  const pick = (list: ReadonlyArray<string>) => list[Math.floor(random() * list.length)] ?? "";
  const day = new Date(Date.UTC(2019, 0, 1) + Math.floor(random() * 2500) * 86_400_000);
  const quantity = 1 + Math.floor(random() * 20);
  const cents = 50 + Math.floor(random() * 99_950);
  const discount = random() < 0.3 ? Math.floor(random() * 50) : 0;
  return [
    String(id),
    day.toISOString().slice(0, 10),
    quoted(`${pick(first)} ${pick(last)}`),
    pick(cities),
    `SKU-${1000 + Math.floor(random() * 500)}`,
    String(quantity),
    (cents / 100).toFixed(2),
    discount === 0 ? "" : (discount / 100).toFixed(2),
    (Math.round((cents * quantity * (100 - discount)) / 100) / 100).toFixed(2),
    pick(statuses),
    random() < 0.5 ? "true" : "false",
    quoted(pick(notes)),
  ].join(",");
};

/** The file's bytes, generated as they are asked for; `figures` is complete when the stream ends. */
export const salesCsv = (
  bytesMin: number,
): { readonly bytes: Stream.Stream<Uint8Array>; readonly figures: SalesFigures } => {
  const figures: SalesFigures = { bytes: 0, rows: 0, duplicates: 0, blankRows: 0 };
  const random = makeRandom(0x9e3779b9);
  const recent: Array<string> = [];
  let id = 1;
  const line = (): string => {
    const roll = random();
    figures.rows += 1;
    if (roll < 0.01) {
      figures.blankRows += 1;
      return ",,,,,,,,,,,\n";
    }
    const old = recent[Math.floor(random() * recent.length)];
    if (roll < 0.03 && old !== undefined) {
      figures.duplicates += 1;
      return old;
    }
    const row = `${makeRow(id, random)}\n`;
    id += 1;
    if (recent.length < 200) recent.push(row);
    else recent[Math.floor(random() * 200)] = row;
    return row;
  };
  const piece = (): Uint8Array => {
    const lines: Array<string> = figures.bytes === 0 ? [header] : [];
    let length = 0;
    while (length < pieceBytes && figures.bytes + length < bytesMin) {
      const next = line();
      length += Buffer.byteLength(next);
      lines.push(next);
    }
    const bytes = Buffer.from(lines.join(""), "utf8");
    figures.bytes += bytes.length;
    return bytes;
  };
  const bytes = Stream.fromEffectRepeat(Effect.sync(piece)).pipe(
    Stream.takeWhile((next) => next.length > 0),
  );
  return { bytes, figures };
};
