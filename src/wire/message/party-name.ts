/**
 * How the parties of the road are named in their certificates: URIs among the subject alternative names, never the
 * common name. Source for the device: RFC 7254 (TAC-SNR-spare); the rest is ours.
 *
 *   urn:gsma:imei:35693803-564380-0    a device; the last digit is the spare 0, the check digit is rebuilt
 *   imei-356938035643809               the same as a DNS name, in requests of clients that write no URI (strongSwan's pki)
 *   urn:turnup:device:<uuid>           the same, by its account at a proxy
 *   urn:turnup:proxy:<id>              a proxy towards provisioning servers
 */

import { onlyOf } from "../../term/collections.ts";
import { TurnupError } from "../../term/error.ts";
import { type Imei, imei14Of, imeiFromNetwork, parseImei } from "../../term/imei.ts";

const ID = /^[A-Za-z0-9._-]{1,64}$/;
const UUID = /^[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$/;

/** `urn:gsma:imei:` with TAC, serial number and the spare digit 0 (RFC 7254). */
export function imeiNameOf(imei: Imei): string {
  const digits = imei14Of(imei);
  return `urn:gsma:imei:${digits.slice(0, 8)}-${digits.slice(8)}-0`;
}

/** A device as a DNS name: `imei-` and its 15 digits. Asked with, never issued. */
export const imeiHostOf = (imei: Imei): string => `imei-${imei}`;

/**
 * The devices that a request for a certificate names, each once.
 * @param names `uri:...` and `dns:...`; what names no device is passed over
 */
export function imeisAskedIn(names: readonly string[]): readonly Imei[] {
  const found = names.flatMap((name) => {
    const [, digits] = /^dns:imei-(\d{15})$/i.exec(name) ?? [];
    const imei = digits === undefined ? imeiInNames([name.replace(/^uri:/, "")]) : imeiIn(digits);
    return imei === undefined ? [] : [imei];
  });
  return [...new Set(found)];
}

function imeiIn(digits: string): Imei | undefined {
  try {
    return parseImei(digits);
  } catch (error) {
    if (error instanceof TurnupError) return undefined;
    throw error;
  }
}

/** A device's name by its account at a proxy, where the certificate is not to tell the IMEI. */
export const deviceNameOf = (uuid: string): string => `urn:turnup:device:${uuid}`;
/** A proxy's name towards provisioning servers, by its id there. */
export const proxyNameOf = (id: string): string => `urn:turnup:proxy:${id}`;

/** The one device that the names tell; undefined where they tell none, or more than one. */
export function imeiInNames(names: readonly string[]): Imei | undefined {
  const found = names.flatMap((name) => {
    const [, tac, snr] = /^urn:gsma:imei:(\d{8})-(\d{6})-0$/.exec(name) ?? [];
    return tac === undefined ? [] : [`${tac}${snr}`];
  });
  const imei = onlyOf(found);
  if (imei === undefined) return undefined;
  try {
    return imeiFromNetwork(imei);
  } catch (error) {
    if (error instanceof TurnupError) return undefined;
    throw error;
  }
}

/** The account that the names tell, a UUID; undefined where they tell none, or more than one. */
export const deviceInNames = (names: readonly string[]): string | undefined =>
  only(names, /^urn:turnup:device:(.+)$/, UUID);
/** The proxy's id that the names tell; undefined where they tell none, or more than one. */
export const proxyInNames = (names: readonly string[]): string | undefined =>
  only(names, /^urn:turnup:proxy:(.+)$/, ID);

function only(names: readonly string[], form: RegExp, shape: RegExp): string | undefined {
  const found = onlyOf(names.flatMap((name) => form.exec(name)?.[1] ?? []));
  return found !== undefined && shape.test(found) ? found : undefined;
}
