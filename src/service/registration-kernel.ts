/**
 * The service provider's decisions about registrations (US 6,647,260, figure 6: registration kernel 664): what is
 * needed of a user, what is wrong with what came, and what a registered user gets. State is the sum of its events; the
 * door journals them before it answers, and a restart replays them.
 *
 *   received -> needs_information <-> amended -> registered -> (access renewed)* -> removed
 *
 * A password is kept as a keyed digest; the text of it exists in one answer.
 */
import { createHmac, timingSafeEqual } from "node:crypto";
import { getFrom } from "../term/collections.ts";
import type { ProvisioningNotice } from "../wire/message/provisioning-notice.ts";
import type { Fields, NeededDatum, RegistrationMessage } from "../wire/message/scim.ts";
import {
  apply,
  externalKey,
  find,
  findExternal,
  findNamed,
  isLetIn,
  nameKey,
  noRegistrations,
  type Registration,
  type Registrations,
  type ServiceEvent,
} from "./registrations.ts";
import {
  type CoreAttributes,
  dataOf,
  isGoodPassword,
  type NeededField,
  needsOf,
  type UserData,
} from "./user-data.ts";

/** What is kept of one user: sealed, it is one line of the journal, which has 16,384 characters. */
const MAX_USER_OCTETS = 9_000;
/** More than the users of a large service at one reference server. */
const MAX_REGISTRATIONS = 1_000_000;
const ID_OCTETS = 16;
const ACCESS_OCTETS = 12;
const PASSWORD_LETTERS = 16;
/** Without signs that are read as others: 0 O, 1 I l. */
const LETTERS = "ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz23456789";
/** All octets below a multiple of the letters' number: each letter is as likely as the others. */
const FAIR_OCTETS = 256 - (256 % LETTERS.length);

export type ServicePolicy = {
  /** What this service asks of a user, beside number and name. */
  readonly fields: readonly NeededField[];
  /** Where registered users are let in; an id that nobody can guess follows. */
  readonly accessUrl: string;
  /** Keys the digests of passwords. */
  readonly digestSecret: Uint8Array;
};

/** What the door asks of storage: resolved only when these events, and all given before, survive a power cut. */
export interface ServiceJournal {
  append(events: readonly ServiceEvent[]): Promise<void>;
}

export type AccessData = Readonly<Record<string, string>>;
export type Verdict =
  | { readonly kind: "registered"; readonly registration: Registration; readonly access: AccessData | null }
  | {
      readonly kind: "needs_information";
      readonly registration: Registration;
      readonly needs: readonly NeededDatum[];
    }
  /** Nothing is kept: whoever sent it could not complete it. */
  | { readonly kind: "incomplete"; readonly needs: readonly NeededDatum[] }
  | { readonly kind: "too_large" }
  | { readonly kind: "taken"; readonly by: "externalId" | "userName" }
  | { readonly kind: "unknown" }
  | { readonly kind: "full" };
export type Decision<Answer> = { readonly answer: Answer; readonly events: readonly ServiceEvent[] };
export type RegistrationKernel = ReturnType<typeof createRegistrationKernel>;

/** What a client says of a user, beside what each registration says. */
type Said = {
  readonly core?: CoreAttributes;
  readonly active?: boolean;
  /**
   * The client does not speak our extension, by which it would learn what is missing of a registration that was begun: what
   * is not complete is refused whole.
   */
  readonly isPlain?: boolean;
  /** Core attributes that are said anew: what they gave before and do not give now is gone. */
  readonly replaces?: readonly string[];
};
type NewUser = Omit<RegistrationMessage, "externalId"> & {
  /** The client's own id of the user, if it has one. */
  readonly externalId: string | null;
} & Said;
export type ChangedUser = Partial<Omit<NewUser, "fields">> & { readonly fields: Fields };

/** What the decisions are made with. */
type Service = {
  readonly policy: ServicePolicy;
  readonly registrations: Registrations;
  freshOctets(octets: number): Uint8Array;
};

/**
 * The decisions over registrations of their own.
 * @param freshOctets so many octets that nobody can guess
 */
