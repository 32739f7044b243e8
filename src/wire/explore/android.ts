/** Access points for Android, as XML or as a policy: each with its values. */
import { type AndroidApn, decodeApnPolicy, decodeApnsConf } from "../android/apn.ts";
import { type Explored, type ExploredField, fieldsOf, NOTHING_READ } from "./field.ts";

const CLAUSES = {
  "apns-conf": { title: "Android's apns-conf.xml", clause: "AOSP apns-full-conf.xml, version 8" },
  "android-management": {
    title: "apnPolicy of Android management",
    clause: "Android Management API v1 ApnSetting",
  },
} as const;

const told = (layer: keyof typeof CLAUSES, bytes: Uint8Array, apns: readonly AndroidApn[]): Explored => {
  const { title, clause } = CLAUSES[layer];
  const fields = apns.flatMap((apn, at) =>
    Object.entries({ ...apn, mvno: apn.mvno && `${apn.mvno.type} ${apn.mvno.data}` }).flatMap(
      ([name, value]): ExploredField[] =>
        value === null
          ? []
          : [fieldsOf(bytes)(`access point ${at + 1}/${name}`, [0, 0], { value: String(value), clause })],
    ),
  );
  return { ...NOTHING_READ, layers: [{ layer, title, at: 0, length: bytes.length, fields }] };
};

/** @throws DecodeError no such file */
export const exploredApnsConf = (bytes: Uint8Array): Explored => ({
  ...told("apns-conf", bytes, decodeApnsConf(bytes)),
  xml: Buffer.from(bytes).toString("utf8"),
});

/** @throws DecodeError no policy with access points */
export const exploredApnPolicy = (bytes: Uint8Array): Explored =>
  told("android-management", bytes, decodeApnPolicy(Buffer.from(bytes).toString("utf8")));
