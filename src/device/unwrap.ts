/** What a WAP push holds, seen from the handset: settings, a key, both in one package, or something it does not know. */
import { DEVICE_KEY_CONTENT_TYPE } from "../wire/message/device-key.ts";
import { SECS, type Sec } from "../wire/omacp/mac.ts";
import type { ContentType, Parameters } from "../wire/wsp/content-type.ts";
import { decodeMultipart } from "../wire/wsp/multipart.ts";
import { decodePush } from "../wire/wsp/push.ts";

export type PushItem =
  | { readonly kind: "key"; readonly bytes: Uint8Array }
  | {
      readonly kind: "settings";
      readonly sec: Sec | null;
      readonly mac: string | null;
      readonly document: Uint8Array;
    }
  | { readonly kind: "nokia"; readonly document: Uint8Array }
  | { readonly kind: "unknown"; readonly contentType: string };

const OMA_CP = "application/vnd.wap.connectivity-wbxml";
const NOKIA = "application/x-wap-prov.browser-settings";
const MULTIPART = /^application\/vnd\.wap\.multipart\./;
/** A package holds a key and settings; nobody needs more. */
const MAX_ITEMS = 4;

type Content = ContentType & { readonly body: Uint8Array };

/** @throws DecodeError */
export function unwrapPush(bytes: Uint8Array): PushItem[] {
  const push = decodePush(bytes);
  if (!MULTIPART.test(push.contentType)) return [itemOf(push)];
  return decodeMultipart(push.body).slice(0, MAX_ITEMS).map(itemOf);
}

/** A SEC that is none of the four is no authentication that this handset knows. */
function proofIn({ SEC, MAC }: Parameters): { readonly sec: Sec | null; readonly mac: string | null } {
  return {
    sec: (typeof SEC === "number" ? SECS[SEC] : undefined) ?? null,
    mac: typeof MAC === "string" ? MAC : null,
  };
}

function itemOf({ contentType, params, body }: Content): PushItem {
  switch (contentType.toLowerCase()) {
    case DEVICE_KEY_CONTENT_TYPE:
      return { kind: "key", bytes: body };
    case OMA_CP:
      return { kind: "settings", ...proofIn(params), document: body };
    case NOKIA:
      return { kind: "nokia", document: body };
    default:
      return { kind: "unknown", contentType };
  }
}