export function createRegistrationKernel(policy: ServicePolicy, freshOctets: (octets: number) => Uint8Array) {
  const registrations = noRegistrations();
  const service: Service = { policy, registrations, freshOctets };
  return {
    apply: (event: ServiceEvent): void => apply(registrations, event),
    register: (clientId: string, message: NewUser, now: Date) => register(service, clientId, message, now),
    amend: (clientId: string, id: string, message: ChangedUser, renew: boolean, now: Date) =>
      amend(service, { clientId, id }, message, renew, now),
    remove: (clientId: string, id: string) => remove(service, clientId, id),
    told: (clientId: string, id: string, notice: ProvisioningNotice) => told(service, clientId, id, notice),
    find: (clientId: string, id: string) => find(registrations, clientId, id),
    findExternal: (clientId: string, externalId: string) => findExternal(registrations, clientId, externalId),
    findNamed: (clientId: string, userName: string) => findNamed(registrations, clientId, userName),
    /** What the service asks of a user, beside number and name. */
    wantedFields: policy.fields,
    needsOf: (registration: Registration) => needsOf(policy.fields, registration),
    opens: (id: string, password: string) => opens(service, id, password),
    ofClient: (clientId: string): Registration[] =>
      [...registrations.byId.values()].filter((one) => one.clientId === clientId),
    size: () => registrations.byId.size,
  };
}

function register(service: Service, clientId: string, message: NewUser, now: Date): Decision<Verdict> {
  const { registrations, policy } = service;
  const { externalId } = message;
  // Sent again, a registration that was begun and never completed goes on.
  const begun = findBegun(registrations, clientId, message);
  if (begun) return amend(service, { clientId, id: begun.id }, message, false, now);
  if (externalId !== null && registrations.idOfExternal.has(externalKey({ clientId, externalId })))
    return { answer: { kind: "taken", by: "externalId" }, events: [] };
  if (registrations.idOfUserName.has(nameKey(message.userName)))
    return { answer: { kind: "taken", by: "userName" }, events: [] };
  if (registrations.byId.size >= MAX_REGISTRATIONS) return { answer: { kind: "full" }, events: [] };
  const data = dataOf(policy.fields, message, undefined);
  const fault = faultOf(service, message, data);
  if (fault) return { answer: fault, events: [] };
  const id = hex(service.freshOctets(ID_OCTETS));
  const received: ServiceEvent = { kind: "received", id, clientId, externalId, ...data, atMs: now.getTime() };
  return judge(service, id, received, { chosen: chosenPassword(service, message), renew: false }, now);
}

function findBegun(
  registrations: Registrations,
  clientId: string,
  { externalId, userName }: NewUser,
): Registration | undefined {
  const isBegun = (one: Registration | undefined) => one && one.passwordDigest === null;
  const byId = externalId === null ? undefined : findExternal(registrations, clientId, externalId);
  if (isBegun(byId)) return byId;
  const byName = findNamed(registrations, clientId, userName);
  const isOther = externalId !== null && byName && byName.externalId !== null;
  return isBegun(byName) && !isOther ? byName : undefined;
}

/** Why nothing of a message is kept. */
function faultOf(service: Service, message: ChangedUser, data: UserData): Verdict | undefined {
  const needs = message.isPlain ? needsOf(service.policy.fields, data) : [];
  const chosen = chosenPassword(service, message);
  if (chosen !== undefined && !isGoodPassword(chosen)) needs.push({ name: "password", problem: "corrupt" });
  if (needs.length > 0) return { kind: "incomplete", needs };
  return Buffer.byteLength(JSON.stringify(data)) > MAX_USER_OCTETS ? { kind: "too_large" } : undefined;
}

/** A password for this service itself; where the service asks for a field of that name, it is for something else. */
const chosenPassword = ({ policy }: Service, { fields }: ChangedUser): string | undefined =>
  policy.fields.some(({ name }) => name === "password") ? undefined : fields.password;

/** New data beside what is there already; `renew` asks for new access data though nothing else is new. */
function amend(
  service: Service,
  { clientId, id }: { readonly clientId: string; readonly id: string },
  message: ChangedUser,
  renew: boolean,
  now: Date,
): Decision<Verdict> {
  const { registrations, policy } = service;
  const known = find(registrations, clientId, id);
  if (!known) return { answer: { kind: "unknown" }, events: [] };
  const { externalId = known.externalId } = message;
  const data = dataOf(policy.fields, { ...known, ...message }, known);
  const owner = registrations.idOfUserName.get(nameKey(data.userName));
  if (owner !== undefined && owner !== id) return { answer: { kind: "taken", by: "userName" }, events: [] };
  const holder = externalId === null ? undefined : findExternal(registrations, clientId, externalId);
  if (holder && holder.id !== id) return { answer: { kind: "taken", by: "externalId" }, events: [] };
  const fault = faultOf(service, message, data);
  if (fault) return { answer: fault, events: [] };
  const chosen = chosenPassword(service, message);
  const isNew =
    externalId !== known.externalId ||
    JSON.stringify(data) !== JSON.stringify(dataOf(policy.fields, known, known)) ||
    (chosen !== undefined && digestOf(service, id, chosen) !== known.passwordDigest);
  if (!isNew && known.state === "registered")
    return renew
      ? welcome(service, known, [], undefined, now)
      : { answer: { kind: "registered", registration: known, access: null }, events: [] };
  const amended: ServiceEvent = { kind: "amended", id, externalId, ...data, atMs: now.getTime() };
  return judge(service, id, amended, { chosen, renew }, now);
}

