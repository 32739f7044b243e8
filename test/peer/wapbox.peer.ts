/**
 * Phones of 2000 behind Kannel's WAP gateway (Debian: kannel): forty pages by links, forms and faults, each compiled by the gateway
 * or by us, each within what such phones hold, and each shown as a page, refusals too. Fails, and never skips, without it.
 */
import assert from "node:assert/strict";
import { test } from "vitest";
import { createBrowserPhone } from "../../src/sim/phone/browser.ts";
import { WML_DECK_OCTETS_MAX } from "../../src/wire/screen/wml.ts";
import { readWml, wmlText } from "../../src/wire/wml/deck.ts";
import { decodeWmlc } from "../../src/wire/wml/decode.ts";
import { storyParties } from "../fixture/story-parties.ts";
import { SAID } from "../fixture/story-steps.ts";
import { whenDone } from "../fixture/when-done.ts";
import { askByWsp, MSISDN_HEADER, startWapGateway, type WspAnswer, wspModem } from "./wap-gateway.ts";

const PHONE = { deviceId: "356938035643809", imsi: "001019800000007", msisdn: "882109800007" } as const;
const USER_AGENT = "Nokia7110/1.0 (05.01)";
const PAGES = 40;

const gateway = await startWapGateway();
whenDone(() => gateway.close());
const fixture = await storyParties({
  orders: { doneAt: "delivered" },
  proxy: {
    gatewayDoor: { host: "127.0.0.1", port: 0 },
    gateways: [
      {
        name: "kannel",
        addresses: ["127.0.0.1"],
        bearer: "gsm",
        msisdnHeader: MSISDN_HEADER,
        imsiHeader: null,
        deviceIdHeader: null,
      },
    ],
  },
});
await fixture.road.proxy().keepAccounts([PHONE]);
const origin = (): string => fixture.road.proxy().gatewayUrl ?? assert.fail("no door for gateways");
const start = (): string => `/r/${encodeURIComponent(new URL(fixture.server.road.land!.url).host)}/d/start`;

const seen: WspAnswer[] = [];
/** A deck, by whichever of the two ways; compiled it is within what phones hold. */
function deckOf({ contentType, body, status }: WspAnswer): string {
  assert.equal(status, 200, "to a gateway a page is a page");
  if (contentType === "application/vnd.wap.wmlc") {
    assert.ok(body.length <= WML_DECK_OCTETS_MAX, `${body.length} octets`);
    return wmlText(decodeWmlc(body));
  }
  assert.equal(contentType, "text/vnd.wap.wml");
  return wmlText(readWml(body));
}

test("a phone walks forty pages and a form through the gateway, known by the line that the gateway vouches for", async () => {
  await gateway.attach(PHONE.msisdn);
  const modem = await wspModem(origin(), USER_AGENT, (answer) => seen.push(answer));
  whenDone(() => modem.close());
  const browser = createBrowserPhone({
    url: `${modem.url}${start()}`,
    markup: "wmlc",
    deviceClass: "phone",
    userAgent: USER_AGENT,
    seed: 1,
  });
  whenDone(() => browser.close());
  for (let round = 0; seen.length < PAGES; round++) {
    assert.ok(round < PAGES, "the walk goes nowhere");
    await browser.open();
    await browser.walk([
      { await: "Meridian" },
      { choose: "Features" },
      { await: "Features" },
      { choose: "Picture" },
      { await: "Picture messages" },
    ]);
  }
  await browser.walk([
    { choose: "Order" },
    { await: "Your details" },
    { fill: SAID },
    { submit: true },
    { await: /^Request / },
  ]);
  for (const answer of seen) deckOf(answer);
  const { rows } = await fixture.get(`/v1/orders?imsi=${PHONE.imsi}&limit=1`);
  assert.equal(rows.length, 1, "what was ordered on the phone is an order of its line");
});

const askAt = (path: string, method: "GET" | "POST" = "GET", body?: string): Promise<WspAnswer> =>
  askByWsp({
    method,
    url: `${origin()}${path}`,
    headers: { Accept: "application/vnd.wap.wmlc", "User-Agent": USER_AGENT },
    ...(body === undefined ? {} : { body }),
  });

test("what goes wrong reaches the phone as a page that says so, not as the gateway's own error", async () => {
  await gateway.attach(PHONE.msisdn);
  assert.match(deckOf(await askAt("/nowhere")), /Nothing here/);
  assert.match(deckOf(await askAt("/p/nothing-kept")), /Not there any more/);
  assert.match(deckOf(await askAt(start().replace("start", "orders/AAAAAAAA"))), /<card/);
  assert.match(deckOf(await askAt("/r/other.example%3A8443/d/start")), /Not possible/);
  await gateway.attach("882109800099");
  assert.match(deckOf(await askAt(start())), /Not possible/, "a line without an account");
});
