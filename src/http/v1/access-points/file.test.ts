/** Files of access points for Android: golden ones, read back by our decoders, and by our own import as anybody else's. */
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "vitest";
import type { AccessPoint } from "../../../kernel/settings/access-point.ts";
import { androidRows } from "../../../store/dataset/access-point-xml.ts";
import { TurnupError } from "../../../term/error.ts";
import { decodeApnPolicy, decodeApnsConf } from "../../../wire/android/apn.ts";
import { DecodeError } from "../../../wire/decode-error.ts";
import { explore } from "../../../wire/explore/explore.ts";
import { fileOfAccessPoints } from "./file.ts";

const golden = (name: string): string =>
  readFileSync(join(import.meta.dirname, "../../../../test/vector/data/android", name), "utf8");

const INTERNET: AccessPoint = {
  id: "01890000-0000-7000-8000-000000000001",
  ownership: "operator",
  name: 'Net "A" & <B>',
  provider: null,
  uses: ["internet", "wap", "supl"],
  apn: "internet.example",
  protocol: "ipv4v6",
  authType: "pap",
  user: "u&<ser>",
  password: "s3'\"cret",
  mmsc: null,
  mmsProxy: null,
  mmsPort: null,
  proxy: null,
  port: null,
  homepage: null,
  plan: null,
  shown: true,
  wifiOnly: false,
  confirmed: true,
  source: { name: "operator", version: "1", licence: "the operator's own" },
  criteria: { mcc: "001", mnc: "01", gid1: "0A", carrierId: 1989 },
};
const MMS: AccessPoint = {
  ...INTERNET,
  id: "01890000-0000-7000-8000-000000000002",
  name: "MMS",
  uses: ["mms"],
  apn: "mms.example",
  protocol: null,
  authType: null,
  user: null,
  password: null,
  mmsc: "http://mmsc.example/mms?a=1&b=2",
  mmsProxy: "192.0.2.7",
  mmsPort: 8080,
  criteria: { mcc: "001", mnc: "010" },
};
const fileOf = (format: "apns-conf" | "android-management", seesSecrets = true): string =>
  fileOfAccessPoints([INTERNET, MMS], { format, seesSecrets }).text;

for (const [format, name] of [
  ["apns-conf", "apns-conf.xml"],
  ["android-management", "apn-policy.json"],
] as const)
  test(`${format}: the golden file, and the explorer reads each value of it`, () => {
    const text = fileOf(format);
    assert.equal(text, golden(name));
    const [message] = explore(Buffer.from(text)).messages;
    assert.deepEqual([message?.layers.map(({ layer }) => layer), message?.findings], [[format], []]);
    const values = message?.layers[0]?.fields.map(({ value }) => value) ?? [];
    for (const value of [INTERNET.name, "s3'\"cret", MMS.mmsc ?? ""])
      assert.ok(values.includes(value), value);
  });

test("both read back to what was written, but for whose SIMs, which a policy has no place for", () => {
  const [xml, policy] = [
    decodeApnsConf(Buffer.from(fileOf("apns-conf"))),
    decodeApnPolicy(fileOf("android-management")),
  ];
  assert.deepEqual(xml[0]?.mvno, { type: "gid", data: "0A" });
  assert.deepEqual(policy[0]?.mvno, { type: "gid", data: "" });
  const bare = (apns: typeof xml) => apns.map(({ mvno: _, ...apn }) => apn);
  assert.deepEqual(bare(policy), bare(xml));
  assert.deepEqual(
    xml.map(({ types, mcc, mnc }) => [types, mcc, mnc]),
    [
      [["default", "supl"], "001", "01"],
      [["mms"], "001", "010"],
    ],
  );
});

test("what is written is read by the import of access points as any other file of its kind", () => {
  const rows = [...androidRows(fileOf("apns-conf"))].flatMap(({ row }) =>
    typeof row === "string" ? [] : [row],
  );
  assert.deepEqual(
    rows.map(({ name, apn, user, password, mmsc, mms_proxy, mms_port, gid1 }) => [
      ...[name, apn, user, password, mmsc, mms_proxy, mms_port, gid1],
    ]),
    [
      [INTERNET.name, "internet.example", "u&<ser>", "s3'\"cret", "", "", "", "0A"],
      ["MMS", "mms.example", "", "", MMS.mmsc, "192.0.2.7", "8080", undefined],
    ],
  );
});

test("a password leaves for an administrator alone, one access point is taken by its id, and none is said to be none", () => {
  for (const format of ["apns-conf", "android-management"] as const) {
    assert.ok(!fileOf(format, false).includes("s3"), "the password is hidden");
    const one = fileOfAccessPoints([INTERNET, MMS], { format, id: MMS.id, seesSecrets: true }).text;
    assert.ok(one.includes("mms.example") && !one.includes("internet.example"));
    assert.throws(
      () => fileOfAccessPoints([INTERNET], { format, id: MMS.id, seesSecrets: true }),
      (error) => error instanceof TurnupError && error.code === "access_point_not_found",
    );
  }
});

test("what is no such file, or no access point, is refused", () => {
  for (const xml of [
    "<apns><apn/></apns>",
    '<apns><apn apn="x" mcc="1" mnc="2" type="none"/></apns>',
    "<x/>",
    "",
  ])
    assert.throws(() => decodeApnsConf(Buffer.from(xml)), DecodeError);
  const policyOf = (setting: string): string =>
    `{"deviceConnectivityManagement":{"apnPolicy":{"apnSettings":[${setting}]}}}`;
  const noText = '{"apn":"x","numericOperatorId":"00101","apnTypes":[{"toString":1,"valueOf":1}]}';
  for (const json of ["", "[]", "{}", policyOf("7"), policyOf(noText)])
    assert.throws(() => decodeApnPolicy(json), DecodeError);
});
