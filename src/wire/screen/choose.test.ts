/** A device gets a markup that it can draw and did not refuse, or none (406). Headers are of real devices. */
import assert from "node:assert/strict";
import fc from "fast-check";
import { test } from "vitest";
import { SEED } from "../../../test/fixture/seed.ts";
import { account, SCREENS } from "../../../test/vector/screens.ts";
import {
  chooseMarkup,
  type DeviceCapabilities,
  MARKUP_TYPE,
  MARKUPS,
  type Markup,
  type MarkupRequest,
} from "./choose.ts";
import { renderScreen } from "./render.ts";
import { speaks } from "./vxml.ts";

const phone = (...markups: string[]): DeviceCapabilities => ({ markups });

const CASES: readonly (readonly [name: string, request: MarkupRequest, markup: Markup | undefined])[] = [
  [
    "a browser of today",
    {
      accept: "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8",
      userAgent: "Mozilla/5.0 (Linux; Android 14)",
    },
    "html",
  ],
  [
    "a Nokia 7110, which names WML and a catch-all",
    {
      accept: "text/vnd.wap.wml, text/vnd.wap.wmlscript, image/vnd.wap.wbmp, */*",
      userAgent: "Nokia7110/1.0 (05.01)",
    },
    "wml",
  ],
  [
    "a phone of 2004 with WML and XHTML-MP",
    { accept: "text/vnd.wap.wml, application/vnd.wap.xhtml+xml, */*" },
    "xhtmlmp",
  ],
  ["HTML and WML of equal weight", { accept: "text/vnd.wap.wml, text/html" }, "html"],
  ["WML preferred by weight", { accept: "text/html;q=0.5, text/vnd.wap.wml" }, "wml"],
  ["compiled WML alone, without a gateway", { accept: "application/vnd.wap.wmlc" }, "wmlc"],
  ["an i-mode phone", { accept: "*/*", userAgent: "DoCoMo/2.0 N905i(c100;TB;W24H16)" }, "chtml"],
  ["an i-mode phone that names HTML", { accept: "text/html", userAgent: "DoCoMo/1.0/D503i" }, "chtml"],
  ["UP.Browser 3", { accept: "text/x-hdml, */*", userAgent: "ALAV UP.Browser/3.2.01-UP.Link/3.2" }, "hdml"],
  ["a voice platform", { accept: "application/voicexml+xml, */*;q=0.1", userAgent: "OpenVXI/3.0" }, "vxml"],
  [
    "our own client",
    { accept: "application/vnd.turnup.screen+json", device: phone("screen+json") },
    "screen+json",
  ],
  ["nothing said, nothing known", {}, "html"],
  ["a catch-all from a phone that is known for WML", { accept: "*/*", device: phone("wml") }, "wml"],
  ["no header from a phone that is known for HDML", { device: phone("hdml") }, "hdml"],
  [
    "HTML asked for a phone that is known for WML alone",
    { accept: "text/html", device: phone("wml") },
    undefined,
  ],
  ["what nobody draws", { accept: "image/png" }, undefined],
  ["everything refused", { accept: "*/*;q=0" }, undefined],
  ["HTML refused by name behind a catch-all", { accept: "text/html;q=0, */*" }, undefined],
  [
    "HTML refused by name, a device known for two",
    { accept: "text/html;q=0, */*", device: phone("html", "wml") },
    "wml",
  ],
  ["a family", { accept: "text/*", device: phone("wml") }, "wml"],
  ["a device known for compact HTML", { accept: "text/html", device: phone("chtml") }, "chtml"],
  ["a device of markups that we know none of", { accept: "*/*", device: phone("flash") }, undefined],
  ["a header that is no header", { accept: ";;;q=x, /, text/html;q=2" }, undefined],
  ["case and spaces", { accept: " TEXT/HTML ; Q = 0.4 , text/vnd.wap.wml;q=0.3" }, "html"],
];
for (const [name, request, markup] of CASES) {
  test(`choosing: ${name} gets ${markup ?? "406"}`, () => assert.equal(chooseMarkup(request), markup));
}

