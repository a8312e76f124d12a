/**
 * The reflected CRCs that S3 knows and node does not: CRC32C and CRC64NVME, and the combination of CRCs of parts.
 *
 * All three of S3's CRCs start from and end with all ones, so `combineCrc` works as zlib's `crc32_combine`.
 * CRC64 is kept in two 32-bit halves: BigInt arithmetic per byte would be some fifty times slower.
 *
 * Source: CRC32C RFC 3720 (polynomial 0x82F63B78 reflected); CRC64NVME NVM Express base specification
 * (polynomial 0x9A6C9329AC4BC9B5 reflected)
 */

const crc32cPolynomial = 0x82f6_3b78;
const crc64Polynomial = 0x9a6c_9329_ac4b_c9b5n;

const crc32cTable = Uint32Array.from({ length: 256 }, (_, index) => {
  let value = index;
  for (let bit = 0; bit < 8; bit++) {
    value = (value & 1) === 1 ? (value >>> 1) ^ crc32cPolynomial : value >>> 1;
  }
  return value >>> 0;
});

const crc64Table = Array.from({ length: 256 }, (_, index) => {
  let value = BigInt(index);
  for (let bit = 0; bit < 8; bit++) {
    value = (value & 1n) === 1n ? (value >> 1n) ^ crc64Polynomial : value >> 1n;
  }
  return value;
});
const crc64High = Uint32Array.from(crc64Table, (value) => Number(value >> 32n));
const crc64Low = Uint32Array.from(crc64Table, (value) => Number(value & 0xffff_ffffn));

/** Continues a CRC32C; the first call starts from 0. */
export const updateCrc32c = (bytes: Uint8Array, previous: number): number => {
  let crc = ~previous;
  for (const byte of bytes) crc = (crc >>> 8) ^ (crc32cTable[(crc ^ byte) & 0xff] ?? 0);
  return ~crc >>> 0;
};

/** Continues a CRC64NVME; the first call starts from 0. */
export const updateCrc64Nvme = (bytes: Uint8Array, previous: bigint): bigint => {
  let high = ~Number(previous >> 32n);
  let low = ~Number(previous & 0xffff_ffffn);
  for (const byte of bytes) {
    const index = (low ^ byte) & 0xff;
    low = ((low >>> 8) | (high << 24)) ^ (crc64Low[index] ?? 0);
    high = (high >>> 8) ^ (crc64High[index] ?? 0);
  }
  return (BigInt(~high >>> 0) << 32n) | BigInt(~low >>> 0);
};

/** A CRC as a polynomial over GF(2), bits reflected. */
export interface CrcKind {
  readonly bits: bigint;
  readonly polynomial: bigint;
}

export const crc32Kind: CrcKind = { bits: 32n, polynomial: 0xedb8_8320n };
export const crc32cKind: CrcKind = { bits: 32n, polynomial: BigInt(crc32cPolynomial) };
export const crc64NvmeKind: CrcKind = { bits: 64n, polynomial: crc64Polynomial };

/** The CRC of `first` followed by `second`, from their CRCs and the length of the second. */
export const combineCrc = (
  kind: CrcKind,
  first: bigint,
  second: bigint,
  secondBytes: number,
): bigint => multiply(kind, powerOfX(kind, BigInt(secondBytes) * 8n), first) ^ second;

const multiply = (kind: CrcKind, left: bigint, right: bigint): bigint => {
  let product = 0n;
  let factor = right;
  for (let mask = 1n << (kind.bits - 1n); mask > 0n; mask >>= 1n) {
    if ((left & mask) !== 0n) product ^= factor;
    factor = (factor & 1n) === 1n ? (factor >> 1n) ^ kind.polynomial : factor >> 1n;
  }
  return product;
};

/** x to the power `exponent`, modulo the polynomial; in the reflected form x^0 is the highest bit. */
const powerOfX = (kind: CrcKind, exponent: bigint): bigint => {
  let result = 1n << (kind.bits - 1n);
  let base = 1n << (kind.bits - 2n);
  for (let rest = exponent; rest > 0n; rest >>= 1n) {
    if ((rest & 1n) === 1n) result = multiply(kind, result, base);
    base = multiply(kind, base, base);
  }
  return result;
};
