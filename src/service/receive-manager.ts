/**
 * Takes in what an operator sends (US 6,647,260, figure 6: message receive manager 662): reads it by the schemas, refuses
 * what is no registration, works out what a change makes of the user, and gives the rest to the kernel. A client that does
 * not speak our extension says all it has to say by the core.
 */
import { isObject } from "../term/narrow.ts";
import { EXTENSION_SCHEMA, registrationIn } from "../wire/message/scim.ts";
import { applyPatch } from "../wire/scim/patch.ts";
import { readResource } from "../wire/scim/resource.ts";
import type { Json, ResourceKind } from "../wire/scim/schema.ts";
import { refusal } from "../wire/scim/scim-error.ts";
import type { ChangedUser, Decision, RegistrationKernel, Verdict } from "./registration-kernel.ts";
import type { Registration } from "./registrations.ts";
import { coreOf } from "./send-manager.ts";
import { userKindOf } from "./user-kind.ts";

const MAX_ID_CHARACTERS = 128;
/** Of all that a client says of one user. */
const MAX_SAID_OCTETS = 8_000;
const DEFAULT_LANGUAGE = "en";

export type ReceiveManager = ReturnType<typeof createReceiveManager>;
type Change = Decision<Verdict>;

/** Each throws ScimError for what is no message, or one that cannot be applied. */
export function createReceiveManager(kernel: RegistrationKernel) {
  const kind = userKindOf(kernel.wantedFields);
  const found = (clientId: string, id: string, act: (known: Registration) => Change): Change => {
    const known = kernel.find(clientId, id);
    return known ? act(known) : { answer: { kind: "unknown" }, events: [] };
  };
  return {
    kind,
    /** A new user (POST). One whose externalId or name came before is not made twice: `taken`. */
    register(clientId: string, body: unknown, now: Date): Change {
      const { resource, speaks } = readResource(kind, body);
      const { msisdn = "", language = DEFAULT_LANGUAGE, ...said } = messageOf(kind, resource, undefined);
      const { externalId = null, userName = "" } = said;
      const isPlain = !speaks.includes(EXTENSION_SCHEMA);
      return kernel.register(clientId, { ...said, externalId, userName, msisdn, language, isPlain }, now);
    },
    /** The whole user anew (PUT). What the core does not say is gone; externalId and `active` stay until they are said. */
    replace: (clientId: string, id: string, body: unknown, now: Date): Change =>
      found(clientId, id, () => {
        const { resource, speaks } = readResource(kind, body);
        const isPlain = !speaks.includes(EXTENSION_SCHEMA);
        const said = messageOf(kind, resource, isPlain ? [...namesOf(kind)] : undefined);
        return kernel.amend(clientId, id, { ...said, isPlain }, renews(resource), now);
      }),
    /** Parts of the user (PATCH). */
    patch: (clientId: string, id: string, body: unknown, now: Date): Change =>
      found(clientId, id, (known) => {
        const before = writableOf(known);
        const { resource, speaks } = applyPatch(kind, before, body);
        const changed = namesOf(kind).filter(
          (name) => JSON.stringify(resource[name]) !== JSON.stringify(before[name]),
        );
        const said = messageOf(kind, resource, changed);
        const { externalId = null } = said;
        const isPlain = !speaks.includes(EXTENSION_SCHEMA);
        return kernel.amend(clientId, id, { ...said, externalId, isPlain }, renews(resource), now);
      }),
    remove: (clientId: string, id: string) => kernel.remove(clientId, id),
  };
}

const namesOf = ({ core }: ResourceKind): readonly string[] => core.attributes.map(({ name }) => name);

/** What a client may have written of a user. */
const writableOf = (known: Registration): Json => ({
  ...(known.externalId === null ? {} : { externalId: known.externalId }),
  userName: known.userName,
  ...coreOf(known),
  active: known.active !== false,
});

/** @param replaces the attributes that are said anew; undefined: all that is there, and nothing is gone by it */
function messageOf(kind: ResourceKind, resource: Json, replaces: readonly string[] | undefined): ChangedUser {
  if (Buffer.byteLength(JSON.stringify(resource)) > MAX_SAID_OCTETS)
    throw refusal("invalidValue", `More than ${MAX_SAID_OCTETS} octets are said of the user.`);
  const { userName, externalId, active, password: _, [EXTENSION_SCHEMA]: extension, ...core } = resource;
  const isSaid = ([name]: [string, unknown]) => !replaces || replaces.includes(name);
  const parts = Object.fromEntries(Object.entries(resource).filter(isSaid));
  const { fields, msisdn, language } = registrationIn({ ...parts, [EXTENSION_SCHEMA]: extension });
  checkName("userName", userName);
  if (externalId !== undefined) checkName("externalId", externalId);
  const number = msisdn ?? (replaces?.includes("phoneNumbers") ? "" : undefined);
  return {
    userName: String(userName),
    ...(typeof externalId === "string" ? { externalId } : {}),
    ...(typeof active === "boolean" ? { active } : {}),
    ...(number === undefined ? {} : { msisdn: number }),
    ...(language === undefined ? {} : { language }),
    ...(replaces ? { replaces } : {}),
    fields,
    core: pickCore(kind, core),
  };
}

/** In the order of the schema, so that the same said in another order is no change. */
const pickCore = (kind: ResourceKind, core: Json): Json =>
  Object.fromEntries(namesOf(kind).flatMap((name) => (core[name] === undefined ? [] : [[name, core[name]]])));

function checkName(attribute: string, value: unknown): void {
  if (value === undefined) throw refusal("invalidValue", `${attribute} is missing.`);
  const isName =
    typeof value === "string" &&
    value.trim() !== "" &&
    value.length <= MAX_ID_CHARACTERS &&
    !/\p{Cc}/u.test(value);
  if (!isName)
    throw refusal(
      "invalidValue",
      `${attribute} has 1 to ${MAX_ID_CHARACTERS} characters, and not blanks alone.`,
    );
}

const renews = ({ [EXTENSION_SCHEMA]: extension }: Json): boolean =>
  isObject(extension) && extension.renewAccessData === true;
