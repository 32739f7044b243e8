/** The file that names other provisioning servers: what it says, and what is refused before anything starts. */
import assert from "node:assert/strict";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "vitest";
import { whenDone } from "../../../test/fixture/when-done.ts";
import { checkCatalogDocument, checkCatalogItem } from "../../kernel/catalog/check-catalog.ts";
import { openPeers } from "./peers.ts";

const folder = mkdtempSync(join(tmpdir(), "turnup-peers-"));
whenDone(() => rmSync(folder, { recursive: true, force: true }));
writeFileSync(join(folder, "games.token"), "tup_secret\n");

const ORIGIN = "https://games.example:8445";
const whole = {
  origin: ORIGIN,
  name: "Games fixture",
  apiUrl: "https://api.games.example",
  tokenFile: "games.token",
};
function opened(content: unknown) {
  const file = join(folder, "peers.json");
  writeFileSync(file, typeof content === "string" ? content : JSON.stringify(content));
  return openPeers({ peer: { file, timeoutMs: 1_000 } });
}

test("a server that is named takes requests where the file says how, and is told by its name", () => {
  const { peers, at, hasServer, close } = opened([
    { ...whole, portalUrl: "https://my.games.example/" },
    { origin: "https://plain.example", name: "Plain" },
  ]);
  assert.deepEqual(peers.of(ORIGIN), {
    name: "Games fixture",
    portalUrl: "https://my.games.example",
    takesRequests: true,
  });
  assert.deepEqual(peers.of("https://plain.example"), {
    name: "Plain",
    portalUrl: null,
    takesRequests: false,
  });
  assert.equal(peers.of("https://other.example"), undefined);
  assert.ok(at("any", ORIGIN));
  assert.equal(at("any", "https://plain.example"), undefined);
  assert.deepEqual([hasServer?.(ORIGIN), hasServer?.("https://other.example")], [true, false]);
  close();
});

for (const [what, content, fact] of [
  ["no JSON", "nothing", /it is no JSON/],
  ["an origin with a path", [{ ...whole, origin: `${ORIGIN}/d` }], /https:\/\/host:port is wanted/],
  [
    "an origin as no catalog names it",
    [{ ...whole, origin: "https://Games.example:443" }],
    /an origin alone, as https:\/\/games\.example\.$/,
  ],
  ["one that is named twice", [whole, whole], /named twice/],
  ["an address without a token", [{ ...whole, tokenFile: undefined }], /go together/],
  ["another machine without TLS", [{ ...whole, apiUrl: "http://api.games.example" }], /https URL is wanted/],
  ["a token that is not there", [{ ...whole, tokenFile: "none.token" }], /none\.token cannot be read/],
] as const) {
  test(`${what} is refused, and the token stands in no message`, () => {
    assert.throws(
      () => opened(content),
      (error: Error) => fact.test(error.message) && !error.message.includes("tup_secret"),
    );
  });
}

test("a catalog that names a server which is not among them is refused by item and server; without a file nobody knows", () => {
  const item = {
    kind: "feature",
    name: { en: "Games" },
    description: { en: "Games" },
    provisioningServer: "https://other.example",
  };
  const document = { catalog: 1, items: { games: item } };
  const around = { hasTerms: () => false, hasContent: () => false };
  const { hasServer, close } = opened([whole]);
  const checked = checkCatalogDocument(document, { ...around, hasServer });
  assert.deepEqual(checked.fits ? [] : checked.problems, [
    {
      at: "items/games/provisioningServer",
      wanted: "names https://other.example, which is no server of peer.file",
    },
  ]);
  const named = { ...document, items: { games: { ...item, provisioningServer: ORIGIN } } };
  assert.ok(checkCatalogDocument(named, { ...around, hasServer }).fits);
  assert.ok(checkCatalogDocument(document, around).fits);
  close();
});

test("what was on offer before is no reason to refuse another item", () => {
  const { hasServer, close } = opened([whole]);
  const said = { kind: "feature", name: { en: "A" }, description: { en: "A" } } as const;
  const around = { hasTerms: () => false, hasContent: () => false };
  const before = checkCatalogDocument(
    { catalog: 1, items: { old: { ...said, provisioningServer: "https://other.example" } } },
    around,
  );
  assert.ok(before.fits);
  const { items } = before.value;
  assert.ok(checkCatalogItem(said, "new", items, { ...around, hasServer }).fits);
  const foreign = { ...said, provisioningServer: "https://other.example" };
  assert.ok(!checkCatalogItem(foreign, "new", items, { ...around, hasServer }).fits);
  close();
});