/** `chosen` is the password that the user chose, if any. */
function judge(
  service: Service,
  id: string,
  came: ServiceEvent,
  { chosen, renew }: { readonly chosen: string | undefined; readonly renew: boolean },
  now: Date,
): Decision<Verdict> {
  const before = service.registrations.byId.get(id);
  apply(service.registrations, came);
  const registration = getFrom(service.registrations.byId, id);
  const needs = needsOf(service.policy.fields, registration);
  if (needs.length > 0) return { answer: { kind: "needs_information", registration, needs }, events: [came] };
  // Who has access keeps it when their data changes, unless they ask for another.
  if (before?.accessId && before.passwordDigest && !renew) {
    const { accessId } = before;
    const passwordDigest = chosen === undefined ? before.passwordDigest : digestOf(service, id, chosen);
    const again = { kind: "registered", id, accessId, passwordDigest, atMs: now.getTime() } as const;
    apply(service.registrations, again);
    const changed = getFrom(service.registrations.byId, id);
    return { answer: { kind: "registered", registration: changed, access: null }, events: [came, again] };
  }
  return welcome(service, registration, [came], chosen, now);
}

/** Makes what lets the user in: it replaces what was made before. */
function welcome(
  service: Service,
  { id }: Registration,
  before: readonly ServiceEvent[],
  chosen: string | undefined,
  now: Date,
): Decision<Verdict> {
  const password = chosen ?? freshPassword(service);
  const accessId = hex(service.freshOctets(ACCESS_OCTETS));
  const event: ServiceEvent = {
    kind: "registered",
    id,
    accessId,
    passwordDigest: digestOf(service, id, password),
    atMs: now.getTime(),
  };
  apply(service.registrations, event);
  const registration = getFrom(service.registrations.byId, id);
  const access = {
    userName: registration.userName,
    // Whoever chose it knows it.
    ...(chosen === undefined ? { password } : {}),
    address: `${service.policy.accessUrl.replace(/\/$/, "")}/${accessId}`,
  };
  return { answer: { kind: "registered", registration, access }, events: [...before, event] };
}

/** What the operator says of the user's device: kept with the user, once. */
function told(
  { registrations }: Service,
  clientId: string,
  id: string,
  { id: noticeId, ...notice }: ProvisioningNotice,
): Decision<"told" | "unknown"> {
  const known = find(registrations, clientId, id);
  if (!known) return { answer: "unknown", events: [] };
  if (known.told.some((one) => one.id === noticeId)) return { answer: "told", events: [] };
  const event: ServiceEvent = { kind: "told", id, noticeId, ...notice };
  apply(registrations, event);
  return { answer: "told", events: [event] };
}

function remove(service: Service, clientId: string, id: string): Decision<"removed" | "unknown"> {
  if (!find(service.registrations, clientId, id)) return { answer: "unknown", events: [] };
  const event: ServiceEvent = { kind: "removed", id };
  apply(service.registrations, event);
  return { answer: "removed", events: [event] };
}

/** Whether this password opens the registration's address; nothing opens that of a user who is not active. */
function opens(service: Service, id: string, password: string): boolean {
  const registration = service.registrations.byId.get(id);
  if (!registration || !isLetIn(registration)) return false;
  const digest = registration.passwordDigest;
  return digest ? timingSafeEqual(Buffer.from(digest), Buffer.from(digestOf(service, id, password))) : false;
}

const digestOf = (service: Service, id: string, password: string): string =>
  createHmac("sha256", service.policy.digestSecret).update(`${id}\n${password}`).digest("hex");

function freshPassword(service: Service): string {
  let password = "";
  while (password.length < PASSWORD_LETTERS) {
    for (const octet of service.freshOctets(PASSWORD_LETTERS)) {
      if (octet < FAIR_OCTETS && password.length < PASSWORD_LETTERS)
        password += LETTERS[octet % LETTERS.length];
    }
  }
  return password;
}

const hex = (octets: Uint8Array): string => Buffer.from(octets).toString("hex");
