/** Modules that SST's own sources name and that are not installed beside them: their types are of no concern here. */
declare module "archiver";
declare module "bun" {
  export type Shell = unknown;
}
