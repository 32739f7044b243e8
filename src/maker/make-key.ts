/** Makes and signs one key: for a handset that is named, for a model, or for whichever handset its binder gives it to. */

import { money, portionOf } from "../term/money.ts";
import { assured } from "../term/narrow.ts";
import { hexOf } from "../wire/hex.ts";
import { bindingOf, signDeviceKey } from "../wire/message/device-key.ts";
import { BINDING_OCTETS, type DeviceKeyBody } from "../wire/message/device-key-form.ts";
import type { KeyRequest } from "../wire/message/maker-api.ts";
import type { Issued } from "./books.ts";
import type { Maker, MakerClient } from "./policy.ts";

export function makeKey(
  maker: Maker,
  client: MakerClient,
  request: KeyRequest & { readonly handset: string | null },
  now: Date,
): Issued {
  const keyId = maker.freshOctets(KEY_ID_OCTETS);
  const confirmSecret = maker.freshOctets(CONFIRM_SECRET_OCTETS);
  const notAfter = new Date(now.getTime() + maker.policy.validityMs);
  const { accessPoints, hosts } = assured(
    maker.policy.offerOf(request.network),
    "a network without an agreement was refused",
  );
  const key = signDeviceKey(
    {
      keyId,
      issuer: maker.policy.issuer,
      ...tieOf(request, confirmSecret, keyId),
      ...(request.binder && !request.uniqueId && { binder: octetsOfHex(request.binder) }),
      confirmSecret,
      notBefore: new Date(now.getTime() - CLOCK_SLACK_MS),
      notAfter,
      script: {
        openSession: true,
        insertAccessPoints: true,
        closeSession: true,
        deleteAfterUse: maker.policy.deleteAfterUse && request.deleteAfterUse !== false,
      },
      hosts,
      accessPoints,
    },
    maker.policy.signingKey,
  );
  return {
    kind: "issued",
    keyId: hexOf(keyId),
    clientId: client.id,
    requestId: request.requestId,
    handset: request.handset,
    key: Buffer.from(key).toString("base64"),
    confirmSecret: hexOf(confirmSecret),
    notAfterMs: notAfter.getTime(),
    portionMinor: portionMinorOf(client),
    currency: client.currency,
    atMs: now.getTime(),
  };
}
/** What its maker's signature ties the key to: the handset that was named, else the model, else nothing. */

function tieOf(
  { uniqueId, model }: Pick<KeyRequest, "uniqueId" | "model">,
  confirmSecret: Uint8Array,
  keyId: Uint8Array,
): Pick<DeviceKeyBody, "boundTo" | "binding"> {
  if (uniqueId) return { boundTo: "handset", binding: bindingOf(confirmSecret, keyId, uniqueId.imei) };
  if (model) return { boundTo: "model", binding: bindingOf(confirmSecret, keyId, model.tac, "model") };
  return { boundTo: "none", binding: new Uint8Array(BINDING_OCTETS) };
}
const octetsOfHex = (hex: string): Uint8Array => Uint8Array.from(Buffer.from(hex, "hex"));
/** Before the moment of issue, for handsets whose clock is slow. */
const CLOCK_SLACK_MS = 24 * 3600000;
const KEY_ID_OCTETS = 16;
const CONFIRM_SECRET_OCTETS = 16;
/** What a client owes for one key: by the same function as the operator's books. */
const portionMinorOf = ({ feeMinor, portionBasisPoints, currency }: MakerClient): number =>
  Number(portionOf(money(feeMinor, currency), portionBasisPoints).portion.amountMinor); // no more than the fee, which is safe
