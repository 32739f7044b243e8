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
import type { Fields, NeededDatum, RegistrationMessage } from "../wire/message/scim.ts";

/** More than the users of a large service at one reference server. */
const MAX_REGISTRATIONS = 1_000_000;
const ID_OCTETS = 16;
const ACCESS_OCTETS = 12;
const PASSWORD_LETTERS = 16;
/** Without signs that are read as others: 0 O, 1 I l. */
const LETTERS = "ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz23456789";
/** All octets below a multiple of the letters' number: each letter is as likely as the others. */
const FAIR_OCTETS = 256 - (256 % LETTERS.length);

export type FieldKind = "text" | "digits" | "phone" | "email" | "secret" | "date";
export type NeededField = { readonly name: string; readonly kind: FieldKind; readonly required: boolean };
export type ServicePolicy = {
  /** What this service asks of a user, beside number and name. */
  readonly fields: readonly NeededField[];
  /** Where registered users are let in; an id that nobody can guess follows. */
  readonly accessUrl: string;
  /** Keys the digests of passwords. */
  readonly digestSecret: Uint8Array;
};

type Data = {
  readonly userName: string;
  readonly msisdn: string;
  readonly language: string;
  readonly fields: Fields;
  /** Names of fields that came and were not good. */
  readonly corrupt: readonly string[];
};
export type ServiceEvent =
  | ({
      readonly kind: "received";
      readonly id: string;
      readonly clientId: string;
      readonly externalId: string;
      readonly atMs: number;
    } & Data)
  | ({ readonly kind: "amended"; readonly id: string; readonly atMs: number } & Data)
  | {
      readonly kind: "registered";
      readonly id: string;
      readonly accessId: string;
      readonly passwordDigest: string;
      readonly atMs: number;
    }
  | { readonly kind: "removed"; readonly id: string };

/** What the door asks of storage: resolved only when these events, and all given before, survive a power cut. */
export interface ServiceJournal {
  append(events: readonly ServiceEvent[]): Promise<void>;
}

export type Registration = Data & {
  readonly id: string;
  readonly clientId: string;
  readonly externalId: string;
  readonly state: "needs_information" | "registered";
  readonly accessId: string | null;
  readonly passwordDigest: string | null;
  readonly createdMs: number;
  readonly changedMs: number;
};
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

