/** Commands and options as release 0.1.0 spelled them go on working, and say what they are called now. */
import assert from "node:assert/strict";
import { test } from "vitest";
import { runWith } from "../../../test/fixture/cli-io.ts";
import type { Command, CommandEntry } from "./command.ts";

const NAMES = ["order list", "order show", "offer list", "offer send", "review list", "review answer"];
/** Each prints its name and what it was given. */
const entries: readonly CommandEntry[] = [...NAMES, "device unknown", "request list"].map((name) => ({
  name,
  summary: "",
  load: async (): Promise<Command> => ({
    ...{ name, summary: "", args: [{ usage: "[words...]", about: "" }], examples: [] },
    options: [{ flags: "--channel <channel>", about: "" }],
    run: async (context) => {
      await context.print([name, ...context.args, context.option("channel") ?? "-"].join(" "));
      return "ok" as const;
    },
  }),
}));
const run = (argv: string) => runWith(entries, argv.split(" "));

const SPELLINGS: readonly (readonly [former: string, now: string])[] = [
  ["orders", "order list"],
  ["order 01981f2e", "order show 01981f2e"],
  ["offers", "offer list"],
  ["offer voice-mail +491701234567", "offer send voice-mail +491701234567"],
  ["request reviews", "review list"],
  ["request review 7HK2MQ9T approve", "review answer 7HK2MQ9T approve"],
  ["devices unknown", "device unknown"],
  ["request list --road partner", "request list --channel partner"],
  ["request list --road=partner", "request list --channel=partner"],
];
for (const [former, now] of SPELLINGS) {
  test(`turnup ${former} does what turnup ${now} does, and says so`, async () => {
    const today = await run(now);
    assert.deepEqual([today.exitCode, today.stderr], [0, ""]);
    const before = await run(former);
    assert.deepEqual([before.exitCode, before.stdout], [0, today.stdout]);
    assert.match(before.stderr, /^\S.* is \S.* now; the old spelling works in this release\.\n$/);
    assert.equal((await run(`${former} --json`)).stderr, "", "what a program reads holds no note");
  });
}

test("help names commands and options as they are spelled today alone", async () => {
  const all = (await run("--help")).stdout;
  for (const name of ["orders", "offers", "devices"])
    assert.doesNotMatch(all, new RegExp(`^  ${name}\\b`, "m"));
  assert.match((await run("order --help")).stdout, /^ {2}list .*\n {2}show /m);
  assert.doesNotMatch((await run("request list --help")).stdout, /--road/);
});

test("an argument that is spelled like an option of before stays what it is", async () => {
  assert.equal((await run("order show orders")).stdout, "order show orders -\n");
  assert.equal((await run("review answer --channel road")).stdout, "review answer road\n");
});
