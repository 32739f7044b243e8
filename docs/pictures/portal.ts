/**
 * Draws portal.png: three screens of the subscriber's portal side by side, as a phone's browser shows them. Needs chromium
 * and a running `npm start`, whose URL it is given.
 *   node --import tsx docs/pictures/portal.ts http://127.0.0.1:8080
 */
import { join } from "node:path";
import { chromium } from "playwright-core";

const SCREENS = ["/d/start", "/d/list/feature", "/d/items/ring-back"] as const;
const SIZE = { width: 390, height: 600 } as const;
const GAP = 12;

const [url = "http://127.0.0.1:8080"] = process.argv.slice(2);
const browser = await chromium.launch({ executablePath: "/usr/bin/chromium", args: ["--no-sandbox"] });
try {
  const page = await browser.newPage({ viewport: SIZE });
  const shots: string[] = [];
  for (const path of SCREENS) {
    await page.goto(new URL(path, url).href);
    shots.push((await page.screenshot()).toString("base64"));
  }
  // The portal's own page lets no picture in.
  const width = SCREENS.length * (SIZE.width + GAP) - GAP;
  const sheet = await browser.newPage({ viewport: { width, height: SIZE.height } });
  const images = shots.map((shot) => `<img src="data:image/png;base64,${shot}">`).join("");
  await sheet.setContent(
    `<body style="margin:0;background:#8b93a1;display:flex;gap:${GAP}px">${images}</body>`,
  );
  await sheet.screenshot({ path: join(import.meta.dirname, "portal.png") });
} finally {
  await browser.close();
}
