import { defineConfig } from "vitest/config";

export default defineConfig({
  test: {
    // SST's command line takes minutes: `npm run test:sst`.
    exclude: ["test/sst/**"],
    include: ["packages/*/test/**/*.test.ts", "test/**/*.test.ts"],
    testTimeout: 60_000,
    hookTimeout: 60_000,
    // Two cores are the smallest machine we promise; more workers only make each test slower there.
    maxWorkers: 2,
  },
});
