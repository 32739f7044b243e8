/** The account of a management server (OMA DM) as a device finds it in an OMA CP document: APPLICATION w7. */
import type { Characteristic, ProvisioningDocument } from "../wire/omacp/document.ts";

export type DeviceAccount = {
  readonly serverId: string;
  readonly url: string;
  /** Of the device, by which the server knows it, and of the server, by which the device does. Nonces are Base64. */
  readonly device: DeviceCredential;
  readonly server: DeviceCredential;
};
type DeviceCredential = { readonly name: string; readonly secret: string; readonly nonce: string };

const parmOf = ({ parms }: Characteristic, name: string): string | undefined =>
  parms.find((parm) => parm.name === name)?.value ?? undefined;
const inside = ({ characteristics }: Characteristic, type: string): Characteristic[] =>
  characteristics.filter((one) => one.type === type);

/** Undefined where there is none that is whole: who and where the server is, and both credentials. */
export function accountIn({ characteristics }: ProvisioningDocument): DeviceAccount | undefined {
  const application = characteristics.find(
    (one) => one.type === "APPLICATION" && parmOf(one, "APPID") === "w7",
  );
  if (!application) return undefined;
  const serverId = parmOf(application, "PROVIDER-ID");
  const [address] = inside(application, "APPADDR");
  const url = address && parmOf(address, "ADDR");
  const device = credentialIn(application, "APPSRV");
  const server = credentialIn(application, "CLIENT");
  return serverId && url && device && server ? { serverId, url, device, server } : undefined;
}

function credentialIn(application: Characteristic, level: string): DeviceCredential | undefined {
  const auth = inside(application, "APPAUTH").find((one) => parmOf(one, "AAUTHLEVEL") === level);
  const name = auth && parmOf(auth, "AAUTHNAME");
  const secret = auth && parmOf(auth, "AAUTHSECRET");
  return auth && name && secret ? { name, secret, nonce: parmOf(auth, "AAUTHDATA") ?? "" } : undefined;
}
