/**
 * Settings as an OMA CP document. The shape is what real clients need: one NAPDEF per access point with NAME and
 * NAP-ADDRTYPE, the INTERNET flag and an APPLICATION w2 for browsing, APPLICATION w4 with its NAPDEF in the same
 * document for MMS, proxies as PXLOGICAL. BOOTSTRAP, NAPDEF and PXLOGICAL stand before APPLICATION, so that one code
 * page switch is enough. Source: OMA ProvCont 1.1; what clients enforce is in docs/adr/0002-oma-cp-shape.md.
 */
import { getFrom } from "../../term/collections.ts";
import { type Host, hostOf, plainUrl } from "../../term/host.ts";
import type { Characteristic, Parm, ProvisioningDocument } from "../../wire/omacp/document.ts";
import type { SettingsPoint, SettingsValues, SettingsWireless } from "./settings-values.ts";

/** No operator has more uses than this; it bounds what one document can grow to. */
const MAX_POINTS = 8;
const DEFAULT_PROXY_PORT = 8080;
/** ProvCont 1.1 §4.5.2. */
const ADDRESS_TYPES = { ipv4: "IPV4", ipv6: "IPV6", name: "ALPHA" } as const;

const parm = (name: string, value: string | null = null): Parm => ({ name, value });
const characteristic = (
  type: string,
  parms: readonly Parm[],
  characteristics: readonly Characteristic[] = [],
): Characteristic => ({ type, parms, characteristics });

/** @throws RangeError: no access point, or more than a document may hold */
export function settingsDocument({ name, points, wireless = [] }: SettingsValues): ProvisioningDocument {
  const count = points.length + wireless.length;
  if (count === 0 || count > MAX_POINTS) {
    throw new RangeError(`a settings document holds 1 to ${MAX_POINTS} access points, not ${count}`);
  }
  const naps = new Map<
    string,
    { readonly id: string; readonly point: SettingsPoint; uses: SettingsPoint["use"][] }
  >();
  const keyOf = (point: SettingsPoint): string =>
    JSON.stringify([point.apn.toLowerCase(), point.authType, point.user, point.password, point.protocol]);
  for (const point of points) {
    const known = naps.get(keyOf(point));
    if (known) known.uses.push(point.use);
    else naps.set(keyOf(point), { id: `NAP${naps.size + 1}`, point, uses: [point.use] });
  }
  const napIdOf = (point: SettingsPoint): string => getFrom(naps, keyOf(point)).id;
  const proxies = points.flatMap((point) => (point.proxy === null ? [] : [{ point, proxy: point.proxy }]));
  const proxyIdOf = (wanted: SettingsPoint): string =>
    `PX${proxies.findIndex(({ point }) => point === wanted) + 1}`;
  const hasInternet = points.some(({ use }) => use === "internet");
  return {
    version: "1.1",
    characteristics: [
      characteristic("BOOTSTRAP", [parm("NAME", name)]),
      ...[...naps.values()].map(({ id, point, uses }) => napdef(id, name, { point, uses }, hasInternet)),
      ...wireless.map((network, at) => wirelessNapdef(`WLAN${at + 1}`, network)),
      ...proxies.map((one) => pxlogical(proxyIdOf(one.point), name, one, napIdOf(one.point))),
      ...points.flatMap((point) =>
        application(name, point, roadsOf(point, hasInternet, napIdOf(point), proxyIdOf(point))),
      ),
    ],
  };
}

/**
 * How an application gets out. A WAP gateway that is the only road names its access point beside its proxy: clients that look
 * for TO-NAPID alone (Firefox OS, browsers of before 2006) found none.
 */
function roadsOf(point: SettingsPoint, hasInternet: boolean, napId: string, proxyId: string): Parm[] {
  const direct = parm("TO-NAPID", napId);
  if (point.proxy === null) return [direct];
  const isOnlyRoad = point.use === "wap" && !hasInternet;
  return [parm("TO-PROXY", proxyId), ...(isOnlyRoad ? [direct] : [])];
}

/**
 * The INTERNET flag stands on what browsing uses: of a set without internet, on its WAP gateway's access point, since a phone
 * takes no other for its browser. ProvCont has IPV4 and IPV6 for an address and no word for both at once, so a dual-stack
 * access point says nothing and the phone asks for what it can.
 */
