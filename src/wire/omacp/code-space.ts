/**
 * The tokens of OMA Client Provisioning documents. Source: OMA-WAP-ProvCont 1.1 §8, as three decoders agree on it.
 * Two pages: page 1 came with the APPLICATION characteristic.
 */
import { type AttributeStart, type CodeSpace, page, type Row } from "../wbxml/code-space.ts";

/** The document's root element (ProvCont 1.1 §4). */
export const PROV_DOC = "wap-provisioningdoc";

const named = (name: string): AttributeStart => ({ name: "name", prefix: name });
const typed = (type: string): AttributeStart => ({ name: "type", prefix: type });
const any = (name: string): AttributeStart => ({ name, prefix: "" });

const NAMES_0: readonly Row[] = [
  [0x07, "NAME NAP-ADDRESS NAP-ADDRTYPE CALLTYPE VALIDUNTIL AUTHTYPE AUTHNAME AUTHSECRET LINGER"],
  [0x10, "BEARER NAPID COUNTRY NETWORK INTERNET PROXY-ID PROXY-PROVIDER-ID DOMAIN"],
  [0x18, "PROVURL PXAUTH-TYPE PXAUTH-ID PXAUTH-PW STARTPAGE BASAUTH-ID BASAUTH-PW PUSHENABLED"],
  [0x20, "PXADDR PXADDRTYPE TO-NAPID PORTNBR SERVICE LINKSPEED DNLINKSPEED LOCAL-ADDR"],
  [0x28, "LOCAL-ADDRTYPE CONTEXT-ALLOW TRUST MASTER SID SOC WSP-VERSION PHYSICAL-PROXY-ID"],
  [0x30, "CLIENT-ID DELIVERY-ERR-SDU DELIVERY-ORDER TRAFFIC-CLASS MAX-SDU-SIZE MAX-BITRATE-UPLINK"],
  [0x36, "MAX-BITRATE-DNLINK RESIDUAL-BER SDU-ERROR-RATIO TRAFFIC-HANDL-PRIO TRANSFER-DELAY"],
  [0x3b, "GUARANTEED-BITRATE-UPLINK GUARANTEED-BITRATE-DNLINK PXADDR-FQDN PROXY-PW PPGAUTH-TYPE"],
  [0x47, "PULLENABLED DNS-ADDR MAX-NUM-RETRY FIRST-RETRY-TIMEOUT REREG-THRESHOLD T-BIT - AUTH-ENTITY SPI"],
];
const TYPES_0: readonly Row[] = [
  [0x51, "PXLOGICAL PXPHYSICAL PORT VALIDITY NAPDEF BOOTSTRAP VENDORCONFIG CLIENTIDENTITY PXAUTHINFO"],
  [0x5a, "NAPAUTHINFO ACCESS"],
];
const NAMES_1: readonly Row[] = [
  [0x07, "NAME"],
  [0x14, "INTERNET"],
  [0x1c, "STARTPAGE"],
  [0x22, "TO-NAPID PORTNBR SERVICE"],
  [0x2e, "AACCEPT AAUTHDATA AAUTHLEVEL AAUTHNAME AAUTHSECRET AAUTHTYPE ADDR ADDRTYPE APPID APROTOCOL"],
  [0x38, "PROVIDER-ID TO-PROXY URI RULE"],
];
const TYPES_1: readonly Row[] = [[0x53, "PORT - APPLICATION APPADDR APPAUTH CLIENTIDENTITY RESOURCE"]];
const VALUES_0: readonly Row[] = [
  [0x85, "IPV4 IPV6 E164 ALPHA APN SCODE TETRA-ITSI MAN"],
  [0x90, "ANALOG-MODEM V.120 V.110 X.31 BIT-TRANSPARENT DIRECT-ASYNCHRONOUS-DATA-SERVICE"],
  [0x9a, "PAP CHAP HTTP-BASIC HTTP-DIGEST WTLS-SS MD5"],
  [0xa2, "GSM-USSD GSM-SMS ANSI-136-GUTS IS-95-CDMA-SMS IS-95-CDMA-CSD IS-95-CDMA-PACKET ANSI-136-CSD"],
  [0xa9, "ANSI-136-GPRS GSM-CSD GSM-GPRS AMPS-CDPD PDC-CSD PDC-PACKET IDEN-SMS IDEN-CSD IDEN-PACKET"],
  [0xb2, "FLEX/REFLEX PHS-SMS PHS-CSD TETRA-SDS TETRA-PACKET ANSI-136-GHOST MOBITEX-MPAK"],
  [0xb9, "CDMA2000-1X-SIMPLE-IP CDMA2000-1X-MOBILE-IP"],
  [0xc5, "AUTOBAUDING"],
  [0xca, "CL-WSP CO-WSP CL-SEC-WSP CO-SEC-WSP CL-SEC-WTA CO-SEC-WTA"],
  [0xd0, "OTA-HTTP-TO OTA-HTTP-TLS-TO OTA-HTTP-PO OTA-HTTP-TLS-PO"],
  [0xe0, "AAA HA"],
];
/** Without the four of the 2002 edition (80 to 83), which collide with global tokens. */
const VALUES_1: readonly Row[] = [
  [0x86, "IPV6 E164 ALPHA"],
  [0x8d, "APPSRV OBEX"],
  [0x90, ", HTTP- BASIC DIGEST"],
];

function starts(names: readonly Row[], types: readonly Row[]): (AttributeStart | undefined)[] {
  const all = page(names, named);
  for (const [token, start] of page(types, typed).entries()) if (start) all[token] = start;
  all[0x05] = any("name");
  all[0x06] = any("value");
  all[0x50] = any("type");
  return Array.from(all, (start) => start);
}

const page0 = starts(NAMES_0, TYPES_0);
page0[0x45] = any("version");
page0[0x46] = { name: "version", prefix: "1.0" };

/** Its tokens, for `decodeWbxml` and for the tables of `encode.ts`. */
export const PROV_CONT: CodeSpace = {
  title: "an OMA CP document",
  version: 0x03,
  publicId: 0x0b,
  publicIdText: "-//WAPFORUM//DTD PROV 1.0//EN",
  tags: [
    page([[0x05, `${PROV_DOC} characteristic parm`]], (name) => name),
    page([[0x06, "characteristic parm"]], (name) => name),
  ],
  attributeStarts: [page0, starts(NAMES_1, TYPES_1)],
  attributeValues: [page(VALUES_0, (value) => value), page(VALUES_1, (value) => value)],
  splitsValues: false,
};
