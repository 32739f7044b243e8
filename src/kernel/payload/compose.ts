/**
 * From decisions to octets: what a message carries, and the SMS parts that it is sent as. Composing and cutting are
 * apart, because a message that was interrupted is cut again from the same octets with the same reference: a phone that
 * got some parts twice drops the doubles.
 */

import { dropOldest } from "../../term/collections.ts";
import { DEVICE_KEY_CONTENT_TYPE } from "../../wire/message/device-key.ts";
import { encodeKnock, KNOCK_CONTENT_TYPE, type Knock } from "../../wire/message/knock.ts";
import { NOTICE_CONTENT_TYPE } from "../../wire/message/notice.ts";
import { encodeNokiaOta, NOKIA_BOOKMARKS, NOKIA_SETTINGS } from "../../wire/nokiaota/codec.ts";
import { encodeProvisioning } from "../../wire/omacp/codec.ts";
import type { ProvisioningDocument } from "../../wire/omacp/document.ts";
import { macOf, type Sec } from "../../wire/omacp/mac.ts";
import { encodeSi, encodeSl, SI_CONTENT_TYPE, SL_CONTENT_TYPE } from "../../wire/si/codec.ts";
import { UDHI } from "../../wire/smpp/user-data.ts";
import { splitUserData } from "../../wire/sms/split.ts";
import { encodeText } from "../../wire/sms/text.ts";
import { encodeMultipart } from "../../wire/wsp/multipart.ts";
import { encodePush } from "../../wire/wsp/push.ts";
import { nokiaBookmark, nokiaSettings } from "./nokia-settings.ts";
import { settingsDocument } from "./settings-document.ts";
import type { SettingsValues } from "./settings-values.ts";

const OMA_CP_CONTENT_TYPE = "application/vnd.wap.connectivity-wbxml";
const MULTIPART_CONTENT_TYPE = "application/vnd.wap.multipart.mixed";
const UTF_8 = 106;
const TRANSACTION_ID = 1;
const PORTS = {
  wap: { destPort: 2948, srcPort: 9200 },
  nokia: { destPort: 49999, srcPort: 49154 },
} as const;
const EIGHT_BIT = 0x04;

/** How a message proves where it comes from. `imsi` and `pin` are needed as `sec` says. */
export type Authentication =
  | { readonly sec: "netwpin"; readonly imsi: string }
  | { readonly sec: "userpin"; readonly pin: string };

/** A part as it goes into `short_message`: UDH before the data, `esm_class` with its UDHI bit where there is a UDH. */
export type MessagePart = { readonly udh: Uint8Array; readonly data: Uint8Array };

export const esmClassOf = ({ udh }: MessagePart): number => (udh.length > 0 ? UDHI : 0);
type MessageParts = { readonly dataCoding: number; readonly parts: readonly MessagePart[] };

/** Documents differ by operator, not by subscriber: a few hundred serve all. */
const MAX_CACHED_DOCUMENTS = 512;
const documents = new Map<string, Uint8Array>();

/** The WBXML of settings; the same settings are encoded once. */
function encodeSettings(values: SettingsValues): Uint8Array {
  const key = JSON.stringify(values);
  const known = documents.get(key);
  if (known) return known;
  const bytes = encodeProvisioning(settingsDocument(values));
  documents.set(key, bytes);
  dropOldest(documents, MAX_CACHED_DOCUMENTS);
  return bytes;
}

/** A WSP push with settings, signed by OMA CP's SEC and MAC. */
export const composeOmaCp = (values: SettingsValues, authentication: Authentication): Uint8Array =>
  signedPush(encodeSettings(values), authentication);

/** The same for a document of any kind. */
export const composeProvisioning = (
  document: ProvisioningDocument,
  authentication: Authentication,
): Uint8Array => signedPush(encodeProvisioning(document), authentication);

function signedPush(body: Uint8Array, authentication: Authentication): Uint8Array {
  return encodePush({
    transactionId: TRANSACTION_ID,
    contentType: OMA_CP_CONTENT_TYPE,
    sec: authentication.sec,
    mac: macFor(authentication, body),
    body,
  });
}

/** Nokia/Ericsson OTA settings 7.0, for phones from before OMA CP: it knows no authentication. */
export const composeNokia = (values: SettingsValues): Uint8Array[] =>
  nokiaSettings(values).map((document) =>
    encodePush({
      transactionId: TRANSACTION_ID,
      contentType: NOKIA_SETTINGS,
      charset: UTF_8,
      body: encodeNokiaOta(document),
    }),
  );

