/**
 * What real phones make nothing of although a document is well-formed: each with the client that stumbles. What clients enforce was
 * read in their sources (Sailfish, Firefox OS, Spreadtrum's and MediaTek's Android, Windows); see docs/settings-formats.md.
 */
import { hostOf } from "../../term/host.ts";
import type { Characteristic, ProvisioningDocument } from "./document.ts";

/** `code` is stable; `at` names the characteristic, and its key where it has one; `clause` is where the rule stands. */
export type HandsetTrap = {
  readonly code: TrapCode;
  readonly at: string;
  readonly fact: string;
  readonly clause: string;
};
export type TrapCode =
  | "no_access_point"
  | "no_application"
  | "napid_missing"
  | "name_missing"
  | "apn_missing"
  | "apn_type"
  | "address_type"
  | "address_malformed"
  | "leading_zeros"
  | "dangling_reference"
  | "authtype_missing"
  | "proxy_without_address"
  | "ports_too_many"
  | "mmsc_missing"
  | "dm_account_incomplete"
  | "vendor_config";

/** Windows takes no more of one physical proxy. */
const PORTS_MAX = 2;
const ANY_INTERNET = "INTERNET";

/** In document order; empty where no known client stumbles. */
export function handsetTraps({ characteristics }: ProvisioningDocument): HandsetTrap[] {
  const all = flat(characteristics);
  const traps = all.flatMap(trapsOf);
  const ids = {
    "TO-NAPID": [...valuesOf(all, "NAPDEF", "NAPID"), ANY_INTERNET],
    "TO-PROXY": valuesOf(all, "PXLOGICAL", "PROXY-ID"),
  };
  for (const one of all) {
    for (const name of ["TO-NAPID", "TO-PROXY"] as const) {
      for (const value of parmsOf(one, name)) {
        if (value !== null && !ids[name].includes(value))
          traps.push(
            trap(
              "dangling_reference",
              one,
              `${name} ${value} is defined nowhere: Firefox OS drops the document`,
              "ProvCont 1.1 §4.4",
            ),
          );
      }
    }
  }
  return [...wholeDocument(all), ...traps];
}

function wholeDocument(all: readonly Characteristic[]): HandsetTrap[] {
  const has = (type: string): boolean => all.some((one) => one.type === type);
  const doc: Characteristic = { type: "wap-provisioningdoc", parms: [], characteristics: [] };
  const traps: HandsetTrap[] = [];
  if (!has("NAPDEF"))
    traps.push(trap("no_access_point", doc, "no NAPDEF: most phones store nothing", "ProvCont 1.1 §4.5.3"));
  const serves = all.some(
    (one) =>
      one.type === "APPLICATION" &&
      parmsOf(one, "APPID").some((id) => id !== null && ["w2", "w4", "w7", "ap0005"].includes(id)),
  );
  if (!serves)
    traps.push(
      trap(
        "no_application",
        doc,
        "no APPLICATION w2, w4 or w7: Firefox OS installs nothing",
        "ProvCont 1.1 §4.5.5",
      ),
    );
  return traps;
}

function trapsOf(one: Characteristic): HandsetTrap[] {
  switch (one.type) {
    case "NAPDEF":
      return napdefTraps(one);
    case "PXLOGICAL":
      return one.characteristics.some(({ type }) => type === "PXPHYSICAL")
        ? []
        : [
            trap(
              "proxy_without_address",
              one,
              "no PXPHYSICAL: the proxy has no address",
              "ProvCont 1.1 §4.5.1",
            ),
          ];
    case "PXPHYSICAL": {
      const ports = one.characteristics.filter(({ type }) => type === "PORT").length;
      return [
        ...addressTraps(one, "PXADDR", "PXADDRTYPE"),
        ...(ports > PORTS_MAX
          ? [trap("ports_too_many", one, `${ports} PORTs: Windows takes ${PORTS_MAX}`, "ProvCont 1.1 §4.5.2")]
          : []),
      ];
    }
    case "APPADDR":
      return addressTraps(one, "ADDR", "ADDRTYPE");
    case "APPLICATION":
      return applicationTraps(one);
    case "NAPAUTHINFO":
      return parmOf(one, "AUTHTYPE")
        ? []
        : [
            trap(
              "authtype_missing",
              one,
              "no AUTHTYPE: Windows and others leave name and secret out",
              "ProvCont 1.1 §4.5.3",
            ),
          ];
    case "VENDORCONFIG":
      return [
        trap(
          "vendor_config",
          one,
          "Firefox OS refuses a document with a VENDORCONFIG",
          "ProvCont 1.1 §4.5.8",
        ),
      ];
    default:
      return [];
  }
}

