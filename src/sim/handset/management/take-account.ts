/** A phone of the fleet takes the account that a message brought, and is managed from then on. */
import type { DeviceAccount } from "../../../device/management-account.ts";
import type { FleetState, Phone } from "../fleet-state.ts";
import type { ManagedModel } from "./client.ts";
import { freshTree } from "./tree.ts";

const COMMON_MODEL: ManagedModel = { kind: "connmo", encoding: "wbxml", proof: "digest" };
const NONCE_OCTETS = 8;

/** A server that sets it up anew takes the place of the one before; its tree stays. */
export function takeAccount(fleet: FleetState, phone: Phone, account: DeviceAccount): void {
  const { manage } = fleet.options;
  if (!manage) return;
  if (phone.managed) {
    phone.managed.account = account;
    return;
  }
  const { imei, make, model, managed = COMMON_MODEL } = phone.status.spec;
  phone.managed = {
    imei,
    model: managed,
    account,
    tree: freshTree(managed.kind, {
      "./DevInfo/DevId": `IMEI:${imei}`,
      "./DevInfo/Man": make,
      "./DevInfo/Mod": model,
      "./DevInfo/DmV": "1.2",
      "./DevInfo/Lang": "en",
      "./DevDetail/FwV": `${model} 1.0`,
    }),
    freshNonce: () =>
      Buffer.from(Array.from({ length: NONCE_OCTETS }, () => fleet.chance.between(0, 255))).toString(
        "base64",
      ),
    post: manage,
  };
}
