/**
 * Service Indication (a message with a link) and Service Loading (a link to open), both ways.
 * Source: WAP-167-ServiceInd, WAP-168-ServiceLoad. Neither is signed: a phone has no reason to trust one.
 */

import { wordOf } from "../../term/narrow.ts";
import { optionalMember } from "../../term/record.ts";
import { DecodeError } from "../decode-error.ts";
import { decodeWbxml } from "../wbxml/decode.ts";
import { attributeOf, childrenOf, textOf, type WbxmlElement } from "../wbxml/element.ts";
import { encodeWbxml } from "../wbxml/encode.ts";
import { xmlOfElement } from "../wbxml/xml.ts";
import { SI, SL } from "./code-space.ts";

/** Media type of a Service Indication in WBXML. */
export const SI_CONTENT_TYPE = "application/vnd.wap.sic";
/** Media type of a Service Loading in WBXML. */
export const SL_CONTENT_TYPE = "application/vnd.wap.slc";

/** How loudly the phone tells of it; `delete` takes back one of the same id. */
const SI_ACTIONS = ["signal-none", "signal-low", "signal-medium", "signal-high", "delete"] as const;
/** Whether the phone opens the link, perhaps in the midst of something else (`execute-high`), or only loads it. */
const SL_ACTIONS = ["execute-low", "execute-high", "cache"] as const;

/** A message with a link, as WAP-167 has it. */
export type ServiceIndication = {
  /** The message to the user. */
  readonly text: string;
  readonly href?: string;
  /** Names the indication, for a later `delete` or a newer one; without it the href does. */
  readonly siId?: string;
  /** signal-medium where it is absent. */
  readonly action?: (typeof SI_ACTIONS)[number];
  /** UTC to the second: "2014-09-04T11:25:58Z". */
  readonly created?: string;
  readonly expires?: string;
  readonly items?: readonly { readonly class: string; readonly text: string }[];
};

/** A link to open, as WAP-168 has it. */
export type ServiceLoading = {
  readonly href: string;
  /** execute-low where it is absent. */
  readonly action?: (typeof SL_ACTIONS)[number];
};

/** @throws TurnupError `payload_malformed`: a date of another form, or a character that XML cannot hold */
export function encodeSi(si: ServiceIndication): Uint8Array {
  const indication: WbxmlElement = {
    name: "indication",
    attributes: attributesOf([
      ["href", si.href],
      ["si-id", si.siId],
      ["action", si.action],
      ["created", si.created],
      ["si-expires", si.expires],
    ]),
    content: si.text === "" ? [] : [si.text],
  };
  const items = (si.items ?? []).map((item) => ({
    name: "item",
    attributes: attributesOf([["class", item.class]]),
    content: item.text === "" ? [] : [item.text],
  }));
  const info = items.length > 0 ? [{ name: "info", attributes: [], content: items }] : [];
  return encodeWbxml({ name: "si", attributes: [], content: [indication, ...info] }, SI);
}

/** @throws DecodeError with the offset: no Service Indication, or elements that do not stand as the DTD says */
export function decodeSi(bytes: Uint8Array): ServiceIndication {
  const root = decodeWbxml(bytes, SI);
  if (root.name !== "si") throw new DecodeError(`${root.name} as the root`, root.at ?? 0);
  const children = childrenOf(root);
  const indication = children[0];
  if (indication?.name !== "indication") throw new DecodeError("si without indication", root.at ?? 0);
  const info = children[1];
  if (children.length > 2 || (info && info.name !== "info")) {
    throw new DecodeError("si with more than indication and info", info?.at ?? 0);
  }
  const items = (info ? childrenOf(info) : []).map(itemOf);
  return {
    text: textOf(indication),
    ...optionalMember("href", attributeOf(indication, "href")),
    ...optionalMember("siId", attributeOf(indication, "si-id")),
    ...optionalMember("action", wordOf(SI_ACTIONS, attributeOf(indication, "action"))),
    ...optionalMember("created", attributeOf(indication, "created")),
    ...optionalMember("expires", attributeOf(indication, "si-expires")),
    ...(items.length > 0 ? { items } : {}),
  };
}

/** @throws TurnupError `payload_malformed`: a character that XML cannot hold */
export function encodeSl({ href, action }: ServiceLoading): Uint8Array {
  const attributes = attributesOf([
    ["href", href],
    ["action", action],
  ]);
  return encodeWbxml({ name: "sl", attributes, content: [] }, SL);
}

/** @throws DecodeError with the offset: no Service Loading, or one without a link */
export function decodeSl(bytes: Uint8Array): ServiceLoading {
  const root = decodeWbxml(bytes, SL);
  const href = attributeOf(root, "href");
  if (href === undefined) throw new DecodeError("sl without href", root.at ?? 0);
  return { href, ...optionalMember("action", wordOf(SL_ACTIONS, attributeOf(root, "action"))) };
}

/**
 * The document as compact XML, for people.
 * @throws DecodeError with the offset, as `decodeWbxml`
 */
export const xmlOfSi = (bytes: Uint8Array): string => xmlOfElement(decodeWbxml(bytes, SI));
/**
 * The document as compact XML, for people.
 * @throws DecodeError with the offset, as `decodeWbxml`
 */
export const xmlOfSl = (bytes: Uint8Array): string => xmlOfElement(decodeWbxml(bytes, SL));

function itemOf(element: WbxmlElement) {
  if (element.name !== "item") throw new DecodeError(`${element.name} inside info`, element.at ?? 0);
  return { class: attributeOf(element, "class") ?? "", text: textOf(element) };
}

const attributesOf = (entries: readonly (readonly [string, string | undefined])[]) =>
  entries.flatMap(([name, value]) => (value === undefined ? [] : [{ name, value }]));
