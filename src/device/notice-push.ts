/** A notice out of the WAP push that brought it. */
import { DecodeError } from "../wire/decode-error.ts";
import { hexOf } from "../wire/hex.ts";
import { decodeKnock, KNOCK_CONTENT_TYPE, type Knock } from "../wire/message/knock.ts";
import { decodeNotice, NOTICE_CONTENT_TYPE, type Notice } from "../wire/message/notice.ts";
import { decodePush } from "../wire/wsp/push.ts";
import type { Alert } from "./local-screens.ts";

type OpenedPush =
  | { readonly kind: "notice"; readonly notice: Notice }
  | { readonly kind: "refused"; readonly cause: string }
  /** Of a server that this device never asked: nothing in it is believed but where to look. */
  | { readonly kind: "knock"; readonly knock: Knock }
  /** Settings, a key: not the client module's. */
  | { readonly kind: "other" };

export function openNotice(push: Uint8Array, noticeKey: Uint8Array): OpenedPush {
  const pushed = bodyOf(push);
  if (!pushed) return { kind: "other" };
  const { isKnock, body } = pushed;
  try {
    if (isKnock) return { kind: "knock", knock: decodeKnock(body) };
    return { kind: "notice", notice: decodeNotice(body, noticeKey) };
  } catch (error) {
    if (error instanceof DecodeError) return { kind: "refused", cause: error.message };
    throw error;
  }
}

function bodyOf(bytes: Uint8Array): { readonly isKnock: boolean; readonly body: Uint8Array } | undefined {
  try {
    const { contentType, body } = decodePush(bytes);
    const type = contentType.toLowerCase();
    const isKnock = type === KNOCK_CONTENT_TYPE;
    return isKnock || type === NOTICE_CONTENT_TYPE ? { isKnock, body } : undefined;
  } catch (error) {
    if (error instanceof DecodeError) return undefined; // whoever reads pushes says what is wrong with it
    throw error;
  }
}

/** @param from whence it came: its answer goes there */
export const alertOf = (
  { messageId, kind, reference, itemId, text, fields, server = null }: Notice,
  from: string,
): Alert => ({
  messageId: hexOf(messageId),
  kind,
  reference,
  itemId,
  text,
  fields,
  server,
  from,
});
