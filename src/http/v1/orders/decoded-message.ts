/**
 * What a message says, layer by layer: the octets as sent, the SMS parts with their headers, the WSP push, and the
 * document, key or text inside. Whoever is no administrator sees no password, PIN, key or link in it, and neither the
 * octets nor the MAC: with both, an IMSI could be guessed offline.
 */
import Type, { type Static } from "typebox";
import type { MessageView } from "../../../kernel/order/order-reader.ts";
import { cutMessage } from "../../../kernel/payload/compose.ts";
import { DecodeError } from "../../../wire/decode-error.ts";
import { hexOf } from "../../../wire/hex.ts";
import { DEVICE_KEY_CONTENT_TYPE } from "../../../wire/message/device-key.ts";
import { decodeDeviceKey } from "../../../wire/message/device-key-form.ts";
import {
  decodeNokiaOta,
  NOKIA_BOOKMARKS,
  NOKIA_SETTINGS,
  xmlOfNokiaOta,
} from "../../../wire/nokiaota/codec.ts";
import { decodeProvisioning, xmlOf } from "../../../wire/omacp/codec.ts";
import type { Characteristic } from "../../../wire/omacp/document.ts";
import { SECS } from "../../../wire/omacp/mac.ts";
import { SI_CONTENT_TYPE, SL_CONTENT_TYPE, xmlOfSi, xmlOfSl } from "../../../wire/si/codec.ts";
import { decodeUdh } from "../../../wire/sms/udh.ts";
import type { Parameters } from "../../../wire/wsp/content-type.ts";
import { decodeMultipart, MULTIPART_TYPES } from "../../../wire/wsp/multipart.ts";
import { decodePush } from "../../../wire/wsp/push.ts";
import { isSecretName, REDACTED, redactSecrets } from "../../redact.ts";
import { anything, named, textOrNull } from "../../schema.ts";

const OMA_CP_CONTENT_TYPE = "application/vnd.wap.connectivity-wbxml";

const Parm = Type.Object({ name: Type.String(), value: textOrNull() });
const Body = Type.Object({
  contentType: textOrNull(),
  sec: textOrNull(),
  mac: textOrNull(),
  xml: textOrNull({ description: "The document as XML." }),
  characteristics: Type.Array(
    Type.Object({
      type: Type.String(),
      parms: Type.Array(Parm),
      characteristics: Type.Array(anything("Nested characteristics, of the same shape.")),
    }),
  ),
  key: anything("A device key's fields."),
  text: textOrNull(),
});

export const DecodedMessage = named(
  "DecodedMessage",
  Type.Object({
    hex: textOrNull({ description: "The whole message; null unless the role is admin." }),
    wsp: anything("The WSP push around the body: transaction, content type, parameters, headers."),
    bodies: Type.Array(Body, { description: "One, or the entries of a multipart." }),
    parts: Type.Array(
      Type.Object({
        udh: Type.String({ description: "User data header, hex." }),
        header: anything("The header's fields: ports, concatenation."),
        octets: Type.Integer({ description: "Of the data after the header." }),
        data: textOrNull({ description: "Hex; null unless the role is admin." }),
      }),
    ),
    problem: textOrNull({ description: "Why a layer could not be read; null where all could." }),
  }),
);
type Decoded = Static<typeof DecodedMessage>;
type DecodedBody = Static<typeof Body>;

type StoredMessage = Pick<MessageView, "kind" | "protocol" | "sec"> & {
  readonly partOctets?: number | null;
  readonly payload: Uint8Array;
  readonly reference: number;
};

export function decodedMessage(message: StoredMessage, isAdmin: boolean): Decoded {
  const { payload } = message;
  if (message.kind === "notice") return NOBODYS_BUSINESS;
  // The passwords of a device's account are kept nowhere, so they are not shown either.
  const seesSecrets = isAdmin && message.kind !== "bootstrap";
  const outside = { hex: seesSecrets ? hexOf(payload) : null, parts: partsOf(message, seesSecrets) };
  try {
    if (message.protocol === "text") {
      const text = new TextDecoder().decode(payload);
      const isCredential = message.kind === "pin_notice" || message.kind === "link";
      return {
        ...outside,
        wsp: null,
        bodies: [{ ...NOTHING, text: isCredential && !seesSecrets ? REDACTED : text }],
        problem: null,
      };
    }
    return { ...outside, ...insidePush(payload, seesSecrets), problem: null };
  } catch (error) {
    if (!(error instanceof DecodeError)) throw error;
    return { ...outside, wsp: null, bodies: [], problem: `${error.message} at octet ${error.offset}` };
  }
}

