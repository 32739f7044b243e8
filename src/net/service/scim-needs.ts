/** What a provider's refusal asks for (RFC 7644 clause 3.12): `invalidValue` says that a value is missing or cannot be used. */
import type { ServiceRegistration } from "../../kernel/calls/connectors.ts";
import { EXTENSION_SCHEMA, type NeededDatum, needsIn, needsInDetail } from "../../wire/message/scim.ts";
import { type Answered, jsonOf } from "../exchange/exchange.ts";
import { valuesOf } from "./scim-bodies.ts";
import { foldedMembers, idOf } from "./scim-user.ts";

type Needed = { readonly remoteId: string | null; readonly fields: readonly NeededDatum[] };

/** `invalid`: some value is wrong, and it does not say which. */
export function needsInRefusal(
  answer: Answered,
  registration: ServiceRegistration,
): Needed | "invalid" | undefined {
  const error = errorIn(answer);
  const isSaid = isAboutValue(answer);
  if (!isSaid && error.scimtype !== undefined) return undefined;
  const extension = foldedMembers(error[EXTENSION_SCHEMA.toLowerCase()]);
  const given = new Set(Object.keys(valuesOf(registration)));
  const detail = typeof error.detail === "string" ? error.detail : "";
  const fields = needsIn(extension.needs) ?? needsInDetail(detail, given);
  // Without the word, a text that names a field is all that many say.
  if (!isSaid && fields.length === 0) return undefined;
  return fields.length === 0 ? "invalid" : { remoteId: idOf(extension.id) ?? registration.remoteId, fields };
}

/** SCIM's own word that a value is missing or cannot be used. */
export const isAboutValue = (answer: Answered): boolean =>
  String(errorIn(answer).scimtype).toLowerCase() === "invalidvalue";

function errorIn(answer: Answered): Readonly<Record<string, unknown>> {
  const json = jsonOf(answer);
  return foldedMembers("kind" in json ? {} : json.value);
}
