/**
 * Sends out what the kernel says (US 6,647,260, figure 6: message send manager 674): a confirmation with the content for
 * the device, a request for just the fields that are wrong, or a refusal. Access data passes through once: it is in the
 * answer that made it, and is nowhere kept.
 */
import { attributeOfField, EXTENSION_SCHEMA, type NeededDatum, USER_SCHEMA } from "../wire/message/scim.ts";
import type { AccessData, Verdict } from "./registration-kernel.ts";
import { isLetIn, type Registration } from "./registrations.ts";
import type { CoreAttributes } from "./user-data.ts";

/** A user as SCIM shows it; never with the fields that came, which may be secrets. */
export type ShownUser = Readonly<Record<string, unknown>> & {
  readonly id: string;
  readonly meta: Readonly<Record<string, string>> & { readonly version: string };
};
export type Refusal = {
  readonly status: 400 | 404 | 409 | 503;
  readonly scimType: "invalidValue" | "uniqueness" | null;
  readonly detail: string;
  /** Of a request for information. */
  readonly extension?: { readonly id?: string; readonly needs: readonly NeededDatum[] };
};
type Sent = { readonly kind: "user"; readonly user: ShownUser } | ({ readonly kind: "refusal" } & Refusal);

export function answerOf(verdict: Verdict): Sent {
  switch (verdict.kind) {
    case "registered":
      return { kind: "user", user: shown(verdict.registration, [], verdict.access) };
    case "needs_information":
      return {
        kind: "refusal",
        status: 400,
        scimType: "invalidValue",
        detail: `Just these are wanted: ${verdict.needs.map(({ name, problem }) => `${name} (${problem})`).join(", ")}.`,
        extension: { id: verdict.registration.id, needs: verdict.needs },
      };
    case "incomplete":
      return {
        kind: "refusal",
        status: 400,
        scimType: "invalidValue",
        detail: `These are wanted: ${verdict.needs.map(wantedOf).join(", ")}.`,
        extension: { needs: verdict.needs },
      };
    case "too_large":
      return {
        kind: "refusal",
        status: 400,
        scimType: "invalidValue",
        detail: "This is more than is kept of one user.",
      };
    case "taken":
      return {
        kind: "refusal",
        status: 409,
        scimType: "uniqueness",
        detail: `This ${verdict.by} is there already.`,
      };
    case "unknown":
      return { kind: "refusal", status: 404, scimType: null, detail: "There is no such user." };
    case "full":
      return { kind: "refusal", status: 503, scimType: null, detail: "No more users are taken." };
  }
}

/** By the core's name for it, which every client knows. */
function wantedOf({ name, problem }: NeededDatum): string {
  const attribute = attributeOfField(name);
  return `${attribute ?? `${name} by the extension ${EXTENSION_SCHEMA}`} (${problem})`;
}

/** What the client said of the user by the core; of one from before that was kept, what follows from the rest. */
export const coreOf = ({ core, language, msisdn }: Registration): CoreAttributes =>
  core ?? {
    preferredLanguage: language,
    ...(msisdn ? { phoneNumbers: [{ value: `+${msisdn}`, type: "mobile", primary: true }] } : {}),
  };

export function shown(
  registration: Registration,
  needs: readonly NeededDatum[],
  access: AccessData | null,
): ShownUser {
  const { id, externalId, userName, state, createdMs, changedMs, version } = registration;
  return {
    schemas: [USER_SCHEMA, EXTENSION_SCHEMA],
    id,
    ...(externalId === null ? {} : { externalId }),
    userName,
    ...coreOf(registration),
    active: isLetIn(registration),
    meta: {
      resourceType: "User",
      created: new Date(createdMs).toISOString(),
      lastModified: new Date(changedMs).toISOString(),
      version: `W/"${version}"`,
    },
    [EXTENSION_SCHEMA]: {
      state,
      ...(needs.length > 0 ? { needs } : {}),
      ...(access ? { accessData: Object.entries(access).map(([name, value]) => ({ name, value })) } : {}),
    },
  };
}
