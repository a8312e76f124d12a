/**
 * `npm run bench -- images [rounds]`: what an image costs, beside Pillow where Python has it. One JSON line per image.
 *
 * The same files for both, in turn; what is measured is the processor time of a process that renders the three boxes of
 * D4.5 again and again, after a first time that is not counted. Pillow is used in two ways: as it is written everywhere
 * (one decode, a copy and a thumbnail for each box), and as well as it can be (`draft`, one box made of the other).
 *
 * Units:  milliseconds of the processor per image; MB of 1,000,000 bytes
 */
import { spawnSync } from "node:child_process";
import { mkdtempSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Schema } from "effect";
import sharp from "sharp";

const rounds = Number(process.argv[2] ?? 15);
const folder = mkdtempSync(join(tmpdir(), "millrace-images-"));

const Measured = Schema.fromJsonString(
  Schema.Struct({ cpuMs: Schema.Finite, peakMb: Schema.Finite }),
);
const decodeMeasured = Schema.decodeUnknownSync(Measured);

/** A picture with gradients, edges and grain, like a photograph's; the same in every run. */
const photograph = (width: number, height: number) => {
  const pixels = Buffer.alloc(width * height * 3);
  let seed = 20_261_130;
  for (let at = 0, pixel = 0; pixel < width * height; pixel++) {
    seed = (Math.imul(seed, 1_664_525) + 1_013_904_223) >>> 0;
    const grain = (seed >>> 28) - 8;
    const x = pixel % width;
    const y = (pixel - x) / width;
    const edge = (((x >> 6) + (y >> 6)) & 1) * 40;
    for (const light of [
      120 + 90 * Math.sin(x / 97) + edge,
      110 + 80 * Math.cos(y / 131),
      128 + 60 * Math.sin((x + y) / 211) - edge,
    ]) {
      pixels[at++] = Math.max(0, Math.min(255, light + grain));
    }
  }
  return sharp(pixels, { raw: { width, height, channels: 3 } });
};

const large = { width: 4_000, height: 3_000 };
const files = [
  ["12 MP JPEG", "large.jpg", () => photograph(large.width, large.height).jpeg({ quality: 90 })],
  [
    "12 MP JPEG, turned",
    "turned.jpg",
    () =>
      photograph(large.width, large.height).jpeg({ quality: 90 }).withMetadata({ orientation: 6 }),
  ],
  ["12 MP PNG", "large.png", () => photograph(large.width, large.height).png()],
  ["12 MP WebP", "large.webp", () => photograph(large.width, large.height).webp({ quality: 90 })],
  ["2 MP JPEG", "small.jpg", () => photograph(1_600, 1_200).jpeg({ quality: 90 })],
] as const;

/** Debian's own Python first: that is where its Pillow is. */
const pythons = ["/usr/bin/python3", "python3"];
const python = pythons.find(
  (command) => spawnSync(command, ["-c", "import PIL.Image"]).status === 0,
);

const measure = (command: string, ...words: ReadonlyArray<string>) => {
  const { status, stderr, stdout } = spawnSync(command, words, { encoding: "utf8" });
  if (status !== 0) throw new Error(`${command} ${words.join(" ")}: ${stderr}`);
  return decodeMeasured(stdout);
};

const round = (value: number): number => Math.round(value * 10) / 10;

try {
  for (const [name, file, make] of files) {
    const path = join(folder, file);
    writeFileSync(path, await make().toBuffer());
    const own = measure(
      process.execPath,
      ...process.execArgv,
      join(import.meta.dirname, "images", "renderAgain.ts"),
      path,
      String(rounds),
    );
    const pillow = (way: "usual" | "best") =>
      python === undefined
        ? undefined
        : measure(
            python,
            join(import.meta.dirname, "images", "pillow.py"),
            path,
            String(rounds),
            way,
          );
    const usual = pillow("usual");
    const best = pillow("best");
    const line = {
      image: name,
      megabytes: round(statSync(path).size / 1e6),
      millraceCpuMs: round(own.cpuMs),
      millracePeakMb: Math.round(own.peakMb),
      ...(usual && {
        pillowCpuMs: round(usual.cpuMs),
        pillowPeakMb: Math.round(usual.peakMb),
        timesFaster: round(usual.cpuMs / own.cpuMs),
      }),
      ...(best && {
        pillowAtItsBestCpuMs: round(best.cpuMs),
        timesFasterThanItsBest: round(best.cpuMs / own.cpuMs),
      }),
      rounds,
    };
    process.stdout.write(`${JSON.stringify(line)}\n`);
  }
  if (python === undefined) {
    process.stderr.write("without Pillow: no python3 here has it (Debian: python3-pil)\n");
  }
} finally {
  rmSync(folder, { recursive: true });
}