export function composeKey(key: Uint8Array): Uint8Array {
  return encodePush({ transactionId: TRANSACTION_ID, contentType: DEVICE_KEY_CONTENT_TYPE, body: key });
}

/** Key and settings in one message, key first: it opens the road that the settings use. */
export function composePackage(
  key: Uint8Array,
  values: SettingsValues,
  authentication: Authentication,
): Uint8Array {
  const settings = encodeSettings(values);
  return encodePush({
    transactionId: TRANSACTION_ID,
    contentType: MULTIPART_CONTENT_TYPE,
    body: encodeMultipart([
      { contentType: DEVICE_KEY_CONTENT_TYPE, params: {}, body: key },
      {
        contentType: OMA_CP_CONTENT_TYPE,
        params: { SEC: authentication.sec, MAC: macFor(authentication, settings) },
        body: settings,
      },
    ]),
  });
}

/** A notice to the client module, sealed under the key that it shares with us. */
export function composeNotice(notice: Uint8Array): Uint8Array {
  return encodePush({ transactionId: TRANSACTION_ID, contentType: NOTICE_CONTENT_TYPE, body: notice });
}

/** What waits for a device that never asked here. */
export function composeKnock(knock: Knock): Uint8Array {
  return encodePush({
    transactionId: TRANSACTION_ID,
    contentType: KNOCK_CONTENT_TYPE,
    body: encodeKnock(knock),
  });
}

/** A link that a phone is to show, or to open; `createdAt` and `expiresAt` to the second. */
export type LinkToPush = {
  readonly operator: string;
  readonly text: string;
  readonly href: string;
  readonly createdAt: Date;
  readonly expiresAt: Date;
};

/** A Service Indication: the text with its link, until it expires (WAP-167). */
export function composeSi({ text, href, createdAt, expiresAt }: LinkToPush): Uint8Array {
  return encodePush({
    transactionId: TRANSACTION_ID,
    contentType: SI_CONTENT_TYPE,
    body: encodeSi({
      text,
      href,
      action: "signal-high",
      created: toTheSecond(createdAt),
      expires: toTheSecond(expiresAt),
    }),
  });
}

/** A Service Loading: the phone opens the link, after asking its user (WAP-168). It has no place for a text. */
export function composeSl({ href }: Pick<LinkToPush, "href">): Uint8Array {
  return encodePush({
    transactionId: TRANSACTION_ID,
    contentType: SL_CONTENT_TYPE,
    body: encodeSl({ href, action: "execute-low" }),
  });
}

/** A bookmark of Over The Air settings 7.0; its name is the operator's. */
export function composeNokiaBookmark({ operator, href }: Pick<LinkToPush, "operator" | "href">): Uint8Array {
  return encodePush({
    transactionId: TRANSACTION_ID,
    contentType: NOKIA_BOOKMARKS,
    charset: UTF_8,
    body: encodeNokiaOta(nokiaBookmark(operator, href)),
  });
}

const toTheSecond = (at: Date): string => at.toISOString().replace(/\.\d+Z$/, "Z");

export const composeText = (text: string): Uint8Array => new TextEncoder().encode(text);

/**
 * Cuts a composed message into SMS parts. The same arguments give the same octets.
 * @param partOctets of user data in one part, its header included; null: 140 (TS 23.040)
 */
export function cutMessage(
  protocol: string,
  payload: Uint8Array,
  reference: number,
  partOctets: number | null = null,
): MessageParts {
  const room = partOctets === null ? {} : { maxOctets: partOctets };
  switch (protocol) {
    case "text": {
      const { dataCoding, parts } = encodeText(new TextDecoder().decode(payload), { reference, ...room });
      return { dataCoding, parts };
    }
    case "nokiaota":
      return {
        dataCoding: EIGHT_BIT,
        parts: splitUserData(payload, { ...PORTS.nokia, reference, referenceBits: 8, ...room }),
      };
    default:
      return {
        dataCoding: EIGHT_BIT,
        parts: splitUserData(payload, { ...PORTS.wap, reference, referenceBits: 8, ...room }),
      };
  }
}

function macFor(authentication: Authentication, body: Uint8Array): string {
  const secret =
    authentication.sec === "netwpin" ? { imsi: authentication.imsi } : { pin: authentication.pin };
  return macOf(authentication.sec satisfies Sec, secret, body);
}
