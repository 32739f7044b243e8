import { defineConfig } from "vitest/config";

export default defineConfig({
  test: {
    include: ["src/**/*.test.ts", "test/**/*.test.ts"],
    pool: "threads",
    isolate: false,
    maxWorkers: 2,
    testTimeout: 120_000,
    hookTimeout: 120_000,
    globalSetup: ["test/fixture/database.setup.ts"],
    setupFiles: ["test/fixture/shifted-clock.ts"],
    reporters: ["default", "./test/fixture/count-reporter.ts"],
  },
});