function napdefTraps(one: Characteristic): HandsetTrap[] {
  const clause = "ProvCont 1.1 §4.5.3";
  const traps: HandsetTrap[] = [];
  if (!parmOf(one, "NAPID"))
    traps.push(
      trap(
        "napid_missing",
        one,
        "no NAPID: nothing can refer to it, and Spreadtrum's Android drops it",
        clause,
      ),
    );
  if (!parmOf(one, "NAME"))
    traps.push(trap("name_missing", one, "no NAME: Spreadtrum's Android drops the access point", clause));
  if (parmsOf(one, "BEARER").includes("WLAN")) return traps;
  if (!parmOf(one, "NAP-ADDRESS"))
    traps.push(trap("apn_missing", one, "no NAP-ADDRESS: there is no access point name", clause));
  else if (parmOf(one, "NAP-ADDRTYPE") !== "APN")
    traps.push(
      trap(
        "apn_type",
        one,
        `NAP-ADDRTYPE is ${parmOf(one, "NAP-ADDRTYPE") ?? "missing"}: Sailfish takes APN alone`,
        clause,
      ),
    );
  return [...traps, ...addressTraps(one, "LOCAL-ADDR", "LOCAL-ADDRTYPE")];
}

function applicationTraps(one: Characteristic): HandsetTrap[] {
  const clause = "ProvCont 1.1 §4.5.5";
  const id = parmOf(one, "APPID");
  if ((id === "w4" || id === "ap0005") && !parmOf(one, "ADDR"))
    return [trap("mmsc_missing", one, "no ADDR: MMS has no message centre", clause)];
  if (id !== "w7") return [];
  const levels = one.characteristics
    .filter(({ type }) => type === "APPAUTH")
    .map((auth) => parmOf(auth, "AAUTHLEVEL"));
  const isWhole = parmOf(one, "PROVIDER-ID") && levels.includes("APPSRV") && levels.includes("CLIENT");
  return isWhole
    ? []
    : [
        trap(
          "dm_account_incomplete",
          one,
          "a w7 account needs PROVIDER-ID and an APPAUTH for APPSRV and for CLIENT: Windows refuses less",
          clause,
        ),
      ];
}

const KINDS: Readonly<Record<string, string>> = { IPV4: "ipv4", IPV6: "ipv6" };

/** ALPHA, E164 and others may be anything; IPV4 is what counts where no type stands. */
function addressTraps(one: Characteristic, name: string, typeName: string): HandsetTrap[] {
  const address = parmOf(one, name);
  if (!address) return [];
  const clause = `ProvCont 1.1, parm ${typeName}`;
  const type = parmOf(one, typeName) ?? "";
  const host = hostOf(address);
  if (!host && type !== "E164")
    return [trap("address_malformed", one, `${name} ${address} is no address`, clause)];
  const kind = KINDS[type];
  const traps: HandsetTrap[] = [];
  if (kind !== undefined && host?.kind !== kind)
    traps.push(trap("address_type", one, `${typeName} ${type} does not fit ${name} ${address}`, clause));
  if (host?.kind === "ipv4" && host.address !== address)
    traps.push(
      trap(
        "leading_zeros",
        one,
        `${name} ${address} has leading zeros: a phone may read them as octal; write ${host.address}`,
        clause,
      ),
    );
  return traps;
}

const KEYS: Readonly<Record<string, string>> = {
  NAPDEF: "NAPID",
  PXLOGICAL: "PROXY-ID",
  PXPHYSICAL: "PHYSICAL-PROXY-ID",
  APPLICATION: "APPID",
};

function trap(code: TrapCode, one: Characteristic, fact: string, clause: string): HandsetTrap {
  const key = parmOf(one, KEYS[one.type] ?? "");
  return { code, at: key ? `${one.type} ${key}` : one.type, fact, clause };
}

const flat = (all: readonly Characteristic[]): Characteristic[] =>
  all.flatMap((one) => [one, ...flat(one.characteristics)]);

const parmsOf = ({ parms }: Characteristic, wanted: string): (string | null)[] =>
  parms.filter(({ name }) => name === wanted).map(({ value }) => value);

const parmOf = (one: Characteristic, wanted: string): string | null => parmsOf(one, wanted)[0] ?? null;

const valuesOf = (all: readonly Characteristic[], type: string, name: string): (string | null)[] =>
  all.filter((one) => one.type === type).flatMap((one) => parmsOf(one, name));
