/**
 * Bodies of calls as they stand in their rows: texts by name, which the release before reads too. A body is written by its
 * kind's fields and read back with a check, since a row may come from another release, or from a person with a database tool.
 */
import { isObject } from "../../term/narrow.ts";
import { BILLING_NOTICES } from "../../wire/message/billing-api.ts";
import { ASSURANCES, NETWORK_ELEMENTS } from "../catalog/catalog-item.ts";
import { TERMS_CHANNELS } from "../operator/request-policy.ts";
import {
  type CallBodies,
  type CallContent,
  type CallKind,
  PROVISIONING_EVENTS,
  SERVER_ROLES,
} from "../order/outbound-call.ts";
import { COLLECTION_PURPOSES } from "../settlement/collection.ts";

/** `undefined` where the text is none of this field's; a field that a row lacks is read as the empty text. */
type Field<Value> = {
  readonly write: (value: Value) => string;
  readonly read: (text: string) => Value | undefined;
};

const text: Field<string> = { write: (value) => value, read: (found) => found || undefined };
/** What may be missing altogether. */
const nullable: Field<string | null> = { write: (value) => value ?? "", read: (found) => found || null };
const words: Field<readonly string[]> = {
  write: (value) => value.join(" "),
  read: (found) => (found === "" ? undefined : found.split(" ")),
};
/** As `words`, and there may be none. */
const listed: Field<readonly string[]> = {
  write: words.write,
  read: (found) => (found === "" ? [] : found.split(" ")),
};
/** True, or not. */
const flag: Field<boolean> = { write: String, read: (found) => found === "true" };
const minor: Field<bigint> = {
  write: String,
  read: (found) => (/^\d{1,18}$/.test(found) ? BigInt(found) : undefined),
};
const whole: Field<number> = {
  write: String,
  read: (found) => (/^\d{1,15}$/.test(found) ? Number(found) : undefined),
};
const time: Field<Date> = {
  write: (value) => value.toISOString(),
  read: (found) => (Number.isNaN(Date.parse(found)) ? undefined : new Date(found)),
};
const oneOf = <Word extends string>(known: readonly Word[]): Field<Word> => ({
  write: (value) => value,
  read: (found) => known.find((word) => word === found),
});
/** With what it means where a row does not say. */
const orElse = <Value>({ write, read }: Field<Value>, otherwise: Value): Field<Value> => ({
  write,
  read: (found) => (found === "" ? otherwise : read(found)),
});

const ACTIONS = oneOf(["add", "remove"]);
const SUM = { amountMinor: minor, currency: text };

const FIELDS: {
  readonly [Kind in CallKind]: { readonly [Name in keyof CallBodies[Kind]]-?: Field<CallBodies[Kind][Name]> };
} = {
  key_request: { itemId: text, from: orElse(oneOf(["maker", "stock"]), "maker") },
  download_notice: { keyId: text, at: time },
  fee_request: { ...SUM, chargeId: text },
  portion_payment: { ...SUM, chargeId: text, make: text },
  remittance_notice: { ...SUM, paymentId: text, keyId: text, at: time },
  identity_check: {},
  card_check: SUM,
  collection: {
    ...SUM,
    collectionId: text,
    purpose: oneOf(COLLECTION_PURPOSES),
    period: whole,
    attempt: whole,
  },
  service_registration: {
    action: oneOf(["register", "change", "restore", "remove"]),
    service: text,
    registrationId: text,
    remoteId: nullable,
    language: nullable,
  },
  element_task: { element: oneOf(NETWORK_ELEMENTS), action: ACTIONS, catalogId: text, undo: flag },
  billing_notice: {
    kind: oneOf(BILLING_NOTICES),
    catalogId: nullable,
    action: ACTIONS,
    onceMinor: whole,
    monthlyMinor: whole,
    currency: nullable,
    prepared: nullable,
  },
  mail_notice: { channel: orElse(oneOf(TERMS_CHANNELS), "mail"), language: text },
  forward_request: {
    server: text,
    action: ACTIONS,
    selection: words,
    language: orElse(text, "en"),
    assurance: orElse(oneOf(ASSURANCES), "none"),
    reference: nullable,
  },
  server_notice: {
    role: oneOf(SERVER_ROLES),
    server: text,
    registrationId: nullable,
    remoteId: nullable,
    event: oneOf(PROVISIONING_EVENTS),
    items: listed,
    make: nullable,
    model: nullable,
    at: time,
  },
};

type StoredBody = Readonly<Record<string, string>>;
/** By the names of a kind's own fields. */
const fieldsOf = (kind: CallKind) => FIELDS[kind] as Readonly<Record<string, Field<unknown>>>; // a value is asked by its own name

export function writeCallBody({ kind, body }: Pick<CallContent, "kind" | "body">): StoredBody {
  const values: Readonly<Record<string, unknown>> = { ...body };
  return Object.fromEntries(
    Object.entries(fieldsOf(kind)).map(([name, { write }]) => [name, write(values[name])]),
  );
}

/** Undefined where the row does not hold what its kind needs. */
function readCallBody<Kind extends CallKind>(kind: Kind, stored: unknown): CallBodies[Kind] | undefined {
  if (!isObject(stored)) return undefined;
  const body: Record<string, unknown> = {};
  for (const [name, { read }] of Object.entries(fieldsOf(kind))) {
    const found = Object.hasOwn(stored, name) ? stored[name] : "";
    const value = typeof found === "string" ? read(found) : undefined;
    if (value === undefined) return undefined;
    body[name] = value;
  }
  return body as CallBodies[Kind]; // each of its fields was read by its own rule
}

/** A call's content from its row; undefined where the row cannot be read. */
export function readCallContent(kind: CallKind, stored: unknown, secret: unknown): CallContent | undefined {
  const body = readCallBody(kind, stored);
  // Kind and body belong together by the reading; what was sealed is what was written, or it does not open.
  return body && ({ kind, body, ...(isObject(secret) && { secret }) } as CallContent);
}