/** @param freshOctets so many octets that nobody can guess */
export function createRegistrationKernel(policy: ServicePolicy, freshOctets: (octets: number) => Uint8Array) {
  const registrations = new Map<string, Registration>();
  const idOfExternal = new Map<string, string>();
  const idOfUserName = new Map<string, string>();

  /** Takes an event into the state; the only place that changes it. */
  function apply(event: ServiceEvent): void {
    const known = registrations.get(event.id);
    switch (event.kind) {
      case "received": {
        const { kind: _kind, atMs, ...data } = event;
        const born = { accessId: null, passwordDigest: null, createdMs: atMs, changedMs: atMs } as const;
        return keep({ ...data, ...born, state: "needs_information" });
      }
      case "amended": {
        if (!known) throw new RangeError("an event about a registration that never came");
        idOfUserName.delete(nameKey(known.userName));
        const { kind: _kind, atMs, ...data } = event;
        // Until it is registered anew: what was changed may be incomplete.
        return keep({ ...known, ...data, state: "needs_information", changedMs: atMs });
      }
      case "registered": {
        if (!known) throw new RangeError("an event about a registration that never came");
        const { accessId, passwordDigest, atMs } = event;
        return keep({ ...known, accessId, passwordDigest, state: "registered", changedMs: atMs });
      }
      case "removed":
        if (!known) return;
        registrations.delete(known.id);
        idOfExternal.delete(externalKey(known));
        idOfUserName.delete(nameKey(known.userName));
    }
  }

  function keep(registration: Registration): void {
    registrations.set(registration.id, registration);
    idOfExternal.set(externalKey(registration), registration.id);
    idOfUserName.set(nameKey(registration.userName), registration.id);
  }

  function register(clientId: string, message: RegistrationMessage, now: Date): Decision<Verdict> {
    if (idOfExternal.has(externalKey({ clientId, externalId: message.externalId })))
      return { answer: { kind: "taken", by: "externalId" }, events: [] };
    if (idOfUserName.has(nameKey(message.userName)))
      return { answer: { kind: "taken", by: "userName" }, events: [] };
    if (registrations.size >= MAX_REGISTRATIONS) return { answer: { kind: "full" }, events: [] };
    const id = hex(freshOctets(ID_OCTETS));
    const { externalId } = message;
    const received: ServiceEvent = {
      kind: "received",
      id,
      clientId,
      externalId,
      ...dataOf(message, undefined),
      atMs: now.getTime(),
    };
    return judge(id, received, now);
  }

  /** New data beside what is there already; `renew` asks for new access data though nothing else is new. */
  function amend(
    clientId: string,
    id: string,
    message: Partial<RegistrationMessage> & { readonly fields: Fields },
    renew: boolean,
    now: Date,
  ): Decision<Verdict> {
    const known = find(clientId, id);
    if (!known) return { answer: { kind: "unknown" }, events: [] };
    const data = dataOf({ ...known, ...message }, known);
    const owner = idOfUserName.get(nameKey(data.userName));
    if (owner !== undefined && owner !== id) return { answer: { kind: "taken", by: "userName" }, events: [] };
    const isNew = JSON.stringify(data) !== JSON.stringify(dataOf(known, known));
    if (!isNew && known.state === "registered")
      return renew
        ? welcome(known, [], now)
        : { answer: { kind: "registered", registration: known, access: null }, events: [] };
    return judge(id, { kind: "amended", id, ...data, atMs: now.getTime() }, now);
  }

  function judge(id: string, came: ServiceEvent, now: Date): Decision<Verdict> {
    const before = registrations.get(id);
    apply(came);
    const registration = registrations.get(id)!;
    const needs = needsOf(registration);
    if (needs.length > 0)
      return { answer: { kind: "needs_information", registration, needs }, events: [came] };
    // Who has access keeps it when his data changes.
    if (before?.accessId && before.passwordDigest) {
      const { accessId, passwordDigest } = before;
      const again = { kind: "registered", id, accessId, passwordDigest, atMs: now.getTime() } as const;
      apply(again);
      const changed = registrations.get(id)!;
      return { answer: { kind: "registered", registration: changed, access: null }, events: [came, again] };
    }
    return welcome(registration, [came], now);
  }

  /** Makes what lets the user in: it replaces what was made before. */
  function welcome({ id }: Registration, before: readonly ServiceEvent[], now: Date): Decision<Verdict> {
    const password = freshPassword();
    const accessId = hex(freshOctets(ACCESS_OCTETS));
    const event: ServiceEvent = {
      kind: "registered",
      id,
      accessId,
      passwordDigest: digestOf(id, password),
      atMs: now.getTime(),
    };
    apply(event);
    const registration = registrations.get(id)!;
    const access = {
      userName: registration.userName,
      password,
      address: `${policy.accessUrl.replace(/\/$/, "")}/${accessId}`,
    };
    return { answer: { kind: "registered", registration, access }, events: [...before, event] };
  }

  function remove(clientId: string, id: string): Decision<"removed" | "unknown"> {
    if (!find(clientId, id)) return { answer: "unknown", events: [] };
    const event: ServiceEvent = { kind: "removed", id };
    apply(event);
    return { answer: "removed", events: [event] };
  }

  /** A client sees its own users alone. */
  function find(clientId: string, id: string): Registration | undefined {
    const known = registrations.get(id);
    return known?.clientId === clientId ? known : undefined;
  }

  function findExternal(clientId: string, externalId: string): Registration | undefined {
    const id = idOfExternal.get(externalKey({ clientId, externalId }));
    return id === undefined ? undefined : registrations.get(id);
  }

  /** Just what is missing or corrupt (figure 7C, 780). */
  function needsOf({ fields, corrupt, msisdn }: Data): NeededDatum[] {
    const number: NeededDatum[] = isGood("phone", msisdn)
      ? []
      : [{ name: "msisdn", problem: msisdn === "" ? "missing" : "corrupt" }];
    return policy.fields.reduce<NeededDatum[]>((needs, { name, required }) => {
      if (corrupt.includes(name)) needs.push({ name, problem: "corrupt" });
      else if (required && !fields[name]) needs.push({ name, problem: "missing" });
      return needs;
    }, number);
  }

  /** Keeps what this service asks for and no more; what is not good is named and not kept. */
  function dataOf(
    message: {
      readonly msisdn: string;
      readonly language: string;
      readonly userName: string;
      readonly fields: Fields;
    },
    known: Data | undefined,
  ): Data {
    const fields: Record<string, string> = { ...known?.fields };
    const corrupt = new Set(known?.corrupt);
    for (const { name, kind } of policy.fields) {
      const value = message.fields[name]?.trim();
      if (!value) continue;
      corrupt.delete(name);
      if (isGood(kind, value)) fields[name] = value;
      else corrupt.add(name); // a good value that was there before stays
    }
    const { msisdn, language, userName } = message;
    return { userName, msisdn, language, fields, corrupt: [...corrupt] };
  }

  /** Whether this password opens the registration's address. */
  function opens(id: string, password: string): boolean {
    const digest = registrations.get(id)?.passwordDigest;
    return digest ? timingSafeEqual(Buffer.from(digest), Buffer.from(digestOf(id, password))) : false;
  }

  const digestOf = (id: string, password: string): string =>
    createHmac("sha256", policy.digestSecret).update(`${id}\n${password}`).digest("hex");

  function freshPassword(): string {
    let password = "";
    while (password.length < PASSWORD_LETTERS) {
      for (const octet of freshOctets(PASSWORD_LETTERS)) {
        if (octet < FAIR_OCTETS && password.length < PASSWORD_LETTERS)
          password += LETTERS[octet % LETTERS.length];
      }
    }
    return password;
  }

  return {
    apply,
    register,
    amend,
    remove,
    find,
    findExternal,
    needsOf,
    opens,
    ofClient: (clientId: string): Registration[] =>
      [...registrations.values()].filter((one) => one.clientId === clientId),
    size: () => registrations.size,
  };
}

