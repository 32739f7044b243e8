/**
 * The page behind a link in a real browser: an iPhone's, an Android phone's, one of which nothing is known, in two languages, two
 * sizes and both schemes. Nothing for axe to find, nothing too small for a finger, every value copied by its button and whole
 * without a script.
 */
import assert from "node:assert/strict";
import { existsSync, mkdirSync, readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type BrowserContextOptions, chromium, type Page } from "playwright-core";
import { test } from "vitest";
import { LINK_TOKEN, openFixture } from "../fixture/http.ts";
import { whenDone } from "../fixture/when-done.ts";

const CHROMIUM = ["/usr/bin/chromium", "/usr/bin/chromium-browser", "/usr/bin/google-chrome"].find(
  existsSync,
);
const TARGET_PIXELS_MIN = 44;
const CONTRAST_MIN = 4.5;
const SHOTS = join(tmpdir(), "turnup-settings-page");
const AXE = readFileSync(createRequire(import.meta.url).resolve("axe-core/axe.min.js"), "utf8");
const FAULTS = readFileSync(join(import.meta.dirname, "page-faults.js"), "utf8").replace(/^export /m, "");
const AGENTS = {
  iphone:
    "Mozilla/5.0 (iPhone; CPU iPhone OS 17_5 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/17.5 Mobile/15E148 Safari/604.1",
  android:
    "Mozilla/5.0 (Linux; Android 10; K) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/126.0.0.0 Mobile Safari/537.36",
  unknown: undefined,
} as const;
const SIZES = [
  { width: 390, height: 844 },
  { width: 1_440, height: 900 },
] as const;

test("there is a browser to test with", () => {
  assert.ok(CHROMIUM, "chromium is not installed: apt-get install chromium");
});

const { server } = await openFixture();
await server.listen({ host: "127.0.0.1", port: 0 });
whenDone(() => server.close());
const { port } = server.server.address() as { port: number };
const url = `http://127.0.0.1:${port}/s/${LINK_TOKEN}`;
const browser = await chromium.launch({
  executablePath: CHROMIUM!,
  args: process.getuid?.() === 0 ? ["--no-sandbox"] : [],
});
whenDone(() => browser.close());
mkdirSync(SHOTS, { recursive: true });

async function open(options: BrowserContextOptions): Promise<Page> {
  const context = await browser.newContext(options);
  whenDone(() => context.close());
  return await context.newPage();
}

/** axe brings its own script, which the page's policy would not let in: the browser runs it beside the page. */
async function look(page: Page, name: string): Promise<void> {
  await page.screenshot({ path: join(SHOTS, `${name}.png`), fullPage: true });
  const faults = await page.evaluate(
    `(() => { ${FAULTS}; return pageFaults(${TARGET_PIXELS_MIN}, ${CONTRAST_MIN}); })()`,
  );
  assert.deepEqual(faults, [], name);
  await page.evaluate(AXE);
  const violations = await page.evaluate(
    "axe.run().then(({ violations }) => violations.map(({ id, nodes }) => id + ': ' + nodes.map(({ html }) => html).join(' ')))",
  );
  assert.deepEqual(violations, [], name);
}

for (const [phone, userAgent] of Object.entries(AGENTS)) {
  for (const viewport of SIZES) {
    for (const colorScheme of ["light", "dark"] as const) {
      const locale = colorScheme === "light" ? "en-GB" : "de-DE";
      const name = `${phone}-${viewport.width}-${colorScheme}`;
      test(`cover and settings for ${phone} at ${viewport.width} pixels, ${colorScheme}, ${locale}`, async () => {
        const page = await open({ viewport, colorScheme, locale, ...(userAgent ? { userAgent } : {}) });
        const refused: string[] = [];
        page.on("console", (message) => {
          if (/content security/i.test(message.text())) refused.push(message.text());
        });
        await page.goto(url);
        await look(page, `${name}-cover`);
        await page.getByRole("button").click();
        await page.waitForSelector("code");
        await look(page, `${name}-settings`);
        assert.deepEqual(refused, []);
      });
    }
  }
}

test("a button copies its value and says so; without a script the page has every value and no dead button", async () => {
  const page = await open({ locale: "en-GB", permissions: ["clipboard-read", "clipboard-write"] });
  await page.goto(url);
  await page.getByRole("button").click();
  const button = page.getByRole("button", { name: "Copy: MMSC" });
  await button.click();
  await page.getByText("Copied: MMSC").waitFor({ state: "attached" });
  assert.equal(
    await page.evaluate("navigator.clipboard.readText()"),
    "http://mms.telco.example/servlets/mms",
  );

  const plain = await open({ locale: "en-GB", javaScriptEnabled: false });
  await plain.goto(url);
  await plain.getByRole("button").click();
  assert.equal(await plain.getByRole("button").count(), 0);
  const text = await plain.locator("main").innerText();
  for (const value of ["internet.telco", "mms.telco", "10.0.0.1"]) assert.ok(text.includes(value), value);
});
