/** CAMARA Device Identifier 0.3.0: which handset a line is in, of which type, or under which name for this client alone. */
import { type Access, numberOf, RefusalError } from "../../kernel/exposure/access.ts";
import type { LineDevice } from "../../kernel/exposure/line.ts";
import { imei14Of, tacOf } from "../../term/imei.ts";
import { isObject } from "../../term/narrow.ts";
import type { CamaraDeps, CamaraOperation } from "./camara-operation.ts";

const BASE = "/device-identifier/v0.3";
/** How a device may be named (schema Device); we know lines by their number. */
const IDENTIFIERS = ["phoneNumber", "networkAccessIdentifier", "ipv4Address", "ipv6Address"];

type Asked = { readonly device: LineDevice; readonly repeated: Readonly<Record<string, unknown>> };

export const deviceIdentifier: readonly CamaraOperation[] = [
  operation("retrieve-identifier", (deps, { client }, device) => ({
    ...typeOf(deps, client.operatorId, device),
    imei: device.imei,
    ...(device.softwareVersion !== null && { imeisv: imei14Of(device.imei) + device.softwareVersion }),
  })),
  operation("retrieve-type", (deps, { client }, device) => typeOf(deps, client.operatorId, device)),
  operation("retrieve-ppid", (deps, { client }, device) => ({ ppid: deps.pseudonymOf(client, device.imei) })),
];

function operation(
  name: string,
  told: (deps: CamaraDeps, access: Access, device: LineDevice) => Readonly<Record<string, unknown>>,
): CamaraOperation {
  return {
    method: "POST",
    path: `${BASE}/${name}`,
    scopes: [`device-identifier:${name}`],
    async answer(deps, access, body) {
      const { device, repeated } = await askedOf(deps, access, body);
      return { ...repeated, lastChecked: device.lastSeenAt.toISOString(), ...told(deps, access, device) };
    },
  };
}

async function askedOf(
  deps: CamaraDeps,
  access: Access,
  body: Readonly<Record<string, unknown>>,
): Promise<Asked> {
  const named = deviceIn(body.device);
  if (named && access.subject !== null)
    throw new RefusalError("UNNECESSARY_IDENTIFIER", "The device is already identified by the access token.");
  if (named && named.phoneNumber === undefined)
    throw new RefusalError("UNSUPPORTED_IDENTIFIER", "A device is known here by its phoneNumber alone.");
  const line = await deps.lines.lineOf(access.client.operatorId, numberOf(access, named?.phoneNumber));
  if (!line) throw new RefusalError("IDENTIFIER_NOT_FOUND", "The phone number is none of this operator's.");
  if (!line.device)
    throw new RefusalError("SERVICE_NOT_APPLICABLE", "The number was never seen in a device.");
  const isOneOfSeveral = named !== undefined && named.count > 1;
  return {
    device: line.device,
    repeated: isOneOfSeveral ? { device: { phoneNumber: named.phoneNumber } } : {},
  };
}

function deviceIn(
  device: unknown,
): { readonly phoneNumber: string | undefined; readonly count: number } | undefined {
  if (device === undefined) return undefined;
  const names = isObject(device) ? IDENTIFIERS.filter((name) => device[name] !== undefined) : [];
  if (!isObject(device) || names.length === 0)
    throw new RefusalError("INVALID_ARGUMENT", `device has one of ${IDENTIFIERS.join(", ")}.`);
  const { phoneNumber } = device;
  if (phoneNumber !== undefined && typeof phoneNumber !== "string")
    throw new RefusalError("INVALID_ARGUMENT", "device.phoneNumber is text.");
  return { phoneNumber, count: names.length };
}

function typeOf(
  deps: CamaraDeps,
  operatorId: string,
  { imei }: LineDevice,
): Readonly<Record<string, unknown>> {
  const type = deps.typeOf(operatorId, imei);
  return { tac: tacOf(imei), ...(type && { model: type.model, manufacturer: type.make }) };
}