function napdef(
  id: string,
  name: string,
  { point, uses }: { readonly point: SettingsPoint; readonly uses: readonly SettingsPoint["use"][] },
  hasInternet: boolean,
): Characteristic {
  const parms = [
    parm("NAPID", id),
    parm("BEARER", "GSM-GPRS"),
    parm("NAME", uses.includes("internet") ? name : `${name} ${uses.includes("mms") ? "MMS" : uses[0]}`),
    parm("NAP-ADDRESS", point.apn),
    parm("NAP-ADDRTYPE", "APN"),
  ];
  if (uses.includes("internet") || (!hasInternet && uses.includes("wap"))) parms.push(parm("INTERNET"));
  if (point.protocol === "ipv6") parms.push(parm("LOCAL-ADDRTYPE", "IPV6"));
  if (point.authType === "none") return characteristic("NAPDEF", parms);
  return characteristic("NAPDEF", parms, [
    characteristic("NAPAUTHINFO", [
      parm("AUTHTYPE", point.authType === "chap" ? "CHAP" : "PAP"),
      parm("AUTHNAME", point.user ?? ""),
      parm("AUTHSECRET", point.password ?? ""),
    ]),
  ]);
}

/**
 * A Wi-Fi network as an access point of bearer WLAN. ProvCont 1.1 gave characteristic and parms tokens in 2005; they go as text, which
 * every reader of WBXML takes, those of before too. Names and values are as two phones' own clients read them (S60's access point
 * adapter, MediaTek's CCA parser), which both follow the specification:
 *
 *   | PRI-SSID                          | the network's name, of a hidden one too                           |
 *   | PRI-H-SSID                        | beside it: the name is not broadcast, the phone has to look for it |
 *   | SECMODE WPA-PRESHARED-KEY         | a key that all share; WPA alone is that of a company, with EAP     |
 *   | WEPKEY: INDEX before DATA         | the data goes to the index that stood before it; 5, 10, 13, 26 long |
 */
function wirelessNapdef(id: string, { name, ssid, security, key, hidden }: SettingsWireless): Characteristic {
  const secret =
    security === "wpa_psk"
      ? { parms: [parm("WPA-PRES-KEY-ASC", key)], keys: [] }
      : { parms: security === "wep" ? [parm("WEPKEYIND", "0")] : [], keys: wepKeys(security, key) };
  const wlan = characteristic(
    "WLAN",
    [
      parm("PRI-SSID", ssid),
      ...(hidden ? [parm("PRI-H-SSID", ssid)] : []),
      parm("NETMODE", "INFRA"),
      ...(security === "open" ? [] : [parm("SECMODE", security === "wep" ? "WEP" : "WPA-PRESHARED-KEY")]),
      ...secret.parms,
    ],
    secret.keys,
  );
  return characteristic("NAPDEF", [parm("NAPID", id), parm("BEARER", "WLAN"), parm("NAME", name)], [wlan]);
}

const wepKeys = (security: SettingsWireless["security"], key: string | null): Characteristic[] =>
  security === "wep" && key !== null
    ? [
        characteristic("WEPKEY", [
          parm("LENGTH", key.length === 5 || key.length === 10 ? "64" : "128"),
          parm("INDEX", "0"),
          parm("DATA", key),
        ]),
      ]
    : [];

function pxlogical(
  id: string,
  name: string,
  { point, proxy }: { readonly point: SettingsPoint; readonly proxy: string },
  napId: string,
): Characteristic {
  const { kind, address }: Host = hostOf(proxy) ?? { kind: "name", address: proxy };
  return characteristic(
    "PXLOGICAL",
    [parm("PROXY-ID", id), parm("NAME", name)],
    [
      characteristic(
        "PXPHYSICAL",
        [
          parm("PHYSICAL-PROXY-ID", id),
          parm("PXADDR", address),
          parm("PXADDRTYPE", ADDRESS_TYPES[kind]),
          parm("TO-NAPID", napId),
        ],
        [characteristic("PORT", [parm("PORTNBR", String(point.port ?? DEFAULT_PROXY_PORT))])],
      ),
    ],
  );
}

function application(name: string, point: SettingsPoint, roads: readonly Parm[]): Characteristic[] {
  switch (point.use) {
    case "internet":
    case "wap": {
      const pages = point.homepage
        ? [characteristic("RESOURCE", [parm("URI", point.homepage), parm("NAME", name), parm("STARTPAGE")])]
        : [];
      return [characteristic("APPLICATION", [parm("APPID", "w2"), parm("NAME", name), ...roads], pages)];
    }
    case "mms":
    case "maker":
      if (point.mmsc === null) return [];
      return [
        characteristic("APPLICATION", [
          parm("APPID", "w4"),
          parm("NAME", `${name} MMS`),
          ...roads,
          parm("ADDR", plainUrl(point.mmsc) ?? point.mmsc),
        ]),
      ];
  }
}
