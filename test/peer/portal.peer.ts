/**
 * The whole journey of a subscriber in a real browser, without a script, on a small phone and a large one: choose, give
 * data, confirm, agree to the terms, see how it stands, done. Needs `chromium`, which `.ci/run` installs.
 */
import assert from "node:assert/strict";
import { existsSync, mkdirSync, readFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type Browser, chromium, type Page } from "playwright-core";
import { test } from "vitest";
import type { CatalogItem } from "../../src/kernel/catalog/catalog-item.ts";
import { openFixture } from "../fixture/http.ts";
import { portalOver } from "../fixture/portal.ts";
import { requestShop } from "../fixture/request-shop.ts";
import { whenDone } from "../fixture/when-done.ts";

const CHROMIUM = ["/usr/bin/chromium", "/usr/bin/chromium-browser", "/usr/bin/google-chrome"].find(
  existsSync,
);
/** A finger's width: what can be touched is no smaller. */
const TARGET_PIXELS_MIN = 44;
const CONTRAST_MIN = 4.5;
const SHOTS = join(tmpdir(), "turnup-portal");
const SIZES = [
  { width: 240, height: 320 },
  { width: 390, height: 844 },
] as const;
const SCHEMES = ["light", "dark"] as const;
const TERMS =
  "The service is billed at the price shown and can be ended at any time.\nYour mail is kept 30 days on our server. Your name and number are given to the mail service.\nIt ends with your contract.";

const ITEMS: readonly (Partial<CatalogItem> & { readonly id: string })[] = [
  {
    id: "business",
    kind: "package",
    name: { en: "Business package", de: "Geschäftspaket" },
    description: { en: "Mail with its program, company directory and call forwarding" },
    price: { onceMinor: 0, monthlyMinor: 990, currency: "EUR" },
    includes: ["mail", "forwarding"],
    terms: "mail-terms",
    requires: { assurance: "otp", verification: false, card: false },
  },
  {
    id: "mail",
    kind: "feature",
    name: { en: "Mail", de: "E-Mail" },
    description: { en: "Your mail on your device, wherever you are" },
    requires: { assurance: "otp", verification: false, card: true },
  },
  {
    id: "forwarding",
    kind: "feature",
    name: { en: "Call forwarding", de: "Rufumleitung" },
    description: { en: "Sends your calls to another number" },
    requires: { assurance: "otp", verification: false, card: false },
  },
];

test("there is a browser to test with", () => {
  assert.ok(CHROMIUM, "chromium is not installed: apt-get install chromium");
});

const shop = await requestShop();
const browser: Browser = await chromium.launch({
  executablePath: CHROMIUM!,
  args: process.getuid?.() === 0 ? ["--no-sandbox"] : [],
});
whenDone(() => browser.close());
mkdirSync(SHOTS, { recursive: true });

async function town(name: string) {
  const fixture = await shop.fixture(name, ITEMS, {
    policy: {
      minimumAssurance: "otp",
      userFields: ["givenName", "familyName", "birthdate", "email", "country"],
    },
  });
  await shop.catalog.putTerms(
    fixture.operatorId,
    "mail-terms",
    { en: TERMS },
    { expected: () => true, actor: "test" },
  );
  await shop.see(fixture.operatorId, { imsi: fixture.imsi, imei: fixture.imei, msisdn: fixture.msisdn });
  const portal = portalOver(shop, fixture);
  const { server } = await openFixture({ portal: portal.portal });
  await server.listen({ host: "127.0.0.1", port: 0 });
  whenDone(() => server.close());
  const { port } = server.server.address() as { port: number };
  return { fixture, portal, origin: `http://127.0.0.1:${port}` };
}

/** The page itself runs no script; what is measured runs beside it. */
const MEASURE = readFileSync(join(import.meta.dirname, "page-faults.js"), "utf8").replace(/^export /m, "");
const faultsOf = (page: Page): Promise<readonly string[]> =>
  page.evaluate(`(() => { ${MEASURE}; return pageFaults(${TARGET_PIXELS_MIN}, ${CONTRAST_MIN}); })()`);

for (const size of SIZES) {
  for (const scheme of SCHEMES) {
    const name = `${size.width}-${scheme}`;
    test(`choose, account, confirm, terms, status, done at ${size.width} by ${size.height}, ${scheme}`, async () => {
      const { fixture, portal, origin } = await town(`browser ${name}`);
      const context = await browser.newContext({
        viewport: size,
        colorScheme: scheme,
        javaScriptEnabled: false,
        locale: "en-GB",
      });
      whenDone(() => context.close());
      const page = await context.newPage();
      const refused: string[] = [];
      page.on("console", (message) => {
        if (/content security/i.test(message.text())) refused.push(message.text());
      });
      let shots = 0;
      const look = async (step: string): Promise<void> => {
        await page.screenshot({ path: join(SHOTS, `${name}-${++shots}-${step}.png`), fullPage: true });
        assert.deepEqual(await faultsOf(page), [], step);
      };
      const follow = (text: string): Promise<void> => page.getByRole("link", { name: text }).first().click();
      const press = (text: string): Promise<void> => page.getByRole("button", { name: text }).click();

      await page.goto(`${origin}/d/start`);
      await look("start");
      await follow("Packages");
      await look("packages");
      await follow("Business package");
      await look("package");
      await follow("Order");
      await look("sign-in-first");
      await follow("Sign in");
      await look("sign-in");
      await page.getByLabel("Phone number").fill(`+${fixture.msisdn}`);
      await press("Send");
      await look("code");
      await portal.portal.idle();
      await page.getByLabel("Code").fill(/\b\d{6}\b/.exec(portal.sent.at(-1)!.text)![0]);
      await press("Send");
      await look("package-again");
      await page.getByLabel("First name").fill("Ada");
      await page.getByLabel("Last name").fill("Lovelace");
      await page.getByLabel("Date of birth").fill("1980-12-31");
      await page.getByLabel("E-mail").fill("ada@example.org");
      await page.getByLabel("Country").fill("GB");
      await page.getByLabel("Card number").fill("4111 1111 1111 1112");
      await page.getByLabel("Valid to").fill("0429");
      await press("Order");
      await look("wrong-card");
      assert.equal(await page.getByRole("alert").count(), 1);
      assert.equal(await page.getByLabel("First name").inputValue(), "Ada");
      await page.getByLabel("Card number").fill("4111 1111 1111 1111");
      await page.getByLabel("Valid to").fill("0429");
      await press("Order");
      await look("status");
      await fixture.calls();
      await page.reload();
      await look("status-with-terms");
      await follow("Terms");
      await look("terms");
      assert.ok((await page.locator("main").innerText()).includes("Your mail is kept 30 days"));
      await press("I agree");
      await fixture.calls();
      await page.reload();
      await look("done");
      const done = await page.locator("main").innerText();
      assert.match(done, /You have now: .*Mail/);
      await follow("Start");
      await follow("What I have");
      await look("mine");
      await follow("Help");
      await look("help");
      await follow("PIN for the telephone");
      await look("pin");
      await page.getByLabel("New PIN", { exact: true }).fill("2580");
      await page.getByLabel("New PIN once more").fill("2581");
      await press("Send");
      await look("pin-wrong");
      await page.getByLabel("New PIN", { exact: true }).fill("2580");
      await page.getByLabel("New PIN once more").fill("2580");
      await press("Send");
      await look("pin-kept");
      assert.deepEqual(refused, []);
    });
  }
}
