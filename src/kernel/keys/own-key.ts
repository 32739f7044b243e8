/** A device key of the own store (US 11,109,201 Fig. 5A): made for one handset, signed by the operator's own issuer. */
import type { KeyObject } from "node:crypto";
import { bindingOf, signDeviceKey } from "../../wire/message/device-key.ts";
import { type KeyAccessPoint, MAX_ACCESS_POINTS } from "../../wire/message/device-key-form.ts";

const VALID_DAYS = 365;
const DAY_MS = 86_400_000;

type OwnKeyOrder = {
  readonly imei: string;
  /** 16 fresh random octets each. */
  readonly keyId: Uint8Array;
  readonly confirmSecret: Uint8Array;
  readonly accessPoints: readonly KeyAccessPoint[];
  readonly hosts: readonly string[];
  readonly deleteAfterUse: boolean;
  readonly issuer: string;
  readonly privateKey: KeyObject;
  readonly now: Date;
};

export function issueOwnKey(order: OwnKeyOrder): { readonly bytes: Uint8Array; readonly notAfter: Date } {
  const notBefore = new Date(order.now.getTime() - DAY_MS); // a handset's clock may be a day behind
  const notAfter = new Date(order.now.getTime() + VALID_DAYS * DAY_MS);
  const bytes = signDeviceKey(
    {
      keyId: order.keyId,
      issuer: order.issuer,
      boundTo: "handset",
      binding: bindingOf(order.confirmSecret, order.keyId, order.imei),
      confirmSecret: order.confirmSecret,
      notBefore,
      notAfter,
      script: {
        openSession: true,
        insertAccessPoints: true,
        closeSession: true,
        deleteAfterUse: order.deleteAfterUse,
      },
      hosts: order.hosts,
      accessPoints: order.accessPoints.slice(0, MAX_ACCESS_POINTS),
    },
    order.privateKey,
  );
  return { bytes, notAfter };
}