/** Names of real devices, by the markup of their family: what counts where a phone names no type, or all of them. */
const FAMILIES: readonly (readonly [userAgent: string, markup: Markup])[] = [
  ["Nokia7110/1.0 (05.01)", "wml"],
  ["Nokia6210/1.0 (05.27)", "wml"],
  ["Nokia6310i/1.0 (4.10) Profile/MIDP-1.0 Configuration/CLDC-1.0", "wml"],
  ["Nokia3410/1.0 (4.18) Profile/MIDP-1.0 Configuration/CLDC-1.0", "wml"],
  ["Nokia6230i/2.0 (03.40) Profile/MIDP-2.0 Configuration/CLDC-1.1", "xhtmlmp"],
  ["Nokia3510i/1.0 (04.44) Profile/MIDP-1.0 Configuration/CLDC-1.0", "xhtmlmp"],
  ["Mozilla/5.0 (SymbianOS/9.1; U; en-us) AppleWebKit/413 (KHTML, like Gecko) Safari/413", "html"],
  ["EricssonR320/R1A", "wml"],
  ["EricssonT68/R101", "wml"],
  ["SonyEricssonT610/R201 Profile/MIDP-1.0 Configuration/CLDC-1.0", "xhtmlmp"],
  ["SonyEricssonK750i/R1J Browser/SEMC-Browser/4.2 Profile/MIDP-2.0", "xhtmlmp"],
  ["SIE-C35/1.0 UP/4.1.8c", "wml"],
  ["SIE-S35/3.0 UP/4.1.8c", "wml"],
  ["SIE-S45/00 UP.Browser/5.0.1.1.102 (GUI)", "wml"],
  ["SIE-S65/12 UP.Browser/7.0.0.1.181 (GUI) MMP/2.0 Profile/MIDP-2.0", "xhtmlmp"],
  ["SIE-SX1/1.0 SymbianOS/6.1 Series60/1.2 Profile/MIDP-1.0", "xhtmlmp"],
  ["MOT-V66/00.62 UP.Browser/4.1.27a1", "wml"],
  ["MOT-V3i/08.B4.34R MIB/2.2.1 Profile/MIDP-2.0 Configuration/CLDC-1.1", "xhtmlmp"],
  ["SAMSUNG-SGH-A400/1.0 UP/4.1.19k", "wml"],
  [
    "SAMSUNG-SGH-E250/1.0 Profile/MIDP-2.0 Configuration/CLDC-1.1 UP.Browser/6.2.3.3.c.1.101 (GUI)",
    "xhtmlmp",
  ],
  ["SEC-SGHE700", "xhtmlmp"],
  ["WinWAP 3.0 PRO", "wml"],
  ["WinWAP-PRO/3.1 (3.1.5.190; Win)", "wml"],
  ["WinWAP/4.2 (4.2.0.99; Win)", "xhtmlmp"],
  ["LG-KE970/v1.0 Obigo/WAP2.0 Profile/MIDP-2.0", "xhtmlmp"],
  ["Panasonic-X70/R01-Obigo Q05", "xhtmlmp"],
  ["Alcatel-BE5/1.0 UP.Browser/4.1.23a", "wml"],
  ["Alcatel-OT-708/1.0 Profile/MIDP-2.0 Configuration/CLDC-1.1 ObigoInternetBrowser/Q03C", "xhtmlmp"],
  ["ALAV UP.Browser/3.2.01-UP.Link/3.2", "hdml"],
  ["portalmmm/2.0 N400i(c20;TB)", "chtml"],
  ["Opera/9.80 (J2ME/MIDP; Opera Mini/9.80; U; en) Presto/2.5.25", "html"],
  ["Mozilla/5.0 (iPhone; CPU iPhone OS 17_0 like Mac OS X) AppleWebKit/605.1.15", "html"],
  ["Mozilla/5.0 (Linux; Android 4.0.4; GT-I9100) AppleWebKit/534.30", "html"],
  ["curl/8.5.0", "html"],
  ["", "html"],
  // As makers and operators listed them between 1999 and 2010.
  ["Nokia7650/1.0 SymbianOS/6.1 Series60/0.9 Profile/MIDP-1.0 Configuration/CLDC-1.0", "wml"],
  ["Nokia-WAP-Toolkit/2.1", "wml"],
  ["Nokia3650/1.0 SymbianOS/6.1 Series60/1.2 Profile/MIDP-1.0 Configuration/CLDC-1.0", "xhtmlmp"],
  ["NokiaN-Gage/1.0 SymbianOS/6.1 Series60/0.9 Profile/MIDP-1.0 Configuration/CLDC-1.0", "xhtmlmp"],
  ["NokiaN70-1/5.0609.2.0.1 Series60/2.8 Profile/MIDP-2.0 Configuration/CLDC-1.1", "xhtmlmp"],
  [
    "Mozilla/5.0 (SymbianOS/9.2; U; Series60/3.1 NokiaN95/11.0.026; Profile MIDP-2.0 Configuration/CLDC-1.1) AppleWebKit/413 (KHTML, like Gecko) Safari/413",
    "html",
  ],
  ["Mozilla/4.1 (compatible; MSIE 5.0; Symbian OS; Nokia 6600;452) Opera 6.20  [en-US]", "html"],
  ["R380 2.1 WAP1.1", "wml"],
  ["MC218 2.0 WAP1.1", "wml"],
  ["EricssonT68/R201A", "wml"],
  ["SonyEricssonT100/R101", "wml"],
  ["SonyEricssonT610/R201 Profile/MIDP-1.0 Configuration/CLDC-1.0", "xhtmlmp"],
  ["SonyEricssonK750i/R1CA Browser/SEMC-Browser/4.2 Profile/MIDP-2.0 Configuration/CLDC-1.1", "xhtmlmp"],
  ["SIE-ME45/05 UP/5.0.2.2 (GUI)", "wml"],
  ["SIE-C55/16 UP.Browser/5.0.3.3.1.e.4 (GUI)", "wml"],
  ["SIE-S55/10 UP.Browser/6.1.0.5.c.6 (GUI) MMP/1.0", "xhtmlmp"],
  ["SAMSUNG-SGH-A300/1.0 UP/4.1.19k", "wml"],
  ["SEC-SGHE700/BSI UP.Browser/6.1.0.6 (GUI) MMP/1.0", "xhtmlmp"],
  [
    "SAMSUNG-SGH-D900/1.0 Profile/MIDP-2.0 Configuration/CLDC-1.1 UP.Browser/6.2.3.3.c.1.101 (GUI) MMP/2.0",
    "xhtmlmp",
  ],
  ["LG-G5200 AU/4.10", "wml"],
  ["LGE510W-V137-AU4.2", "wml"],
  ["LG-G5300 AU/MIDP-1.0", "wml"],
  ["LG/U8138/v1.0", "xhtmlmp"],
  ["LG-KG800/V10e Obigo/WAP2.0 MIDP-2.0/CLDC-1.1", "xhtmlmp"],
  ["MOT-V66/08.00.05R MIB/1.2", "wml"],
  ["MOT-C350M/AB_G_0B.09.72R MIB/2.0", "xhtmlmp"],
  ["MOT-RAZRV3x/85.97.27P MIB/BER2.2 Profile/MIDP-2.0 Configuration/CLDC-1.1", "xhtmlmp"],
  ["BlackBerry957/2.5.0", "wml"],
  ["BlackBerry5820/3.2.1", "wml"],
  ["BlackBerry7230/3.7.1", "xhtmlmp"],
  ["BlackBerry8100/4.2.0 Profile/MIDP-2.0 Configuration/CLDC-1.1 VendorID/100", "xhtmlmp"],
  [
    "Mozilla/5.0 (BlackBerry; U; BlackBerry 9800; en) AppleWebKit/534.1+ (KHTML, like Gecko) Version/6.0.0.246",
    "html",
  ],
  ["Opera/9.60 (J2ME/MIDP; Opera Mini/4.2.13337/504; U; en) Presto/2.2.0", "html"],
  ["WinWAP-PRO/3.1 (3.1.5.31) UP.Link/5.1.2.6", "wml"],
  ["jBrowser/J2ME Profile/MIDP-1.0 Configuration/CLDC-1.0", "xhtmlmp"],
  ["JataayuWAPBrowser/1.0", "xhtmlmp"],
  ["MAUI WAP Browser", "xhtmlmp"],
  ["MAUI_WAP_Browser", "xhtmlmp"],
  ["Alcatel-OT535/1.0 ObigoInternetBrowser/Q03C", "xhtmlmp"],
  ["Alcatel-BF5/1.0 UP.Browser/5.0.2", "wml"],
  ["PHILIPS-Xenium9@9/2.1 UP/4.1.16r", "wml"],
  ["PHILIPS-FISIO 820/1.09", "wml"],
  ["Mitsu/1.1.A (Trium Mars)", "wml"],
  ["Panasonic-GAD35/1.1/WAP1.1", "wml"],
  ["Panasonic-GAD87/A19", "xhtmlmp"],
  ["SHARP-TQ-GX10/0.9 UP.Browser/6.1.0.2.135 (GUI) MMP/1.0", "xhtmlmp"],
  ["SAGEM-3XXX/1.0 UP/4.1.19i", "wml"],
  ["SoftBank/1.0/910T/TJ001/SN123 Browser/NetFront/3.3", "xhtmlmp"],
  ["Mozilla/4.0 (PDA; PalmOS/sony/model luke/Revision:2.0.22) NetFront/3.0", "xhtmlmp"],
  ["portalmmm/2.0 N21i(c20;TB)", "chtml"],
  ["UP.Browser/3.04-SC03 UP.Link/3.2.3.4", "hdml"],
  ["4thpass.com KBrowser 1.0", "wml"],
  ["EPOC32-WTL/2.2 Crypto/2 STNC-WTL/6(611)", "wml"],
  ["CECT-A1000/1.0 Release/2006 Profile/MIDP-2.0", "xhtmlmp"],
  ["Unheard-Of X1/1.0 Profile/MIDP-2.0 Configuration/CLDC-1.1", "xhtmlmp"],
  ["HTC-ST7377/1.59.502.3 (67150) Opera/9.50 (Windows NT 5.1; U; en)", "html"],
  ["Mozilla/4.0 (compatible; MSIE 4.01; Windows CE; Smartphone; 176x220)", "html"],
];
for (const [userAgent, markup] of FAMILIES)
  test(`by its name alone: "${userAgent.slice(0, 40)}" gets ${markup}`, () => {
    assert.equal(chooseMarkup({ userAgent }), markup);
    assert.equal(chooseMarkup({ userAgent, accept: "*/*" }), markup);
    assert.equal(chooseMarkup({ userAgent, accept: "" }), markup);
    assert.equal(
      chooseMarkup({ userAgent, accept: "text/vnd.wap.wml" }),
      "wml",
      "what it names counts before its name",
    );
  });

