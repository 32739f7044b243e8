/**
 * What the repository must not hold (paths of one machine, hosts of registries, large files, other projects' names for
 * things), and what its pages promise: rooms, states, dependencies, links.
 */
import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { existsSync, readdirSync, readFileSync, statSync } from "node:fs";
import { dirname, join, resolve } from "node:path";
import { test } from "vitest";
import { ITEM_STATES, ORDER_STATES } from "../src/kernel/order/order.ts";
import { errorTexts } from "./fixture/error-texts.ts";

const ROOT = resolve(import.meta.dirname, "..");
const FILE_OCTETS_MAX = 1_048_576;
const files = execFileSync("git", ["ls-files", "-z"], { cwd: ROOT, encoding: "utf8" })
  .split("\0")
  .filter((name) => name !== "" && existsSync(join(ROOT, name)));
const textOf = (name: string): string => readFileSync(join(ROOT, name), "utf8");
const isText = (name: string): boolean => !/\.(gz|png|bin|pcap|woff2)$/.test(name);

test("no file names a folder of the machine it was written on", () => {
  const machine = new RegExp(["/work/", "/home/[a-z]", "/Users/", "C:\\\\Users", "/root/"].join("|"));
  // Where a service or a test means such a folder on purpose.
  const allowed = /\/home\/\$|~\/|"\/home|`\/root`/;
  const found = files.filter(isText).flatMap((name) =>
    textOf(name)
      .split("\n")
      .flatMap((line, at) => (machine.test(line) && !allowed.test(line) ? [`${name}:${at + 1}`] : [])),
  );
  assert.deepEqual(
    found.filter((place) => !place.startsWith("test/hygiene.test.ts")),
    [],
  );
});

test("the lock file names no registry, and pins every package by its hash", () => {
  const { packages } = JSON.parse(textOf("package-lock.json")) as {
    packages: Record<string, { resolved?: string; integrity?: string; link?: boolean }>;
  };
  const entries = Object.entries(packages).filter(([name]) => name !== "");
  assert.ok(entries.length > 0);
  assert.deepEqual(
    entries.filter(([, { resolved }]) => resolved !== undefined).map(([name]) => name),
    [],
  );
  assert.deepEqual(
    entries.filter(([, { integrity }]) => !integrity).map(([name]) => name),
    [],
  );
  assert.equal(existsSync(join(ROOT, ".npmrc")) && files.includes(".npmrc"), false);
});

