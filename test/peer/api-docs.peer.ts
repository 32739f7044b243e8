/**
 * The description of the API as others read it: Redocly's linter finds nothing in it, and a browser shows it to whoever has a token,
 * and to nobody else.
 */
import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { existsSync, mkdtempSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { promisify } from "node:util";
import { chromium } from "playwright-core";
import { test } from "vitest";
import { apiDocsFolder } from "../../src/app/server/api-docs.ts";
import { OPERATOR_A, openFixture, tokenFor } from "../fixture/http.ts";
import { whenDone } from "../fixture/when-done.ts";

const CHROMIUM = ["/usr/bin/chromium", "/usr/bin/chromium-browser", "/usr/bin/google-chrome"].find(
  existsSync,
);
const folder = mkdtempSync(join(tmpdir(), "turnup-api-docs-"));
const TOKEN = tokenFor(OPERATOR_A, "admin");
const { server } = await openFixture({ docsFolder: apiDocsFolder() });
await server.listen({ host: "127.0.0.1", port: 0 });
whenDone(() => server.close());
const { port } = server.server.address() as { port: number };

test("Redocly's linter finds neither an error nor a warning in the description", async () => {
  const answer = await server.inject({ url: "/openapi.json", headers: { authorization: `Bearer ${TOKEN}` } });
  writeFileSync(join(folder, "openapi.json"), answer.body);
  const redocly = join(
    dirname(createRequire(import.meta.url).resolve("@redocly/cli/package.json")),
    "bin/cli.js",
  );
  const lint = promisify(execFile)(
    process.execPath,
    [redocly, "lint", "openapi.json", "--format=json", "--extends=recommended"],
    {
      cwd: folder,
      env: { ...process.env, REDOCLY_TELEMETRY: "off", REDOCLY_SUPPRESS_UPDATE_NOTICE: "true" },
    },
  );
  const { stdout } = await lint.catch((failed: { stdout: string }) => failed); // it ends with 1 when it finds an error
  const { totals, problems } = JSON.parse(stdout) as { totals: object; problems: unknown[] };
  assert.deepEqual(
    totals,
    { errors: 0, warnings: 0, ignored: 0 },
    JSON.stringify(problems, null, 1).slice(0, 4_000),
  );
});

test("the description is browsed at /docs with a token: nothing is shown without, and its page keeps its own policy", async () => {
  assert.ok(CHROMIUM, "chromium is not installed: apt-get install chromium");
  const browser = await chromium.launch({
    executablePath: CHROMIUM,
    args: process.getuid?.() === 0 ? ["--no-sandbox"] : [],
  });
  whenDone(() => browser.close());
  const page = await (await browser.newContext({ viewport: { width: 1_440, height: 900 } })).newPage();
  const faults: string[] = [];
  page.on("pageerror", (error) => faults.push(error.message));
  page.on("console", (message) => {
    if (message.type() === "error" && !message.text().includes("401")) faults.push(message.text());
  });
  await page.goto(`http://127.0.0.1:${port}/docs`);
  const field = page.getByLabel("Token");
  await field.waitFor();
  assert.equal(await page.getByText("/v1/orders").count(), 0, "nothing of the API without a token");

  await field.fill(`tup_${"x".repeat(43)}`);
  await page.getByRole("button", { name: "Show the API" }).click();
  await page.getByRole("status").filter({ hasText: "Token unknown" }).waitFor();

  await field.fill(TOKEN);
  await page.getByRole("button", { name: "Show the API" }).click();
  await page.locator('[data-path="/v1/orders/{id}/resend"]').click();
  await page.getByText("order_not_found").first().waitFor();
  await page.screenshot({ path: join(folder, "docs.png") });
  assert.deepEqual(faults, []);
});
