/**
 * Every limit of the CSV pipeline, with its unit, its reason and where the figure comes from.
 */

/** First look: enough for any sane header and cheap as one ranged read. */
export const sniffBytesMax = 64 * 1024;

/** Larger chunks are cut to this before parsing, so that one call never holds the process or much memory. */
export const chunkBytesMax = 256 * 1024;

/** Longest record. It bounds what an unclosed quote can swallow: 50 MB behind one quote end after 1 MiB (measured: 0.26 s against 2.8 s). */
export const recordBytesMax = 1024 * 1024;

/** More columns than any warehouse table takes; a wider header is taken for a broken delimiter. */
export const columnsMax = 10_000;

/**
 * Rows in a row group. 50,000 make files 2 % smaller and take 6 MB more; 12,500 make them 3.5 % larger and take 3 MB less
 * (measured over 100 MB, where a pass peaks at 164 MB). It decides what bytes a file has: other rows, other files.
 */
export const rowGroupRowsMax = 25_000;

/** Bytes of cell text and cell overhead in a row group: the bound for wide or long rows. */
export const rowGroupBytesMax = 32 * 1024 * 1024;

/** What a cell counts beyond its text, whatever it takes: where groups are cut depends on it, and so do a file's bytes. */
export const cellOverheadBytes = 16;

/** Raw text kept of a rejected row: enough to recognise it, too little to fill the rejects file with one row. */
export const rejectTextMax = 4_096;

/** A file may lose this share of its rows before it counts as invalid ... */
export const rejectedShareMax = 0.1;

/** ... but a few bad rows never condemn a small file. */
export const rejectedRowsTolerated = 100;

/**
 * Rejected rows that are written out: at 4,096 characters each this bounds the file, and nobody reads more. Further ones
 * are counted, and lie in the input.
 */
export const rejectedRowsKept = 100_000;

/** From here on the share is looked at on every rejected row, so that a hopeless file ends early. */
export const rejectedRowsEarlyLook = 10_000;

/** Slots of the in-memory table of row hashes at its largest: 12 bytes each, 24 MiB, filled to three quarters (1.57 M rows). */
export const seenSlotsMax = 2 ** 21;

/** Largest filter over spilled hashes: 128 MiB, good for about 130 M rows before look-ups slow down. */
export const seenFilterBitsMax = 2 ** 30;

/** What a compressed file may hold: at 18 MB of CSV per processor second, ten of a Lambda's 15 minutes. */
export const inflatedBytesMax = 10 * 1024 ** 3;

/** Bytes that a compressed file may hold per byte of its own: CSV compresses 5 to 30 times, a bomb 1,000 times. */
export const inflateRatioMax = 250;

/** Rows of one part of a large file (requirement D2.4). */
export const partRowsMax = 500_000;

/** Months that the rows of one part may go to: each is a file of its own, open until the part ends. */
export const monthsMax = 100;

/** A file of more bytes is written in parts: at 100 to 130 bytes a row it holds about as many rows as a part. */
export const partsAboveBytes = 64 * 1024 * 1024;

/** How much more a compressed file is taken to hold when it is judged by its size. */
export const compressedFactor = 8;