const NOTHING: DecodedBody = {
  contentType: null,
  sec: null,
  mac: null,
  xml: null,
  characteristics: [],
  key: null,
  text: null,
};

/** Notices may hold access data: the store gives none of them away. */
const NOBODYS_BUSINESS: Decoded = {
  hex: null,
  wsp: null,
  bodies: [],
  parts: [],
  problem: "a notice is shown to its subscriber alone",
};

/** The parts as they were or will be handed to the SMSC: cut again from the same octets with the same reference. */
function partsOf(
  { protocol, payload, reference, partOctets }: StoredMessage,
  seesSecrets: boolean,
): Decoded["parts"] {
  return cutMessage(protocol, payload, reference, partOctets).parts.map(({ udh, data }) => ({
    udh: hexOf(udh),
    header: udh.length > 0 ? decodeUdh(udh) : null,
    octets: data.length,
    data: seesSecrets ? hexOf(data) : null,
  }));
}

function insidePush(payload: Uint8Array, seesSecrets: boolean): Pick<Decoded, "wsp" | "bodies"> {
  const { body, ...push } = decodePush(payload);
  const entries = MULTIPART_TYPES.includes(push.contentType) ? decodeMultipart(body) : [{ ...push, body }];
  return {
    wsp: redactSecrets(push, seesSecrets),
    bodies: entries.map((entry) => ({
      ...NOTHING,
      contentType: entry.contentType,
      ...proofOf(entry.params, seesSecrets),
      ...contentOf(entry.contentType, entry.body, seesSecrets),
    })),
  };
}

/** SEC and MAC of OMA CP, out of the parameters of the content type. */
function proofOf({ SEC, MAC }: Parameters, seesSecrets: boolean): Pick<DecodedBody, "sec" | "mac"> {
  return {
    sec: typeof SEC === "number" ? (SECS[SEC] ?? String(SEC)) : (SEC ?? null),
    mac: MAC === undefined ? null : seesSecrets ? String(MAC) : REDACTED,
  };
}

function contentOf(contentType: string, body: Uint8Array, seesSecrets: boolean): Partial<DecodedBody> {
  switch (contentType) {
    case OMA_CP_CONTENT_TYPE: {
      const characteristics = decodeProvisioning(body).characteristics.map((one) => shown(one, seesSecrets));
      const xml = xmlOf(body);
      return { xml: seesSecrets ? xml : withoutSecretValues(xml), characteristics: [...characteristics] };
    }
    case NOKIA_SETTINGS: {
      const characteristics = decodeNokiaOta(body).characteristics.map(({ type, value, parms }) =>
        // What the element itself says stands before its parms, under the attribute's name.
        shown(
          {
            type,
            parms: value === null ? parms : [{ name: "VALUE", value }, ...parms],
            characteristics: [],
          },
          seesSecrets,
        ),
      );
      const xml = xmlOfNokiaOta(body);
      return { xml: seesSecrets ? xml : withoutSecretValues(xml), characteristics };
    }
    case DEVICE_KEY_CONTENT_TYPE:
      return { key: redactSecrets(readableKey(body), seesSecrets) };
    // The link is a credential.
    case NOKIA_BOOKMARKS:
      return { xml: seesSecrets ? xmlOfNokiaOta(body) : REDACTED };
    case SI_CONTENT_TYPE:
      return { xml: seesSecrets ? xmlOfSi(body) : REDACTED };
    case SL_CONTENT_TYPE:
      return { xml: seesSecrets ? xmlOfSl(body) : REDACTED };
    default:
      return {};
  }
}

type ShownCharacteristic = DecodedBody["characteristics"][number];

function shown({ type, parms, characteristics }: Characteristic, seesSecrets: boolean): ShownCharacteristic {
  return {
    type,
    parms: parms.map(({ name, value }) => ({
      name,
      value: value && isSecretName(name) && !seesSecrets ? REDACTED : value,
    })),
    characteristics: characteristics.map((one) => shown(one, seesSecrets)),
  };
}

const withoutSecretValues = (xml: string): string =>
  xml.replace(/<parm\b[^>]*>/gi, (parm) => {
    const name = /\bname="([^"]*)"/i.exec(parm)?.[1] ?? "";
    return isSecretName(name) ? parm.replace(/\b(value)="[^"]*"/i, `$1="${REDACTED}"`) : parm;
  });

/** The binding names a handset and the secret signs for it: both are shown to an administrator alone. */
function readableKey(body: Uint8Array): Record<string, unknown> {
  const { keyId, binding, confirmSecret, signature, ...key } = decodeDeviceKey(body);
  return {
    ...key,
    keyId: hexOf(keyId),
    proof: hexOf(binding),
    secret: hexOf(confirmSecret),
    signature: hexOf(signature),
  };
}
