/**
 * What a device and this server share for OMA DM: names, the hashes of two passwords and two nonces. Passwords are made once,
 * stand in the bootstrap, and are kept nowhere: whoever checks needs the hash alone (OMA-TS-DM_Security 1.2.1 §5.3).
 */
import { credentialHash } from "../../wire/omadm/auth.ts";

export type ManagementAccount = {
  /** PROVIDER-ID of the account; clients in the field take 23 octets at most. */
  readonly serverId: string;
  /** By which the device names itself. */
  readonly user: string;
  /** B64(H(name ":" password)) of the device, and of the server. */
  readonly deviceHash: string;
  readonly serverHash: string;
  /** Base64: what the device's next proof is made with, and ours. */
  readonly deviceNonce: string;
  readonly serverNonce: string;
};

/** An account with its passwords, for the bootstrap alone. */
export type NewManagementAccount = {
  readonly account: ManagementAccount;
  readonly devicePassword: string;
  readonly serverPassword: string;
};

/** The specification recommends 16 random octets or more for both. */
const SECRET_OCTETS = 16;
const USER_OCTETS = 9;
const SERVER_ID_DIGITS = 12;

/** One server id an operator, so that a device holds one account of theirs, however often it is set up. */
const serverIdOf = (operatorId: string): string =>
  `turnup-${operatorId.replaceAll("-", "").slice(-SERVER_ID_DIGITS)}`;

/** @param draw octets of chance */
export function newManagementAccount(
  operatorId: string,
  draw: (octets: number) => Uint8Array,
): NewManagementAccount {
  const text = (octets: number): string => Buffer.from(draw(octets)).toString("base64url");
  const serverId = serverIdOf(operatorId);
  const user = text(USER_OCTETS);
  const [devicePassword, serverPassword] = [text(SECRET_OCTETS), text(SECRET_OCTETS)];
  return {
    account: {
      serverId,
      user,
      deviceHash: credentialHash(user, devicePassword),
      serverHash: credentialHash(serverId, serverPassword),
      deviceNonce: nonceFrom(draw),
      serverNonce: nonceFrom(draw),
    },
    devicePassword,
    serverPassword,
  };
}

/** Base64 of fresh octets. */
const nonceFrom = (draw: (octets: number) => Uint8Array): string =>
  Buffer.from(draw(SECRET_OCTETS)).toString("base64");

export const octetsOf = (nonce: string): Uint8Array => Uint8Array.from(Buffer.from(nonce, "base64"));
