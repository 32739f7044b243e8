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
  nameKey,
  noRegistrations,
  type Registration,
  type Registrations,
  type ServiceEvent,
} from "./registrations.ts";
import { dataOf, type NeededField, needsOf } from "./user-data.ts";

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
  | { readonly kind: "taken"; readonly by: "externalId" | "userName" }
  | { readonly kind: "unknown" }
  | { readonly kind: "full" };
export type Decision<Answer> = { readonly answer: Answer; readonly events: readonly ServiceEvent[] };
export type RegistrationKernel = ReturnType<typeof createRegistrationKernel>;

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
    register: (clientId: string, message: RegistrationMessage, now: Date) =>
      register(service, clientId, message, now),
    amend: (
      clientId: string,
      id: string,
      message: Partial<RegistrationMessage> & { readonly fields: Fields },
      renew: boolean,
      now: Date,
    ) => amend(service, { clientId, id }, message, renew, now),
    remove: (clientId: string, id: string) => remove(service, clientId, id),
    told: (clientId: string, id: string, notice: ProvisioningNotice) => told(service, clientId, id, notice),
    find: (clientId: string, id: string) => find(registrations, clientId, id),
    findExternal: (clientId: string, externalId: string) => findExternal(registrations, clientId, externalId),
    needsOf: (registration: Registration) => needsOf(policy.fields, registration),
    opens: (id: string, password: string) => opens(service, id, password),
    ofClient: (clientId: string): Registration[] =>
      [...registrations.byId.values()].filter((one) => one.clientId === clientId),
    size: () => registrations.byId.size,
  };
}

function register(
  service: Service,
  clientId: string,
  message: RegistrationMessage,
  now: Date,
): Decision<Verdict> {
  if (service.registrations.idOfExternal.has(externalKey({ clientId, externalId: message.externalId })))
    return { answer: { kind: "taken", by: "externalId" }, events: [] };
  if (service.registrations.idOfUserName.has(nameKey(message.userName)))
    return { answer: { kind: "taken", by: "userName" }, events: [] };
  if (service.registrations.byId.size >= MAX_REGISTRATIONS) return { answer: { kind: "full" }, events: [] };
  const id = hex(service.freshOctets(ID_OCTETS));
  const { externalId } = message;
  const received: ServiceEvent = {
    kind: "received",
    id,
    clientId,
    externalId,
    ...dataOf(service.policy.fields, message, undefined),
    atMs: now.getTime(),
  };
  return judge(service, id, received, now);
}

/** New data beside what is there already; `renew` asks for new access data though nothing else is new. */
function amend(
  service: Service,
  { clientId, id }: { readonly clientId: string; readonly id: string },
  message: Partial<RegistrationMessage> & { readonly fields: Fields },
  renew: boolean,
  now: Date,
): Decision<Verdict> {
  const known = find(service.registrations, clientId, id);
  if (!known) return { answer: { kind: "unknown" }, events: [] };
  const data = dataOf(service.policy.fields, { ...known, ...message }, known);
  const owner = service.registrations.idOfUserName.get(nameKey(data.userName));
  if (owner !== undefined && owner !== id) return { answer: { kind: "taken", by: "userName" }, events: [] };
  const isNew = JSON.stringify(data) !== JSON.stringify(dataOf(service.policy.fields, known, known));
  if (!isNew && known.state === "registered")
    return renew
      ? welcome(service, known, [], now)
      : { answer: { kind: "registered", registration: known, access: null }, events: [] };
  return judge(service, id, { kind: "amended", id, ...data, atMs: now.getTime() }, now);
}

function judge(service: Service, id: string, came: ServiceEvent, now: Date): Decision<Verdict> {
  const before = service.registrations.byId.get(id);
  apply(service.registrations, came);
  const registration = getFrom(service.registrations.byId, id);
  const needs = needsOf(service.policy.fields, registration);
  if (needs.length > 0) return { answer: { kind: "needs_information", registration, needs }, events: [came] };
  // Who has access keeps it when their data changes.
  if (before?.accessId && before.passwordDigest) {
    const { accessId, passwordDigest } = before;
    const again = { kind: "registered", id, accessId, passwordDigest, atMs: now.getTime() } as const;
    apply(service.registrations, again);
    const changed = getFrom(service.registrations.byId, id);
    return { answer: { kind: "registered", registration: changed, access: null }, events: [came, again] };
  }
  return welcome(service, registration, [came], now);
}

/** Makes what lets the user in: it replaces what was made before. */
function welcome(
  service: Service,
  { id }: Registration,
  before: readonly ServiceEvent[],
  now: Date,
): Decision<Verdict> {
  const password = freshPassword(service);
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
    password,
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

/** Whether this password opens the registration's address. */
function opens(service: Service, id: string, password: string): boolean {
  const digest = service.registrations.byId.get(id)?.passwordDigest;
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
