// Question: what does one subscriber's settings message cost a core, in each format of docs/settings-formats.md?
// Budget: half a millisecond for any of them; OMA CP, of which the hot path is made, 50 us.
// Peer: JSON.stringify of the same settings in the same process, as a floor for text of that size.
import { randomBytes } from "node:crypto";
import { newManagementAccount } from "../src/kernel/management/account.ts";
import { composeBootstrap, composeNotification } from "../src/kernel/management/bootstrap.ts";
import { composeAppleProfile } from "../src/kernel/payload/apple-profile.ts";
import {
  composeNokia,
  composeNokiaBookmark,
  composeOmaCp,
  composeProvisioning,
  composeSi,
  composeSl,
} from "../src/kernel/payload/compose.ts";
import { settingsDocument } from "../src/kernel/payload/settings-document.ts";
import type { SettingsPoint, SettingsValues } from "../src/kernel/payload/settings-values.ts";
import { type AndroidApn, encodeApnPolicy, encodeApnsConf } from "../src/wire/android/apn.ts";
import { alternate, type Bench, type Figure, type Question } from "./question.ts";

const ROUNDS = 20_000;
const QUICK_ROUNDS = 1_000;
const MICROS_MAX = 500;
const HOT_MICROS_MAX = 50;
/** Subscribers whose numbers take turns. */
const IMSIS = 1_000;
const PEER = "JSON.stringify";

export const formatsQuestion: Question = {
  name: "formats",
  asks: "What does one subscriber's settings message cost a core, in each format?",
  how: [
    "An operator's three access points (internet, MMS, WAP, with names and passwords) for one subscriber after the other, in one process: what goes to the",
    "wire before it is cut into parts. OMA CP is measured with its document kept, as the server does it, and with it made anew. JSON.stringify of the same",
    "settings is a floor, no contest. Processor time of the process.",
  ].join(" "),
  durability: "nothing is stored, on either side.",
  uses: [],
  measure,
};

const point = (use: SettingsPoint["use"], more: Partial<SettingsPoint> = {}): SettingsPoint => ({
  ...{ use, apn: `${use}.example.mnc001`, authType: "pap", user: "subscriber", password: "secret" },
  ...{ mmsc: null, proxy: null, port: null, homepage: null, protocol: "ipv4v6" },
  ...more,
});
const VALUES: SettingsValues = {
  name: "Example Mobile",
  points: [
    point("internet", { homepage: "http://www.example.org/" }),
    point("mms", { mmsc: "http://mmsc.example.org/servlets/mms", proxy: "10.0.0.1", port: 8080 }),
    point("wap", { proxy: "10.0.0.2", port: 9201 }),
  ],
};
const ANDROID: readonly AndroidApn[] = VALUES.points.map((one) => ({
  ...{ name: VALUES.name, apn: one.apn, mcc: "001", mnc: "01", carrierId: null },
  ...{ types: one.use === "mms" ? ["mms"] : ["default", "supl"], protocol: "IPV4V6", authType: "PAP" },
  ...{ user: one.user, password: one.password, mmsc: one.mmsc, proxy: null, port: null },
  ...{
    mmsProxy: one.use === "mms" ? one.proxy : null,
    mmsPort: one.use === "mms" ? one.port : null,
    mvno: null,
  },
}));
const LINK = {
  ...{
    operator: VALUES.name,
    text: "Settings for your phone",
    href: "https://example.org/s/Zk3vQ0a9bB1cC2dD3eE4fF",
  },
  ...{ createdAt: new Date("2026-03-01T12:00:00Z"), expiresAt: new Date("2026-03-08T12:00:00Z") },
};
const ACCOUNT = newManagementAccount("01900000-0000-7000-8000-00000000000a", randomBytes);
const imsis = Array.from({ length: IMSIS }, (_, at) => `00101${String(at).padStart(10, "0")}`);
const signedFor = (at: number) => ({ sec: "netwpin", imsi: imsis[at % IMSIS] ?? "" }) as const;

/** Octets or characters of what was made. */
const FORMATS: Readonly<Record<string, (at: number) => number>> = {
  "OMA CP, its document kept": (at) => composeOmaCp(VALUES, signedFor(at)).length,
  "OMA CP, made anew": (at) => composeProvisioning(settingsDocument(VALUES), signedFor(at)).length,
  "Nokia OTA": () => composeNokia(VALUES).reduce((sum, { length }) => sum + length, 0),
  "Nokia bookmark": () => composeNokiaBookmark(LINK).length,
  "Service Indication": () => composeSi(LINK).length,
  "Service Loading": () => composeSl(LINK).length,
  "Apple profile, unsigned": () =>
    composeAppleProfile(VALUES, { operatorId: "operator", form: "cellular", isRemoval: false })?.length ?? 0,
  "apns-conf.xml": () => encodeApnsConf(ANDROID).length,
  "Android Management apnPolicy": () => encodeApnPolicy(ANDROID).length,
  "OMA DM account": (at) =>
    composeBootstrap(VALUES, ACCOUNT, { url: "https://example.org/dm/token", authentication: signedFor(at) })
      .length,
  "OMA DM notification": (at) => composeNotification(ACCOUNT.account, (at % 0xffff) + 1).length,
};

/** Microseconds of processor one message takes. */
function microsOf(rounds: number, make: (at: number) => number): number {
  const before = process.cpuUsage();
  let octets = 0;
  for (let at = 0; at < rounds; at++) octets += make(at);
  const { user, system } = process.cpuUsage(before);
  if (octets < rounds) throw new Error("a format gave nothing");
  return (user + system) / rounds;
}

async function measure(bench: Bench): Promise<readonly Figure[]> {
  const rounds = bench.quick ? QUICK_ROUNDS : ROUNDS;
  const contestants = { ...FORMATS, [PEER]: () => JSON.stringify(VALUES).length };
  const runs = Object.entries(contestants).map(
    ([name, make]) => [name, () => microsOf(rounds, make)] as const,
  );
  const taken = await alternate(bench, Object.fromEntries(runs), { warmUp: true });
  return Object.keys(FORMATS).map((what) => ({
    what: `${what} (${FORMATS[what]?.(0) ?? 0} octets)`,
    unit: "us",
    values: taken.get(what) ?? [],
    isSteady: true,
    peers: [{ name: PEER, values: taken.get(PEER) ?? [] }],
    aim: { kind: "at most", value: what.startsWith("OMA CP") ? HOT_MICROS_MAX : MICROS_MAX },
  }));
}
