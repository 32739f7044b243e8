/**
 * Whether a manufacturer's key may be sent on: signed by who may, for this handset, valid now. One that was made before its
 * handset was known is bound to it here, at its first use (US 11,109,201 Fig. 5A; claims 14 and 16: unique to the device).
 */
import type { KeyObject } from "node:crypto";
import { bindDeviceKey, binderOf, verifyDeviceKey } from "../../wire/message/device-key.ts";
import { type DeviceKey, decodeDeviceKey } from "../../wire/message/device-key-form.ts";

type CheckedKey =
  | { readonly kind: "good"; readonly key: DeviceKey }
  | { readonly kind: "wrong"; readonly cause: string; readonly reason: string };

/** For which handset, and by whose word. */
type KeyCheck = {
  readonly publicKeyOf: (issuer: string) => KeyObject | undefined;
  readonly imei: string;
  readonly now: Date;
  /** Who gave it, for words: the manufacturer's key server where nobody is named. */
  readonly giver?: string;
};

/** The key as it goes to the handset: bound to it, where its maker left that to us. */
export function boundToHandset(bytes: Uint8Array, imei: string, binder: KeyObject): Uint8Array {
  const { binder: named, bound } = formOf(bytes) ?? {};
  if (!named || bound || !Buffer.from(named).equals(binderOf(binder))) return bytes;
  return bindDeviceKey(bytes, imei, binder);
}

/** Undefined where it is no key at all; the check tells why. */
function formOf(bytes: Uint8Array): DeviceKey | undefined {
  try {
    return decodeDeviceKey(bytes);
  } catch {
    return undefined;
  }
}

export function checkMakerKey(
  bytes: Uint8Array,
  { publicKeyOf, imei, now, giver = "the manufacturer's key server" }: KeyCheck,
): CheckedKey {
  const verdict = verifyDeviceKey(bytes, publicKeyOf, imei, now);
  if (verdict.kind === "valid") {
    if (verdict.key.boundTo === "handset" || verdict.key.bound) return { kind: "good", key: verdict.key };
    return {
      kind: "wrong",
      cause: "key_not_unique",
      reason: `${giver} sent a key for a whole model, where one for this handset was asked for`,
    };
  }
  return {
    kind: "wrong",
    cause: `key_${verdict.reason}`,
    reason: `${giver} sent a key that may not be used: ${verdict.detail}`,
  };
}