test(`no name takes long to read (seed ${SEED})`, () => {
  fc.assert(
    fc.property(fc.string({ maxLength: 2_000 }), (userAgent) => {
      assert.ok(chooseMarkup({ userAgent }));
    }),
    { seed: SEED },
  );
});

test("a display of few lines gets decks before pages, where it takes both", () => {
  const both = { accept: "*/*", device: { ...phone("html", "wml"), screen: { columns: 16, lines: 4 } } };
  assert.equal(chooseMarkup(both), "wml");
  assert.equal(
    chooseMarkup({ ...both, device: { ...both.device, screen: { widthPx: 240, heightPx: 320 } } }),
    "html",
  );
  assert.equal(
    chooseMarkup({ ...both, accept: "text/html, */*;q=0.1" }),
    "html",
    "what it asks for by name counts more",
  );
});

const TYPES = [
  "text/html",
  "text/vnd.wap.wml",
  "application/vnd.wap.xhtml+xml",
  "text/x-hdml",
  "text/*",
  "*/*",
  "x/y",
];
const WEIGHTS = [0, 0.3, 1];

test(`a device that is known is never sent what it cannot draw, nor what its request refuses (seed ${SEED})`, () => {
  const ranges = fc.uniqueArray(
    fc.record({ type: fc.constantFrom(...TYPES), q: fc.constantFrom(...WEIGHTS) }),
    {
      minLength: 1,
      selector: ({ type }) => type,
    },
  );
  let chosen = 0;
  fc.assert(
    fc.property(ranges, fc.subarray([...MARKUPS], { minLength: 1 }), (given, markups) => {
      const accept = given.map(({ type, q }) => `${type};q=${q}`).join(", ");
      const markup = chooseMarkup({ accept, device: { markups } });
      const weightOf = (one: Markup): number => {
        const type = MARKUP_TYPE[one].split(";")[0]!;
        const takes = [type, `${type.split("/")[0]}/*`, "*/*"];
        return takes.map((name) => given.find((range) => range.type === name)).find(Boolean)?.q ?? 0;
      };
      if (markup === undefined) {
        assert.ok(
          markups.every((one) => weightOf(one) === 0),
          `none of ${markups} for ${accept}`,
        );
      } else {
        chosen++;
        assert.ok(markups.includes(markup));
        assert.ok(weightOf(markup) > 0, `${markup} for ${accept}`);
      }
    }),
    { seed: SEED, numRuns: 2_000 },
  );
  assert.ok(chosen > 500);
});

