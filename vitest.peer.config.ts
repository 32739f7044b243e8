/** Tests against independent programs, which Debian has and npm has not: `.ci/run` installs them. */
import { defineConfig } from "vitest/config";
import "./test/fixture/seed.ts";

export default defineConfig({
  test: {
    include: ["test/peer/**/*.peer.ts"],
    pool: "threads",
    testTimeout: 120_000,
    hookTimeout: 120_000,
    globalSetup: ["test/fixture/database.setup.ts"],
    reporters: ["default", "./test/fixture/count-reporter.ts"],
  },
});
