/**
 * What upload number n of a soak is: the same for the same seed, on every machine.
 *
 * Of a hundred uploads in a row 2 are broken (a CSV and an image), 3 are wanted by no pipeline, 2 are images, and 93 are
 * CSV files; the events of 5 are delivered twice.
 */
import { Prng } from "@millrace/core/testing/simulation";
import { pipelines, type PipelineTopology } from "@millrace/workflows/topology";
import sharp from "sharp";

/** What has to become of it. */
export type Fate = "completed" | "failed" | "ignored";

export interface SoakFile {
  readonly key: string;
  readonly body: Uint8Array;
  readonly fate: Fate;
  /** Which pipeline wants it. */
  readonly pipeline: PipelineTopology | undefined;
  /** When its event comes a second time: beside the first, or after the end. */
  readonly again: "never" | "at once" | "later";
}

const cycle = 100;
/** Places in the cycle; whatever has none is a CSV file. */
const brokenCsv = 49;
const brokenImage = 99;
const images: ReadonlySet<number> = new Set([24, 74]);
const unwanted: ReadonlyMap<number, (name: string) => string> = new Map([
  // A folder as the console makes it, a file beside the others, and one that lies elsewhere.
  [9, (name) => `incoming/${name}/`],
  [39, (name) => `incoming/${name}/readme.txt`],
  [69, (name) => `elsewhere/${name}.csv`],
]);
const againAtOnce: ReadonlySet<number> = new Set([4, 44, 99]);
const againLater: ReadonlySet<number> = new Set([54, 84]);

const rowsMin = 10;
const rowsMax = 60;

const csvOf = (number: number, prng: Prng): string => {
  const rows = Array.from(
    { length: rowsMin + prng.below(rowsMax - rowsMin) },
    (_, row) =>
      `${number}-${row},name ${prng.below(1_000)},${prng.between(0, 100).toFixed(2)},2024-03-0${1 + prng.below(9)}\n`,
  );
  return `id,name,price,when\n${rows.join("")}`;
};

const imageOf = (prng: Prng): Promise<Uint8Array> =>
  sharp({
    create: {
      width: 40,
      height: 30,
      channels: 3,
      background: { r: prng.below(256), g: prng.below(256), b: prng.below(256) },
    },
  })
    .png()
    .toBuffer();

const againOf = (place: number): SoakFile["again"] => {
  if (againAtOnce.has(place)) return "at once";
  return againLater.has(place) ? "later" : "never";
};

/** The object of that number. */
export const soakFile = async (seed: number, number: number): Promise<SoakFile> => {
  const place = number % cycle;
  const prng = new Prng(Math.imul(seed, 0x9e37_79b1) ^ Math.imul(number + 1, 0x85eb_ca6b));
  const name = `soak-${number}`;
  const again = againOf(place);
  const { csvToParquet, imageRenditions } = pipelines;
  const unwantedKey = unwanted.get(place)?.(name);
  if (unwantedKey !== undefined) {
    const body = Buffer.from(unwantedKey.endsWith("/") ? "" : "for people\n");
    return { key: unwantedKey, body, fate: "ignored", pipeline: undefined, again: "never" };
  }
  if (place === brokenCsv) {
    const body = Buffer.from(`\u0000\u0001\u0002${number}`);
    return { key: `incoming/${name}.csv`, body, fate: "failed", pipeline: csvToParquet, again };
  }
  if (place === brokenImage) {
    const body = Buffer.from(`no image: ${number}`);
    return { key: `images/${name}.png`, body, fate: "failed", pipeline: imageRenditions, again };
  }
  if (images.has(place)) {
    const body = await imageOf(prng);
    return { key: `images/${name}.png`, body, fate: "completed", pipeline: imageRenditions, again };
  }
  const body = Buffer.from(csvOf(number, prng));
  return { key: `incoming/${name}.csv`, body, fate: "completed", pipeline: csvToParquet, again };
};
