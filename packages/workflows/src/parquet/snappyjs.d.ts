/** What is used of snappyjs 0.6.1. */
declare module "snappyjs" {
  const library: { readonly compress: (input: Uint8Array) => Uint8Array };
  export default library;
}