const MAX_VALUE_CHARACTERS = 200;
const GOOD: Readonly<Record<FieldKind, RegExp>> = {
  text: /^\P{Cc}+$/u,
  digits: /^\d{1,32}$/,
  phone: /^\+?[1-9]\d{4,14}$/,
  email: /^[^\s@<>,;]{1,64}@[A-Za-z0-9](?:[A-Za-z0-9.-]{0,250}[A-Za-z0-9])?$/,
  secret: /^[\x21-\x7e]{8,128}$/,
  date: /^\d{4}-\d{2}-\d{2}$/,
};
function isGood(kind: FieldKind, value: string): boolean {
  if (value.length > MAX_VALUE_CHARACTERS || !GOOD[kind].test(value)) return false;
  return kind !== "date" || isDay(value);
}

/** A day of the calendar: 30 February is none. */
function isDay(value: string): boolean {
  const day = new Date(`${value}T00:00:00Z`);
  return !Number.isNaN(day.getTime()) && day.toISOString().startsWith(value);
}

const externalKey = ({ clientId, externalId }: { clientId: string; externalId: string }): string =>
  `${clientId}\n${externalId}`;
/** SCIM's userName is not case exact (RFC 7643 clause 4.1.1). */
const nameKey = (userName: string): string => userName.toLowerCase();
const hex = (octets: Uint8Array): string => Buffer.from(octets).toString("hex");
