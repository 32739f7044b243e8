/** A notice out of the WAP push that brought it. */
import { DecodeError } from "../wire/decode-error.ts";
import { hexOf } from "../wire/hex.ts";
import { decodeNotice, NOTICE_CONTENT_TYPE, type Notice } from "../wire/message/notice.ts";
import { decodePush } from "../wire/wsp/push.ts";
import type { Alert } from "./local-screens.ts";

export type OpenedPush =
  | { readonly kind: "notice"; readonly notice: Notice }
  | { readonly kind: "refused"; readonly cause: string }
  /** Settings, a key: not the client module's. */
  | { readonly kind: "other" };

export function openNotice(push: Uint8Array, noticeKey: Uint8Array): OpenedPush {
  const body = bodyOf(push);
  if (!body) return { kind: "other" };
  try {
    return { kind: "notice", notice: decodeNotice(body, noticeKey) };
  } catch (error) {
    if (error instanceof DecodeError) return { kind: "refused", cause: error.message };
    throw error;
  }
}

function bodyOf(bytes: Uint8Array): Uint8Array | undefined {
  try {
    const { contentType, body } = decodePush(bytes);
    return contentType.toLowerCase() === NOTICE_CONTENT_TYPE ? body : undefined;
  } catch (error) {
    if (error instanceof DecodeError) return undefined; // whoever reads pushes says what is wrong with it
    throw error;
  }
}

export const alertOf = ({ messageId, kind, reference, itemId, text, fields }: Notice): Alert => ({
  messageId: hexOf(messageId),
  kind,
  reference,
  itemId,
  text,
  fields,
});
