/** The console's pages: the same page for every address, nothing in it that runs, its parts kept for a year. */
import assert from "node:assert/strict";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "vitest";
import { openFixture } from "../../../test/fixture/http.ts";
import { whenDone } from "../../../test/fixture/when-done.ts";

const PAGE =
  '<!doctype html><html lang="en" data-theme="auto"><base href="{base}"><meta name="style-nonce" content="{nonce}">' +
  '<script type="module" src="./assets/index-aB3_-x9Z.js"></script></html>';
const folder = mkdtempSync(join(tmpdir(), "turnup-console-"));
whenDone(() => rmSync(folder, { recursive: true, force: true }));
mkdirSync(join(folder, "assets"));
writeFileSync(join(folder, "index.html"), PAGE);
writeFileSync(join(folder, "assets", "index-aB3_-x9Z.js"), "export {};");
writeFileSync(join(folder, "secret.txt"), "outside of assets");
const { server } = await openFixture({ consoleFolder: folder });
whenDone(() => server.close());

test("every address of the console gives the page, whose own addresses are relative: any prefix in front may be taken away", async () => {
  for (const [url, base] of [
    ["/console/", "./"],
    ["/console/orders?state=failed", "./"],
    ["/console/orders/01981f2e", "../"],
    ["/console/money/accounts/1", "../../"],
  ] as const) {
    const { statusCode, body, headers } = await server.inject({ url });
    assert.equal(statusCode, 200);
    assert.match(body, new RegExp(`<base href="${base.replaceAll(".", "\\.")}">`), url);
    assert.match(String(headers["content-type"]), /^text\/html/);
    assert.equal(headers["cache-control"], "no-store");
  }
  const { statusCode, headers } = await server.inject({ url: "/console" });
  assert.deepEqual([statusCode, headers.location], [308, "console/"]);
});

test("the page's policy lets nothing run and no style in but its own, by a nonce that is new each time", async () => {
  const policies = await Promise.all(
    [1, 2].map(async () => {
      const { headers, body } = await server.inject({ url: "/console/" });
      const policy = String(headers["content-security-policy"]);
      const [, nonce = ""] = /'nonce-([\w-]{24})'/.exec(policy) ?? [];
      assert.ok(body.includes(`content="${nonce}"`));
      return policy;
    }),
  );
  assert.notEqual(policies[0], policies[1]);
  for (const policy of policies) {
    assert.match(policy, /^default-src 'none'; script-src 'self'; style-src 'self' 'nonce-/);
    assert.ok(!policy.includes("unsafe"));
    assert.match(policy, /frame-ancestors 'none'/);
  }
});

test("the parts are kept for a year, since their names change with what they hold; nothing else of the folder is given", async () => {
  const { headers, body } = await server.inject({ url: "/console/assets/index-aB3_-x9Z.js" });
  assert.equal(body, "export {};");
  assert.equal(headers["cache-control"], "public, max-age=31536000, immutable");
  assert.match(String(headers["content-type"]), /^text\/javascript/);
  for (const name of [
    "missing-12345678.js",
    "..%2Fsecret.txt",
    "%2e%2e%2findex.html",
    "index-aB3_-x9Z.js%00.css",
  ]) {
    const answer = await server.inject({ url: `/console/assets/${name}` });
    assert.ok(answer.statusCode === 404 || answer.statusCode === 400, name);
    assert.ok(!answer.body.includes("outside of assets"));
  }
});

test("language and theme stand in the page as the browser's cookies and headers say, and nothing else of them", async () => {
  const page = async (headers: Record<string, string>) =>
    (await server.inject({ url: "/console/", headers })).body;
  assert.match(await page({ "accept-language": "de-AT,de;q=0.9,en;q=0.5" }), /lang="de"/);
  assert.match(await page({ "accept-language": "fr" }), /lang="en"/);
  assert.match(await page({ "accept-language": "de", cookie: "turnup_language=en" }), /lang="en"/);
  assert.match(
    await page({ cookie: "turnup_theme=dark" }),
    /data-theme="dark" data-mantine-color-scheme="dark"/,
  );
  const smuggled = await page({ cookie: 'turnup_theme="><script>; turnup_language="><script>' });
  assert.match(smuggled, /lang="en" data-theme="auto"/);
  assert.ok(!smuggled.includes("<script>"));
});

test("before the console is built its address says so, and asks again by itself", async () => {
  const fresh = await openFixture({ consoleFolder: join(folder, "not-there") });
  const { statusCode, body, headers } = await fresh.server.inject({ url: "/console/" });
  assert.equal(statusCode, 503);
  assert.match(body, /not built yet/);
  assert.ok(Number(headers.refresh) > 0);
  await fresh.server.close();
});
