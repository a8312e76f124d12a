/**
 * S3's additional checksums: which there are, how they run over a stream, how those of parts become one.
 *
 * Shape:  values are base64 of the big-endian bytes; a composite value ends with `-<parts>`
 * Source: docs.aws.amazon.com/AmazonS3/latest/userguide/checking-object-integrity.html
 */
import { Schema } from "effect";
import { createHash } from "node:crypto";
import { crc32 } from "node:zlib";
import {
  combineCrc,
  type CrcKind,
  crc32cKind,
  crc32Kind,
  crc64NvmeKind,
  updateCrc32c,
  updateCrc64Nvme,
} from "./crc.ts";

export const ChecksumAlgorithm = Schema.Literals([
  "CRC32",
  "CRC32C",
  "CRC64NVME",
  "SHA1",
  "SHA256",
]);
export type ChecksumAlgorithm = typeof ChecksumAlgorithm.Type;

export const ChecksumType = Schema.Literals(["FULL_OBJECT", "COMPOSITE"]);
export type ChecksumType = typeof ChecksumType.Type;

/** A stored checksum of an object. */
export const Checksum = Schema.Struct({
  algorithm: ChecksumAlgorithm,
  type: ChecksumType,
  value: Schema.String,
});
export type Checksum = typeof Checksum.Type;

export const checksumAlgorithms = ChecksumAlgorithm.literals;

/** The algorithm behind a name in any case, if this S3 has it. */
export const checksumAlgorithm = (name: string): ChecksumAlgorithm | undefined =>
  checksumAlgorithms.find((algorithm) => algorithm === name.toUpperCase());

/** `x-amz-checksum-crc32` and so on. */
export const checksumHeader = (algorithm: ChecksumAlgorithm): string =>
  `x-amz-checksum-${algorithm.toLowerCase()}`;

/** `ChecksumCRC32` and so on, the element in XML documents. */
export const checksumElement = (algorithm: ChecksumAlgorithm): string => `Checksum${algorithm}`;

export const checksumBytes: Readonly<Record<ChecksumAlgorithm, number>> = {
  CRC32: 4,
  CRC32C: 4,
  CRC64NVME: 8,
  SHA1: 20,
  SHA256: 32,
};

/** A checksum that is being computed. */
export interface RunningChecksum {
  readonly update: (bytes: Uint8Array) => void;
  readonly digest: () => Buffer;
}

/** Starts a checksum over a stream. */
export const startChecksum = (algorithm: ChecksumAlgorithm): RunningChecksum => {
  switch (algorithm) {
    case "CRC32":
      return runningCrc(4, (bytes, crc) => BigInt(crc32(bytes, Number(crc))));
    case "CRC32C":
      return runningCrc(4, (bytes, crc) => BigInt(updateCrc32c(bytes, Number(crc))));
    case "CRC64NVME":
      return runningCrc(8, updateCrc64Nvme);
    case "SHA1":
      return runningHash("sha1");
    case "SHA256":
      return runningHash("sha256");
  }
};

const runningCrc = (
  width: number,
  update: (bytes: Uint8Array, crc: bigint) => bigint,
): RunningChecksum => {
  let crc = 0n;
  return {
    update: (bytes) => {
      crc = update(bytes, crc);
    },
    digest: () => bytesOf(crc, width),
  };
};

const runningHash = (name: string): RunningChecksum => {
  const hash = createHash(name);
  return { update: (bytes) => void hash.update(bytes), digest: () => hash.digest() };
};

const bytesOf = (value: bigint, width: number): Buffer =>
  Buffer.from(value.toString(16).padStart(width * 2, "0"), "hex");

const crcKinds: Partial<Record<ChecksumAlgorithm, CrcKind>> = {
  CRC32: crc32Kind,
  CRC32C: crc32cKind,
  CRC64NVME: crc64NvmeKind,
};

/** True when an algorithm can give a checksum of the whole object from those of its parts. */
export const allowsType = (algorithm: ChecksumAlgorithm, type: ChecksumType): boolean =>
  type === "FULL_OBJECT" ? crcKinds[algorithm] !== undefined : algorithm !== "CRC64NVME";

/** The checksum of an object that is made of parts. */
export const checksumOfParts = (
  algorithm: ChecksumAlgorithm,
  type: ChecksumType,
  parts: ReadonlyArray<{ readonly value: string; readonly size: number }>,
): Checksum => {
  const kind = crcKinds[algorithm];
  if (type === "COMPOSITE" || kind === undefined) {
    const running = startChecksum(algorithm);
    for (const part of parts) running.update(Buffer.from(part.value, "base64"));
    const value = `${running.digest().toString("base64")}-${parts.length}`;
    return { algorithm, type: "COMPOSITE", value };
  }
  let crc = 0n;
  for (const part of parts) {
    const next = BigInt(`0x${Buffer.from(part.value, "base64").toString("hex")}`);
    crc = combineCrc(kind, crc, next, part.size);
  }
  return { algorithm, type, value: bytesOf(crc, checksumBytes[algorithm]).toString("base64") };
};