test("what was chosen is what is drawn: each markup under its own type", () => {
  const pageHref = (page: number): string => `/s?page=${page}`;
  const begins: Readonly<Record<Markup, RegExp>> = {
    html: /^<!DOCTYPE html>/,
    xhtmlmp: /XHTML Mobile 1\.0/,
    wml: /DTD WML 1\.3/,
    wmlc: /^[^<]{3}/,
    chtml: /^<html>/,
    hdml: /^<HDML /,
    vxml: /<vxml version="2\.1"/,
    "screen+json": /^\{"id"/,
    "screen+xml": /<screen xmlns="urn:turnup:screen:1"/,
  };
  for (const markup of MARKUPS) {
    for (const screen of SCREENS) {
      if (markup === "vxml" && !speaks(screen)) continue;
      const { contentType, body } = renderScreen(markup, screen, { pageHref });
      assert.equal(contentType, MARKUP_TYPE[markup]);
      assert.match(Buffer.from(body).toString("latin1"), begins[markup], `${markup} of ${screen.id}`);
    }
  }
});

test("what was wrong is told in every markup", () => {
  const pageHref = (page: number): string => `/s?page=${page}`;
  for (const markup of MARKUPS.filter((one) => one !== "vxml")) {
    const { body } = renderScreen(markup, account, { pageHref, problem: "The PIN has four digits" });
    assert.match(Buffer.from(body).toString("latin1"), /The PIN has four digits/, markup);
  }
});
