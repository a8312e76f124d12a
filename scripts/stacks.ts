/**
 * `npm run stacks`: writes docs/stacks.md anew, from what the stacks would deploy.
 */
import { spawnSync } from "node:child_process";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { renderReport } from "../test/infra/report.ts";
import { rules } from "../test/infra/rules.ts";
import { synthesizeStages } from "../test/infra/stages.ts";
import { root } from "./sst.ts";

const file = join(root, "docs", "stacks.md");
writeFileSync(file, renderReport(await synthesizeStages(), rules));
spawnSync(join(root, "node_modules", ".bin", "oxfmt"), [file]);
