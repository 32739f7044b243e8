/**
 * Four projects, so that the test of one codec starts no PostgreSQL: vitest runs a project's set-up only where a file of it runs.
 *
 *   unit      what is named nowhere below: words, codecs, pillars, what only computes; the rules of the repository itself
 *   door      doors over stores in memory, sessions, simulated machines: no database either, but sockets, keys, waits, and hundreds
 *             of servers that start and stop
 *   database  what stands on PostgreSQL, and programs
 *   story     several parties at work together, and what is left when one of them is killed
 *
 * `npm run check` runs the first, beside types and lint. `test/fixture/projects.ts` lists the places; a test that asks for a database where none is
 * fails and says where it belongs (`test/fixture/database.ts`).
 */
import { defineConfig } from "vitest/config";
import { globsOf } from "./test/fixture/projects.ts";
import "./test/fixture/seed.ts";

const [story, database, door] = [globsOf("story"), globsOf("database"), globsOf("door")];
const every = ["src/**/*.test.ts", "test/**/*.test.ts"];
const globalSetup = ["test/fixture/database.setup.ts"];

export default defineConfig({
  test: {
    pool: "threads",
    isolate: false,
    maxWorkers: 2,
    testTimeout: 120_000,
    hookTimeout: 120_000,
    setupFiles: ["test/fixture/shifted-clock.ts"],
    reporters: ["default", "./test/fixture/count-reporter.ts"],
    projects: [
      { extends: true, test: { name: "unit", include: every, exclude: [...door, ...database, ...story] } },
      { extends: true, test: { name: "door", include: door, exclude: [...database, ...story] } },
      { extends: true, test: { name: "database", include: database, exclude: story, globalSetup } },
      { extends: true, test: { name: "story", include: story, globalSetup } },
    ],
  },
});
