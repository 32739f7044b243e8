/** The content of one item, signed for one device: what is installed, woken, set or removed there (R49). */

import { hoursAfter } from "../../term/moment.ts";
import { type ContentBody, encodeContent } from "../../wire/message/content.ts";
import { decodeModule } from "../../wire/message/module.ts";
import type { RequestItem, RequestTurn } from "../order/turn.ts";
import { parametersOf } from "./item-values.ts";

/** What the content needs beside itself: the octets of a module, kept here or on another server. */
export type ModuleSource = { readonly sha256: string; readonly url: string | null };

export function moduleSourceOf({ subject }: RequestItem): ModuleSource | undefined {
  const { content, action } = subject;
  return content.kind === "module" && action === "add"
    ? { sha256: content.sha256, url: content.url }
    : undefined;
}

/** @throws RangeError, DecodeError: a module that is none, or more than a package holds */
export function composeContent(
  turn: RequestTurn,
  item: RequestItem,
  moduleOctets: Uint8Array | null,
): Uint8Array {
  const { deps, scribe, order, subject: device, terms } = turn;
  const body: ContentBody = {
    issuer: deps.ownIssuer.name,
    reference: order.request.reference,
    itemId: item.id,
    notAfter: hoursAfter(scribe.now, terms.policy.proofDeadlineHours),
    modules: moduleOctets ? [decodeModule(moduleOctets)] : [],
    ...withFormer(item, partsOf(item, parametersOf(turn, item))),
    security: {},
  };
  return encodeContent(body, device.imei, deps.ownIssuer.privateKey);
}

type Parts = Pick<ContentBody, "activations" | "removals" | "parameters">;

/** Software of the version before that the new one has no use for goes with the same content, in one commit of the device. */
const withFormer = ({ subject: { action, replaces } }: RequestItem, parts: Parts): Parts => ({
  ...parts,
  removals: [
    ...parts.removals,
    ...(action === "add" ? [replaces?.module, replaces?.activation] : []).flatMap((name) => name ?? []),
  ],
});

function partsOf({ subject }: RequestItem, parameters: ContentBody["parameters"]): Parts {
  const { content, action } = subject;
  const isAdded = action === "add";
  // Of what is added, parameters are set, and those that only the version before had are set to none.
  const nothing = { activations: [], removals: [], parameters: isAdded ? parameters : {} };
  switch (content.kind) {
    case "module":
      return isAdded ? nothing : { ...nothing, removals: [content.module] };
    case "activation":
      return isAdded
        ? { ...nothing, activations: [content.module] }
        : { ...nothing, removals: [content.module] };
    case "parameters":
      return {
        ...nothing,
        // A parameter without a value is none any more.
        ...(!isAdded && {
          parameters: Object.fromEntries(Object.keys(content.values).map((name) => [name, ""])),
        }),
      };
    default:
      return nothing;
  }
}
