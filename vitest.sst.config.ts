import { defineConfig } from "vitest/config";

/** `npm run test:sst`: SST's real command line, apart from `npm test` because it takes minutes. */
export default defineConfig({
  test: {
    include: ["test/sst/**/*.test.ts"],
    testTimeout: 240_000,
    hookTimeout: 120_000,
    fileParallelism: false,
  },
});
