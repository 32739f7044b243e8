/**
 * Package 0: the message that asks a device to open a management session. Source: OMA-TS-DM_Notification 1.2.1 §6.2, §6.3.
 *
 *   | digest: 16 | version: 10 bits, ui-mode: 2, initiator: 1, future use: 27 | session id: 2 | length: 1 | server id | vendor's |
 *
 * Big-endian. The version is 1.1 (11), although the protocol is 1.2. The digest is over all that follows it:
 * H(B64(H(serverId ":" password)) ":" nonce ":" B64(H(trigger))), H = MD5.
 */
import { createHash, timingSafeEqual } from "node:crypto";
import { TurnupError } from "../../term/error.ts";
import { DecodeError } from "../decode-error.ts";
import { octetAt } from "../octet-at.ts";

export const NOTIFICATION_CONTENT_TYPE = "application/vnd.syncml.notification";
/** X-WAP-Application-Id of OMA DM. */
export const DM_APPLICATION_ID = 0x07;

/** What the device asks its user before the session, by its number. */
export const UI_MODES = ["unspecified", "background", "informative", "interaction"] as const;
const INITIATORS = ["user", "server"] as const;
/** 1.1, times ten. */
const VERSION = 11;
const DIGEST_OCTETS = 16;
const HEAD_OCTETS = 24;
const SERVER_ID_OCTETS_MAX = 255;
/** A push of a few SMS; phones take less. */
const NOTIFICATION_OCTETS_MAX = 1_024;

export type Notification = {
  /** Digest of another version is read too: some clients do not look at it. */
  readonly version: number;
  /** What the device asks its user before the session. */
  readonly uiMode: (typeof UI_MODES)[number];
  readonly initiator: (typeof INITIATORS)[number];
  /** 1 to 65535; in messages {@link sessionIdText}. */
  readonly sessionId: number;
  readonly serverId: string;
  readonly vendor: Uint8Array;
};
export type NewNotification = Omit<Notification, "version" | "vendor">;

/** What server and device share: B64(H(serverId ":" password)), and the server's nonce as octets. */
export type NotificationSecret = { readonly hash: string; readonly nonce: Uint8Array };

/** The nonce where both sides have lost theirs (DM_Security §5.3.1): four zero octets. */
export const resyncNonce = (): Uint8Array => new Uint8Array(4);

/** Of messages: upper-case hexadecimal without leading zeros. */
export const sessionIdText = (sessionId: number): string => sessionId.toString(16).toUpperCase();

/** @throws TurnupError `payload_malformed`: a session of 0, or a server id that is empty, too long or not of one octet a character */
export function encodeNotification(notification: NewNotification, secret: NotificationSecret): Uint8Array {
  const { uiMode, initiator, sessionId, serverId } = notification;
  const id = Buffer.from(serverId, "utf8");
  if (id.length === 0 || id.length > SERVER_ID_OCTETS_MAX)
    throw malformed(`A server id of ${id.length} octets.`);
  if (!Number.isInteger(sessionId) || sessionId < 1 || sessionId > 0xffff)
    throw malformed(`No session ${sessionId}.`);
  const head = (VERSION << 6) | (UI_MODES.indexOf(uiMode) << 4) | (INITIATORS.indexOf(initiator) << 3);
  const trigger = Buffer.alloc(HEAD_OCTETS - DIGEST_OCTETS + id.length);
  trigger.writeUInt16BE(head, 0);
  trigger.writeUInt16BE(sessionId, 5);
  trigger.writeUInt8(id.length, 7);
  id.copy(trigger, 8);
  return Uint8Array.from(Buffer.concat([digestOf(trigger, secret), trigger]));
}

/** @throws DecodeError with the offset: cut short, too long, a session of 0, or a server id that is no text */
export function decodeNotification(bytes: Uint8Array): Notification {
  if (bytes.length > NOTIFICATION_OCTETS_MAX) {
    throw new DecodeError(
      `a notification of more than ${NOTIFICATION_OCTETS_MAX} octets`,
      NOTIFICATION_OCTETS_MAX,
    );
  }
  if (bytes.length < HEAD_OCTETS) throw new DecodeError("notification cut short", bytes.length);
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  const head = view.getUint16(DIGEST_OCTETS);
  const sessionId = view.getUint16(DIGEST_OCTETS + 5);
  if (sessionId === 0) throw new DecodeError("session 0", DIGEST_OCTETS + 5);
  const end = HEAD_OCTETS + octetAt(bytes, HEAD_OCTETS - 1);
  if (end > bytes.length) throw new DecodeError("server id cut short", HEAD_OCTETS - 1);
  const serverId = Buffer.from(bytes.subarray(HEAD_OCTETS, end)).toString("utf8");
  if (serverId === "" || /[\p{Cc}\ufffd]/u.test(serverId))
    throw new DecodeError("a server id that is no text", HEAD_OCTETS);
  return {
    version: head >> 6,
    uiMode: UI_MODES[(head >> 4) & 3] ?? "unspecified",
    initiator: INITIATORS[(head >> 3) & 1] ?? "user",
    sessionId,
    serverId,
    vendor: bytes.slice(end),
  };
}

/** Whether whoever sent the octets knows the secret. */
export function isNotificationFrom(bytes: Uint8Array, secret: NotificationSecret): boolean {
  if (bytes.length < HEAD_OCTETS) return false;
  return timingSafeEqual(bytes.subarray(0, DIGEST_OCTETS), digestOf(bytes.subarray(DIGEST_OCTETS), secret));
}

function digestOf(trigger: Uint8Array, { hash, nonce }: NotificationSecret): Buffer {
  const inner = createHash("md5").update(trigger).digest("base64");
  return createHash("md5").update(`${hash}:`).update(nonce).update(`:${inner}`).digest();
}

const malformed = (fact: string): TurnupError => new TurnupError("payload_malformed", fact);
