/**
 * A column's name as reports and histories tell it.
 *
 * The first line is taken for the names; in a file without a header it is a row, and its cells are somebody's data. What
 * looks like that (a number, an address, a long text) is withheld from the report. The Parquet file has it as it is.
 */
import type { RenamedColumn } from "./Header.ts";

/** Longer ones are texts and no names, in characters. */
const charactersMax = 128;

const withheld = "<withheld: looks like data>";

/** Seven digits, with or without something between them: a telephone number, an account, a card. */
const number = /\d(?:[ ._/-]?\d){6}/;

/** The name, unless it looks like data. */
export const toldName = (name: string): string =>
  name.length > charactersMax || name.includes("@") || number.test(name) ? withheld : name;

/** A change of a name, told likewise. */
export const toldRename = (renamed: RenamedColumn): RenamedColumn => ({
  ...renamed,
  original: toldName(renamed.original),
  name: toldName(renamed.name),
});
