/** How a command is found, loaded and given its options, and how its errors end. */
import assert from "node:assert/strict";
import { test } from "vitest";
import { runWith } from "../../../test/fixture/cli-io.ts";
import { type ErrorCode, TurnupError } from "../../term/error.ts";
import { DecodeError } from "../../wire/decode-error.ts";
import { untilStopped } from "../server/lost.ts";
import { type Command, type CommandContext, type CommandEntry, type Outcome, UsageError } from "./command.ts";
import { linesOf } from "./lines.ts";

const entryOf = (
  name: string,
  run: (context: CommandContext) => Promise<Outcome>,
  more: Partial<Command> = {},
) => ({
  name,
  summary: `does ${name}`,
  load: async () => ({ name, summary: `does ${name}`, examples: [`turnup ${name}`], ...more, run }),
});
const failing = (error: Error): CommandEntry[] => [entryOf("fail", () => Promise.reject(error))];

test("a command is loaded only when it is called", async () => {
  const loaded: string[] = [];
  const entries = ["one", "two"].map((name) => ({
    ...entryOf(name, async () => "ok"),
    load: () => {
      loaded.push(name);
      return entryOf(name, async () => "ok").load();
    },
  }));
  assert.equal((await runWith(entries, ["two"])).exitCode, 0);
  assert.deepEqual(loaded, ["two"]);
});

test("a command of two words is found, beside its sibling", async () => {
  const entries = [
    entryOf("settings find", async ({ print }) => {
      print("found");
      return "ok";
    }),
    entryOf("settings list", async ({ print }) => {
      print("listed");
      return "ok";
    }),
  ];
  assert.equal((await runWith(entries, ["settings", "list"])).stdout, "listed\n");
  assert.equal((await runWith(entries, ["settings", "find"])).stdout, "found\n");
  assert.match((await runWith(entries, ["settings", "--help"])).stdout, /find[\s\S]*list/);
  assert.match(
    (await runWith(entries, ["--help"])).stdout,
    /settings +find, list: see turnup settings --help/,
  );
});

test("options reach the command by their long names", async () => {
  const seen: unknown[] = [];
  const entry = entryOf(
    "x",
    async ({ args, option, flag, json }) => {
      seen.push(args, option("as-of"), option("file"), flag("dry"), json);
      return "ok";
    },
    {
      args: [{ usage: "[ids...]", about: "ids" }],
      options: [
        { flags: "--as-of <day>", about: "day" },
        { flags: "--file <path>", about: "path" },
        { flags: "--dry", about: "no change" },
      ],
    },
  );
  await runWith([entry], ["x", "a", "b", "--as-of", "2026-01-01", "--dry", "--json"]);
  assert.deepEqual(seen, [["a", "b"], "2026-01-01", undefined, true, true]);
});

test("an error of ours is its code, its fact and the next step; with --json one object", async () => {
  const error = new TurnupError("plmn_malformed", "no network", {
    nextStep: "Write MCC and MNC.",
    details: { line: 3 },
  });
  const text = await runWith(failing(error), ["fail"]);
  assert.deepEqual(
    [text.exitCode, text.stdout, text.stderr],
    [1, "", "plmn_malformed: no network (line 3)\nWrite MCC and MNC.\n"],
  );
  const json = await runWith(failing(error), ["fail", "--json"]);
  assert.deepEqual(JSON.parse(json.stderr), {
    error: { code: "plmn_malformed", message: "no network", nextStep: "Write MCC and MNC.", line: 3 },
  });
});

test("a decoder's refusal carries the offset", async () => {
  const { exitCode, stderr } = await runWith(failing(new DecodeError("cut short", 7)), ["fail", "--json"]);
  assert.equal(exitCode, 1);
  assert.deepEqual(JSON.parse(stderr), {
    error: { code: "decode_failed", message: "Cut short.", offset: 7 },
  });
});

test("a fault of the program is told from a refusal", async () => {
  const { exitCode, stderr } = await runWith(failing(new Error("undefined is not a function")), ["fail"]);
  assert.equal(exitCode, 1);
  assert.match(stderr, /^internal_error: undefined is not a function\n/);
});

test("exit codes: failed 1, usage 2, unknown command 2, nothing 2, help 0, version 0", async () => {
  const entries = [
    entryOf("failed", async () => "failed"),
    entryOf("usage", async () => "usage"),
    entryOf("thrown", () => Promise.reject(new UsageError("not so"))),
  ];
  const codes = await Promise.all(
    [["failed"], ["usage"], ["thrown"], ["bogus"], [], ["--help"], ["--version"]].map((argv) =>
      runWith(entries, argv),
    ),
  );
  assert.deepEqual(
    codes.map(({ exitCode }) => exitCode),
    [1, 2, 2, 2, 2, 0, 0],
  );
  assert.match(codes[2]?.stderr ?? "", /not so/);
});

test("lines are cut at the limit wherever the chunks end, and the rest of a cut line is dropped", async () => {
  const text = "ab\r\ncdefghij\n\nkl";
  for (let at = 0; at <= text.length; at++) {
    const chunks = (async function* () {
      yield Buffer.from(text.slice(0, at));
      yield Buffer.from(text.slice(at));
    })();
    const lines: string[] = [];
    for await (const line of linesOf(chunks, 5)) lines.push(line);
    assert.deepEqual(lines, ["ab", "cdefg", "", "kl"], `cut at ${at}`);
  }
});

test("a program that stays ends with 75 where what it stands on may come back; all else, and other commands, with 1", async () => {
  const codeOf = async (code: ErrorCode, stays: boolean): Promise<number> => {
    const run = () => Promise.reject(new TurnupError(code, "it is so"));
    return (await runWith([entryOf("fail", run, { stays })], ["fail"])).exitCode;
  };
  for (const code of [
    "embedded_failed",
    "data_folder_unusable",
    "database_full",
    "database_unavailable",
  ] as const)
    assert.deepEqual([await codeOf(code, true), await codeOf(code, false)], [75, 1], code);
  for (const code of ["config_invalid", "seal_broken", "migration_unknown"] as const)
    assert.equal(await codeOf(code, true), 1, code);
});

test("a server that lost what it stands on closes, for a while at most, and says what it was", async () => {
  const stay = untilStopped(new AbortController().signal);
  let closed = false;
  const ended = stay.end(async () => {
    closed = true;
    throw new Error("the database is away");
  });
  stay.onLost(new TurnupError("embedded_failed", "it died"));
  await assert.rejects(ended, { code: "embedded_failed" });
  assert.equal(closed, true);
});
