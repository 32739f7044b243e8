/**
 * Whether a message is of the device whose account it names (OMA-TS-DM_Security 1.2.1 §5.3, §5.4): by a MAC of its body, by a digest
 * in its header, or by the session that such a digest began. Plain passwords are not taken.
 */
import { timingSafeEqual } from "node:crypto";
import { encodeBodyMac, encodeMd5Credential, type HmacHeader } from "../../wire/omadm/auth.ts";
import type { DmMessage } from "../../wire/omadm/message.ts";
import { type ManagementAccount, octetsOf } from "./account.ts";
import { isSameSession, type ManagementSession } from "./session.ts";

type Proof = "mac" | "digest" | "session" | "refused" | "missing";

type Asked = {
  readonly message: DmMessage;
  readonly body: Uint8Array;
  readonly mac: HmacHeader | null;
};

/** @param nonce that it is to be made with, Base64: the account's, or one that was just given to whoever failed */
export function proofOf(
  { message, body, mac }: Asked,
  account: ManagementAccount,
  session: ManagementSession | null,
  nonce: string,
): Proof {
  const { user, deviceHash } = account;
  if (mac) {
    const isDevice = mac.user === user && isEqual(mac.mac, encodeBodyMac(deviceHash, octetsOf(nonce), body));
    return isDevice ? "mac" : "refused";
  }
  const { credential } = message;
  if (credential) {
    const isDevice =
      credential.type === "syncml:auth-md5" &&
      (message.sourceName ?? user) === user &&
      isEqual(credential.data, encodeMd5Credential(deviceHash, octetsOf(nonce)));
    return isDevice ? "digest" : "refused";
  }
  const isOpen =
    session !== null &&
    session.phase !== "done" &&
    !session.isByMac &&
    isSameSession(session.id, message.sessionId);
  return isOpen ? "session" : "missing";
}

function isEqual(one: string, other: string): boolean {
  const [a, b] = [Buffer.from(one), Buffer.from(other)];
  return a.length === b.length && timingSafeEqual(a, b);
}
