#!/usr/bin/env node
// The `millrace` command. TypeScript sources are run directly, which needs the project's own Node (see scripts/launch.mjs).
import { spawnSync } from "node:child_process";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

const root = dirname(dirname(dirname(dirname(fileURLToPath(import.meta.url)))));
const { status } = spawnSync(
  process.execPath,
  [
    join(root, "scripts", "launch.mjs"),
    join("packages", "cli", "src", "main.ts"),
    ...process.argv.slice(2),
  ],
  { stdio: "inherit" },
);
process.exit(status ?? 1);
