/** `turnup catalog ...` at a terminal: tried, put in with its octets, listed and shown. */
import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { test } from "vitest";
import { cliFixture, jsonLines } from "../../../test/fixture/cli.ts";
import type { Command } from "../terminal/command.ts";

const entry = (name: string, load: () => Promise<Command>) => ({ name, summary: "", load });
const fixture = await cliFixture([
  entry("catalog list", async () => (await import("./catalog.ts")).catalogListCommand),
  entry("catalog show", async () => (await import("./catalog.ts")).catalogShowCommand),
  entry("catalog export", async () => (await import("./catalog.ts")).catalogExportCommand),
  entry("catalog import", async () => (await import("./catalog.ts")).catalogImportCommand),
  entry("terms list", async () => (await import("./terms.ts")).termsListCommand),
  entry("terms show", async () => (await import("./terms.ts")).termsShowCommand),
  entry("terms put", async () => (await import("./terms.ts")).termsPutCommand),
]);
const run = (...argv: string[]) => fixture.run(argv);
await fixture.operator("north");

const octets = Buffer.from("module");
const sha256 = createHash("sha256").update(octets).digest("hex");
const module = fixture.file("m.bin", octets);
const file = fixture.file(
  "catalog.yaml",
  `catalog: 1
terms: { general: { en: It costs., de: Es kostet. } }
items:
  mms: { kind: feature, name: { en: Picture messages }, description: { en: Pictures }, content: { kind: settings } }
  client:
    kind: feature
    name: { en: Mail program }
    description: { en: Reads mail }
    price: { onceMinor: 299, monthlyMinor: 50, currency: EUR }
    terms: general
    needs: [mms]
    content: { kind: module, module: client, version: "1", sha256: ${sha256}, octets: 6 }
`,
);

test("a catalog whose module's octets are not there is refused by its place, and nothing is changed", async () => {
  const { exitCode, stderr } = await run("catalog", "import", file);
  assert.equal(exitCode, 1);
  assert.match(stderr, /items\/client\/content: has no url, and no content/);
  assert.match(stderr, /catalog_malformed/);
  assert.match((await run("catalog", "list")).stderr, /the catalog is empty/);
});

test("with its octets it goes in: first tried, then done, then again without a change", async () => {
  await run("catalog", "import", file, "--content", module);
  const other = fixture.file("less.yaml", "catalog: 1\nitems: {}\n");
  const tried = await run("catalog", "import", other, "--dry-run");
  assert.deepEqual(tried.stdout.trim().split("\n"), [
    "- item client",
    "- item mms",
    "nothing was changed: this was a dry run",
  ]);
  assert.equal((await run("catalog", "import", file)).stdout, "nothing changes\n");
  const [diff] = jsonLines((await run("catalog", "import", file, "--json")).stdout);
  assert.equal(diff?.applied, true);
});

test("what is there is listed with its price, and shown with its versions", async () => {
  const { stdout } = await run("catalog", "list");
  assert.match(stdout, /^client +1 +feature +€2\.99 once, €0\.50 a month +general +mms +Mail program$/m);
  assert.match(stdout, /^mms +1 +feature +Free +- +- +Picture messages$/m);
  assert.deepEqual(jsonLines((await run("catalog", "list", "--kind", "package", "--json")).stdout), []);
  const [shown] = jsonLines((await run("catalog", "show", "client", "--json")).stdout) as {
    item: { id: string };
    versions: unknown[];
  }[];
  assert.deepEqual([shown?.item.id, shown?.versions.length], ["client", 1]);
  assert.match((await run("catalog", "show", "mms")).stdout, /on offer/);
  assert.match((await run("catalog", "show", "nothing")).stderr, /catalog_item_not_found/);
});

test("an export imports unchanged, over a pipe too", async () => {
  const exported = (await run("catalog", "export")).stdout;
  assert.match(exported, /^catalog: 1\n/);
  assert.equal((await fixture.run(["catalog", "import", "-"], exported)).stdout, "nothing changes\n");
});

test("a file that is no catalog is refused with its line", async () => {
  for (const [text, expected] of [
    ["a: [", /line 1|line 2/i],
    [Buffer.from([0xff, 0xfe, 0x41]), /not UTF-8/],
    ["just words", /must be an object/],
  ] as const) {
    const { exitCode, stderr } = await run("catalog", "import", fixture.file("bad.yaml", text));
    assert.equal(exitCode, 1);
    assert.match(stderr, expected);
  }
});

test("terms are listed, shown in every language, and put as a next version", async () => {
  assert.match((await run("terms", "list")).stdout, /^general +1 +de, en /m);
  assert.match((await run("terms", "show", "general")).stdout, /\[de\]\nEs kostet\./);
  const texts = fixture.file("terms.yaml", "en: It costs more.\n");
  assert.equal((await run("terms", "put", "general", texts)).stdout, "general is version 2 now\n");
  assert.equal((await run("terms", "put", "general", texts)).stdout, "nothing changes\n");
  assert.equal(jsonLines((await run("terms", "show", "general", "--json")).stdout).length, 2);
  assert.match((await run("terms", "show", "none")).stderr, /terms_not_found/);
  assert.match(
    (await run("terms", "put", "general", fixture.file("de.yaml", "de: Nur deutsch\n"))).stderr,
    /en: is missing/,
  );
  assert.equal((await run("terms", "put", "Not An Id", texts)).exitCode, 2);
});
