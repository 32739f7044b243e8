/**
 * Settings for phones from before OMA CP, as Nokia/Ericsson OTA settings 7.0. For each bearer the first ADDRESS of a
 * message counts, so browsing and MMS go in a message each; a proxy is asked for with every bearer; lengths are limited.
 * Source: Over The Air Settings Specification 7.0 (DSS00234-EN), facts in docs/adr/0002-oma-cp-shape.md.
 */
import { hostOf, plainUrl } from "../../term/host.ts";
import type { NokiaCharacteristic, NokiaDocument, NokiaParm } from "../../wire/nokiaota/codec.ts";
import type { SettingsPoint, SettingsValues } from "./settings-values.ts";

/** Greatest lengths, in characters; a phone cuts what is longer. */
const MAX = { name: 20, homepage: 100, apn: 100, login: 32, secret: 20, proxy: 21 } as const;
/** WAP over HTTP has no gateway: phones that insist on one take the all-zero address. */
const NO_PROXY = "0.0.0.0";

/** Greatest length of a bookmark's name, in characters. */
const BOOKMARK_NAME_MAX = 50;

const parm = (name: string, value: string): NokiaParm => ({ name, value });

/** The messages that these settings need: browsing first, since it is what proves that they work. */
export function nokiaSettings({ name, points }: SettingsValues): NokiaDocument[] {
  const title: NokiaCharacteristic = {
    type: "NAME",
    value: null,
    parms: [parm("NAME", name.slice(0, MAX.name))],
  };
  const browsing = points.find(({ use }) => use === "internet" || use === "wap");
  const mms = points.find(({ use, mmsc }) => use === "mms" && mmsc !== null);
  return [
    ...(browsing ? [[address(browsing), title, ...homepage(browsing, name)]] : []),
    ...(mms ? [[address(mms), title, { type: "MMSURL", value: mmscOf(mms), parms: [] }]] : []),
  ].map((characteristics) => ({ characteristics }));
}

/** A bookmark alone, for the content type of bookmarks. */
export const nokiaBookmark = (name: string, url: string): NokiaDocument => ({
  characteristics: [
    {
      type: "BOOKMARK",
      value: null,
      parms: [parm("NAME", name.slice(0, BOOKMARK_NAME_MAX)), parm("URL", url)],
    },
  ],
});

const proxyOf = ({ proxy }: SettingsPoint): string =>
  proxy === null ? NO_PROXY : (hostOf(proxy)?.address ?? proxy);

const mmscOf = ({ mmsc }: SettingsPoint): string | null => (mmsc === null ? null : (plainUrl(mmsc) ?? mmsc));

function address(point: SettingsPoint): NokiaCharacteristic {
  const parms = [
    parm("BEARER", "GPRS"),
    parm("PROXY", proxyOf(point).slice(0, MAX.proxy)),
    parm("GPRS_ACCESSPOINTNAME", point.apn.slice(0, MAX.apn)),
  ];
  if (point.authType !== "none") {
    parms.push(
      parm("PPP_AUTHTYPE", point.authType === "chap" ? "CHAP" : "PAP"),
      parm("PPP_AUTHNAME", (point.user ?? "").slice(0, MAX.login)),
      parm("PPP_AUTHSECRET", (point.password ?? "").slice(0, MAX.secret)),
    );
  }
  return { type: "ADDRESS", value: null, parms };
}

/** A home page counts only with a first bookmark of the same address. */
function homepage(point: SettingsPoint, name: string): NokiaCharacteristic[] {
  if (!point.homepage || point.homepage.length > MAX.homepage) return [];
  return [
    { type: "URL", value: point.homepage, parms: [] },
    { type: "BOOKMARK", value: null, parms: [parm("NAME", name), parm("URL", point.homepage)] },
  ];
}