test("the lock file holds every platform's packages, so that npm ci works on each", () => {
  const { packages } = JSON.parse(textOf("package-lock.json")) as {
    packages: Record<string, { optionalDependencies?: Record<string, string> }>;
  };
  const locked = new Set(Object.keys(packages).map((path) => path.replace(/^.*node_modules\//, "")));
  const missing = Object.entries(packages).flatMap(([path, { optionalDependencies = {} }]) =>
    Object.keys(optionalDependencies).flatMap((name) => (locked.has(name) ? [] : [`${path} wants ${name}`])),
  );
  assert.deepEqual(missing, []);
});

test("no file but shipped data is larger than 1 MiB", () => {
  const large = files.filter(
    (name) => !name.startsWith("data/") && statSync(join(ROOT, name)).size > FILE_OCTETS_MAX,
  );
  assert.deepEqual(large, []);
});

test("every file of code opens with what it is for", () => {
  const silent = files
    .filter((name) => /\.(ts|js)$/.test(name))
    .filter((name) => !/^(?:#![^\n]*\n)?\/[/*]/.test(textOf(name)));
  assert.deepEqual(silent, []);
});

test("nothing outside the repository is read: no shared folder beside it", () => {
  const found = files
    .filter((name) => /\.(ts|js|json|sh)$/.test(name) && name !== "test/hygiene.test.ts")
    .filter((name) => /\.\.\/shared\//.test(textOf(name)));
  assert.deepEqual(found, []);
});

test("every dependency has its line in docs/adr/0003-dependencies.md, with an exact version, and none is listed that is gone", () => {
  const manifest = JSON.parse(textOf("package.json")) as Record<string, Record<string, string>>;
  const wanted = ["dependencies", "optionalDependencies", "devDependencies"].flatMap((kind) =>
    Object.entries(manifest[kind] ?? {}),
  );
  const rows = textOf("docs/adr/0003-dependencies.md")
    .split("\n")
    .filter((line) => line.startsWith("| `"));
  const listed = rows.flatMap((line) =>
    [...line.split("|")[1]!.matchAll(/`([^`]+)`/g)].map(([, name]) => name!),
  );
  assert.deepEqual([...listed].sort(), wanted.map(([name]) => name).sort());
  for (const [name, version] of wanted) assert.match(version, /^\d/, `${name} is not pinned`);
});

test("no two prepared statements have one name: the second would fail on a connection that knows the first", () => {
  const names = files
    .filter((name) => /^src\/store\/.*\.ts$/.test(name) && !name.endsWith(".test.ts"))
    .flatMap((file) =>
      [...textOf(file).matchAll(/\bname: "([a-z0-9_]+)",[^\n]*\n\s*text:/g)].map(([, name]) => name!),
    );
  assert.ok(names.length > 100, "the statements were found");
  assert.deepEqual(
    names.filter((name, at) => names.indexOf(name) !== at),
    [],
  );
});

test("every test that draws at random draws from the one seed of the run", () => {
  const tests = files.filter(
    (name) =>
      /^(test\/.*|.*\.test)\.ts$/.test(name) && name !== "test/fixture/seed.ts" && !name.includes("hygiene"),
  );
  const own = tests.filter((name) =>
    /Math\.random\(|randomInt\(|env\.\w*SEED|env\[["']\w*SEED/.test(
      textOf(name).replaceAll(/^\s*(\/\/|\*).*/gm, ""),
    ),
  );
  assert.deepEqual(own, [], "take SEED, chanceOf or drawsOf of test/fixture/seed.ts");
  const unseeded = tests.flatMap((name) => {
    const text = textOf(name);
    const asked = text.match(/\bfc\s*\.(assert|sample)\(|^\s+\.sample\(/gm)?.length ?? 0;
    const given = text.match(/\bseed: SEED\b/g)?.length ?? 0;
    return asked > given ? [`${name}: ${asked} properties, ${given} with the seed`] : [];
  });
  assert.deepEqual(unseeded, []);
});

test("the licence, the notice and each licence text of the shipped data are there", () => {
  assert.match(textOf("LICENSE"), /Apache License\s+Version 2\.0/);
  assert.match(textOf("NOTICE"), /Copyright \d{4} the Turnup authors/);
  const notice = textOf("data/NOTICE.md");
  for (const name of readdirSync(join(ROOT, "data")).filter((one) => /\.csv(\.gz)?$/.test(one)))
    assert.ok(notice.includes(name), `data/NOTICE.md does not name ${name}`);
});

test("ARCHITECTURE.md names every room, and draws every state of an order and of an item", () => {
  const page = textOf("ARCHITECTURE.md");
  const rooms = files
    .map((name) => /^src\/([a-z]+)\/(?:([a-z0-9]+)\/)?/.exec(name))
    .flatMap((match) => (match ? [`src/${match[1]}/`, ...(match[2] ? [match[2]] : [])] : []));
  const words = new Set(page.match(/[\w/]+/g)?.flatMap((word) => [word, ...word.split("/")]));
  for (const room of new Set(rooms)) {
    const isThere = room.startsWith("src/") ? page.includes(room) : words.has(room);
    assert.ok(isThere, `ARCHITECTURE.md does not name ${room}`);
  }
  const [orders = "", items = ""] = [...page.matchAll(/stateDiagram-v2\n(.*?)```/gs)].map(
    ([, body]) => body!,
  );
  for (const state of ORDER_STATES) assert.match(orders, new RegExp(`\\b${state}\\b`), state);
  for (const state of ITEM_STATES) assert.match(items, new RegExp(`\\b${state}\\b`), state);
});

test("ARCHITECTURE.md and CONTRIBUTING.md name files that are there", () => {
  const lost = ["ARCHITECTURE.md", "CONTRIBUTING.md"].flatMap((page) =>
    [...textOf(page).matchAll(/`([\w.-]+(?:\/[\w.-]+)+\.(?:ts|sql|md|mjs))`/g)]
      .map(([, path = ""]) => path)
      .filter((path) => !files.some((name) => name === path || name.endsWith(`/${path}`)))
      .map((path) => `${page} names ${path}`),
  );
  assert.deepEqual(lost, []);
});

test("each walk of ARCHITECTURE.md tells each of its files once, and how many they are", () => {
  const [, walks = ""] = textOf("ARCHITECTURE.md").split("\n## Three walks\n");
  const told = walks.split("\n## ")[0]!.split("\n### ").slice(1);
  assert.equal(told.length, 3);
  for (const walk of told) {
    const [title = ""] = walk.split("\n");
    const rows = [...walk.matchAll(/^\| (\d+) \| `(src\/[^`]+)` \| (.*) \|$/gm)];
    const paths = rows.map(([, , path = ""]) => path);
    const repeated = rows.filter(([, , , what = ""]) => what.includes("*(again")).length;
    assert.deepEqual(
      paths.filter((path) => !files.includes(path)),
      [],
      `${title}: these are not there`,
    );
    assert.equal(new Set(paths).size, paths.length, `${title}: each file once`);
    assert.deepEqual(
      rows.map(([, number]) => Number(number)),
      paths.map((_, at) => at + 1),
    );
    const [, count, again] =
      /^\*\*(\d+) files\*\* \(aim: \d+\), (\d+) of them more than once\.$/m.exec(walk) ?? [];
    assert.deepEqual([Number(count), Number(again)], [paths.length, repeated], title);
  }
});

test("links between pages lead somewhere, and so does each page that a source names", () => {
  const broken: string[] = [];
  for (const name of files.filter((one) => one.endsWith(".md"))) {
    for (const [, target] of textOf(name).matchAll(/\]\((?!https?:|#|mailto:)([^)#\s]+)(?:#[^)]*)?\)/g)) {
      if (!existsSync(resolve(ROOT, dirname(name), target!))) broken.push(`${name} -> ${target}`);
    }
  }
  for (const name of files.filter(
    (one) => /^(src|bench|test)\/.*\.ts$/.test(one) && !one.includes("hygiene"),
  )) {
    for (const [page] of textOf(name).matchAll(/\bdocs\/[\w/-]+(?:\.md)?/g)) {
      const known = [page, `${page}.md`].some((one) => existsSync(join(ROOT, one)));
      const isNumbered = /^docs\/adr\/\d{4}$/.test(page);
      const isPage =
        isNumbered && readdirSync(join(ROOT, "docs", "adr")).some((one) => page.endsWith(one.slice(0, 4)));
      if (!known && !isPage) broken.push(`${name} -> ${page}`);
    }
  }
  assert.deepEqual(broken, []);
});

const sources = files
  .filter((name) => name.startsWith("src/") && name.endsWith(".ts") && !name.endsWith(".test.ts"))
  .map((file) => ({ file, text: textOf(file) }));
/** With a capital, a value or the own spelling of a field or a setting in front, and an end. */
const isSentence = (text: string): boolean =>
  /^(?:[^a-z]|[a-z]+[._][a-z]|[a-z]+[A-Z])/.test(text) && /[.?!]$/.test(text);

test("each next step that an error names is a sentence", () => {
  const steps = sources.flatMap(({ file, text }) =>
    [
      ...text.matchAll(/\bnextStep:\s*("[^"\n]*"|'[^'\n]*'|`(?:\$\{(?:[^{}`]|\{[^}]*\})*\}|[^`$\\]|\\.)*`)/g),
    ].map(([, literal = ""]) => ({ file, text: literal.slice(1, -1) })),
  );
  assert.ok(steps.length > 100, `${steps.length} next steps were found`);
  assert.deepEqual(
    steps.filter(({ text }) => !isSentence(text)).map(({ file, text }) => `${file}: ${text}`),
    [],
  );
});

test("each error says what it met in a sentence", () => {
  const texts = errorTexts(sources);
  assert.ok(texts.length > 300, `${texts.length} texts were found`);
  assert.deepEqual(
    texts.filter(({ text }) => !isSentence(text)).map(({ file, text }) => `${file}: ${text}`),
    [],
  );
});

test("a person is called they, or by the role: never he or she, in sources and on pages", () => {
  const gendered = /\b(?:he|him|his|himself|she|her|hers|herself)\b/i;
  // The code of a language (ISO 639) that is one of these words.
  const language = /\/\/ (?:\w\w, )*he\b/;
  const pages = files
    .filter((name) => name.endsWith(".md") && name !== "docs/requirements.md") // it quotes titles of tests
    .map((file) => ({ file, text: textOf(file) }));
  const found = [...sources, ...pages].flatMap(({ file, text }) =>
    text
      .split("\n")
      .flatMap((line, at) =>
        gendered.test(line) && !language.test(line) ? [`${file}:${at + 1}: ${line}`] : [],
      ),
  );
  assert.deepEqual(found, []);
});

test("a command that a page tells people to use is one", () => {
  const known = [...textOf("src/app/terminal/cli.ts").matchAll(/name: "([a-z -]+)"/g)].map(
    ([, name]) => name,
  );
  assert.ok(known.includes("token add"));
  const pages = files.filter((name) => /^(?:web\/src|src\/http)\/.*(?<!\.test)\.tsx?$/.test(name));
  const told = pages.flatMap((name) =>
    [...textOf(name).matchAll(/["'`>“„]turnup ([a-z][a-z-]*(?: [a-z][a-z-]*)?)/g)].map(([, command]) => ({
      name,
      command: command ?? "",
    })),
  );
  assert.ok(told.length > 0);
  const unknown = told.filter(
    ({ command }) => !known.includes(command) && !known.includes(command.split(" ")[0] ?? ""),
  );
  assert.deepEqual(unknown, []);
});
