export { journalContract } from "./journalContract.ts";
