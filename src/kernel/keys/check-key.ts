/** Whether an answer of a manufacturer's key server may be sent on: signed by who may, for this handset, valid now. */
import type { KeyObject } from "node:crypto";
import { type DeviceKey, verifyDeviceKey } from "../../wire/message/device-key.ts";

type CheckedKey =
  | { readonly kind: "good"; readonly key: DeviceKey }
  | { readonly kind: "wrong"; readonly cause: string; readonly reason: string };

export function checkMakerKey(
  bytes: Uint8Array,
  publicKeyOf: (issuer: string) => KeyObject | undefined,
  imei: string,
  now: Date,
): CheckedKey {
  const verdict = verifyDeviceKey(bytes, publicKeyOf, imei, now);
  if (verdict.kind === "valid") {
    if (verdict.key.boundTo === "handset") return { kind: "good", key: verdict.key };
    return {
      kind: "wrong",
      cause: "key_not_unique",
      reason:
        "the manufacturer's key server sent a key for a whole model, where one for this handset was asked for",
    };
  }
  return {
    kind: "wrong",
    cause: `key_${verdict.reason}`,
    reason: `the manufacturer's key server sent a key that may not be used: ${verdict.detail}`,
  };
}
