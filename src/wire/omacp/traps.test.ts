/** Documents that phones stumble over, each told with the characteristic; documents of operators in the field, which none does. */
import assert from "node:assert/strict";
import { test } from "vitest";
import { handsetTraps } from "./traps.ts";
import { documentOfXml } from "./xml.ts";

const xml = (inside: string) =>
  documentOfXml(
    Buffer.from(
      `<?xml version="1.0"?><!DOCTYPE wap-provisioningdoc PUBLIC "-//WAPFORUM//DTD PROV 1.0//EN" "http://www.wapforum.org/DTD/prov.dtd">\n` +
        `<wap-provisioningdoc version="1.1">${inside}</wap-provisioningdoc>`,
    ),
  );
const characteristic = (type: string, parms: Record<string, string | null>, inside = "") =>
  `<characteristic type="${type}">${Object.entries(parms)
    .map(([name, value]) =>
      value === null ? `<parm name="${name}"/>` : `<parm name="${name}" value="${value}"/>`,
    )
    .join("")}${inside}</characteristic>`;
const NAP = { NAPID: "N1", NAME: "Net", BEARER: "GSM-GPRS", "NAP-ADDRESS": "net", "NAP-ADDRTYPE": "APN" };
const BROWSER = characteristic("APPLICATION", { APPID: "w2", "TO-NAPID": "N1" });
const { NAPID: _, ...WITHOUT_ID } = NAP;
const proxy = (address: string, type: string) =>
  characteristic(
    "PXLOGICAL",
    { "PROXY-ID": "P1" },
    characteristic("PXPHYSICAL", {
      "PHYSICAL-PROXY-ID": "P1",
      PXADDR: address,
      PXADDRTYPE: type,
      "TO-NAPID": "N1",
    }),
  );

const CASES = [
  { code: "no_access_point", inside: characteristic("APPLICATION", { APPID: "w2", "TO-NAPID": "INTERNET" }) },
  { code: "no_application", inside: characteristic("NAPDEF", NAP) },
  { code: "napid_missing", inside: characteristic("NAPDEF", WITHOUT_ID) },
  { code: "name_missing", inside: characteristic("NAPDEF", { ...NAP, NAME: "" }) },
  { code: "apn_missing", inside: characteristic("NAPDEF", { NAPID: "N1", NAME: "Net" }) },
  { code: "apn_type", inside: characteristic("NAPDEF", { ...NAP, "NAP-ADDRTYPE": "E164" }) },
  { code: "address_type", inside: proxy("2001:db8::1", "IPV4") },
  { code: "address_type", inside: proxy("10.0.0.1", "IPV6") },
  { code: "address_type", inside: proxy("proxy.example", "IPV4") },
  { code: "address_malformed", inside: proxy("999.1.2.3", "IPV4") },
  { code: "leading_zeros", inside: proxy("010.0.0.1", "IPV4") },
  { code: "dangling_reference", inside: characteristic("APPLICATION", { APPID: "w2", "TO-NAPID": "N9" }) },
  {
    code: "authtype_missing",
    inside: characteristic("NAPDEF", NAP, characteristic("NAPAUTHINFO", { AUTHNAME: "u" })),
  },
  { code: "proxy_without_address", inside: characteristic("PXLOGICAL", { "PROXY-ID": "P1" }) },
  { code: "mmsc_missing", inside: characteristic("APPLICATION", { APPID: "w4", "TO-NAPID": "N1" }) },
  {
    code: "dm_account_incomplete",
    inside: characteristic("APPLICATION", { APPID: "w7", "PROVIDER-ID": "s" }),
  },
  { code: "vendor_config", inside: characteristic("VENDORCONFIG", { NAME: "x" }) },
];
for (const { code, inside } of CASES) {
  test(`a document that phones stumble over is told as ${code}: ${inside.slice(0, 90)}`, () => {
    const codes = handsetTraps(xml(inside)).map((trap) => trap.code);
    assert.ok(
      codes.some((one) => one === code),
      codes.join(", "),
    );
  });
}

test("a whole document has no trap", () => {
  assert.deepEqual(
    handsetTraps(xml(characteristic("NAPDEF", NAP) + proxy("proxy.example", "ALPHA") + BROWSER)),
    [],
  );
});

test("XML of another kind, with a second value, or that declares entities, is refused", () => {
  for (const text of [
    "<settings/>",
    '<wap-provisioningdoc><parm name="a"/></wap-provisioningdoc>',
    '<wap-provisioningdoc><characteristic type="A" kind="b"/></wap-provisioningdoc>',
    '<!DOCTYPE a [<!ENTITY x "y">]><wap-provisioningdoc/>',
    "<wap-provisioningdoc>",
  ])
    assert.throws(() => documentOfXml(Buffer.from(text)), { code: "payload_malformed" }, text);
});
