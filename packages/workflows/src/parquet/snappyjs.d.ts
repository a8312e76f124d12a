/** What is used of snappyjs 0.6.1: what its `compress` is made of. */
declare module "snappyjs/snappy_compressor.js" {
  const library: {
    readonly SnappyCompressor: new (input: Uint8Array) => {
      /** The most that the input can become. */
      readonly maxCompressedLength: () => number;
      /** Says how many bytes it has written. */
      readonly compressToBuffer: (output: Uint8Array) => number;
    };
  };
  export default library;
}
