/**
 * The one form of a request: what it asks for, by policy and by what is chosen, and what was typed into it.
 */
import { USER_FIELDS, type UserData } from "../../kernel/account/user-data.ts";
import { type CatalogItem, isAssuredEnough } from "../../kernel/catalog/catalog-item.ts";
import { askingItems, expandSelection } from "../../kernel/catalog/expand.ts";
import { canBeHad } from "../../kernel/dialog/catalog-screens.ts";
import {
  type Asked,
  type PaymentMeans,
  serviceFieldName,
  type Typed,
  userFieldName,
} from "../../kernel/dialog/order-screen.ts";
import { hasHere, replaceableHere } from "../../kernel/dialog/price-lines.ts";
import type { PortalView } from "../../kernel/dialog/view.ts";
import type { RequestPolicy } from "../../kernel/operator/request-policy.ts";
import { checkUserData, neededFields, tidyUserData } from "../../kernel/registration/check-user-data.ts";
import { verificationDue } from "../../kernel/registration/judge-verification.ts";
import { TurnupError } from "../../term/error.ts";
import { isTexts } from "../../term/narrow.ts";
import { faultOf, normalValueOf } from "../../wire/screen/input.ts";
import { FLAG_SET, SCREEN_LIMITS } from "../../wire/screen/screen.ts";
import type { PostedBody } from "./body.ts";
import {
  formPayment,
  type PostedPayment,
  paymentAsked,
  paymentFaults,
  paymentFieldsCount,
} from "./order-payment.ts";
import { type PortalContext, type PortalRequest, Trouble } from "./portal-context.ts";
import type { Visitor } from "./visitor.ts";

const SELECTION_MAX = 20;
/** Of a typed value; the kernel's own limits are lower. */
const VALUE_CHARACTERS_MAX = 400;

type Selection = {
  /** As chosen. */
  readonly chosen: readonly CatalogItem[];
  /** What is to be provisioned of it. */
  readonly items: readonly CatalogItem[];
  readonly asked: Asked;
  readonly policy: RequestPolicy;
};

/**
 * @param wanted what the subscriber chose to pay by; null before they did
 * @throws Trouble `selection_empty`, `catalog_item_unknown`, `item_unavailable`, `assurance_too_low`, `card_not_taken`
 */
export async function selectionOf(
  context: PortalContext,
  visitor: Visitor,
  view: PortalView,
  { ids, wanted }: { readonly ids: readonly string[]; readonly wanted: PaymentMeans | null },
): Promise<Selection> {
  const { deps } = context;
  if (ids.length === 0 || ids.length > SELECTION_MAX) throw new Trouble("selection_empty", 422);
  const { catalog } = view;
  const chosen = ids.map((id) => {
    const item = catalog.get(id);
    if (!item) throw new Trouble("catalog_item_unknown", 404);
    return item;
  });
  if (chosen.every((item) => !canBeHad(view, item))) throw new Trouble("item_unavailable", 409);
  const expansion = expandSelection(catalog, ids, {
    has: hasHere(view),
    outdated: replaceableHere(view),
    lackOf: view.lackOf,
    deviceTakes: () => true,
  });
  const items = expansion.items.map(({ item }) => item);
  const asking = askingItems(catalog, expansion);
  const policy = (await deps.policies.current(visitor.operator.id)).body.request;
  refuseUnassured(visitor, asking, policy);
  const { person, operator } = visitor;
  const facts = person
    ? await deps.people.known(operator.id, person)
    : { isKnownDevice: false, account: null, record: await ownRecordOf(deps, visitor) };
  const known = facts.account?.state === "closed" ? null : (facts.account?.card ?? null);
  const due = verificationDue(policy, asking, facts);
  const { user, services } = neededFields(due, items);
  const payment = due.card ? paymentAsked(context, visitor, known, wanted) : { payment: null };
  const asked: Asked = { user: due.road === "full" ? user : [], services, ...payment };
  return { chosen, items, asked: withinScreen(asked), policy };
}

/** A device that asks for the first time is in no books yet, and its operator may have a record of its SIM all the same. */
const ownRecordOf = async (
  { people }: PortalContext["deps"],
  { operator, who }: Visitor,
): ReturnType<PortalContext["deps"]["people"]["recordOf"]> =>
  who ? people.recordOf(operator.id, who) : null;

/** A link by SMS may be too little even for somebody who signed in by one. */
function refuseUnassured(visitor: Visitor, items: readonly CatalogItem[], policy: RequestPolicy): void {
  const needed = [policy.minimumAssurance, ...items.map(({ requires }) => requires.assurance)];
  if (visitor.who && needed.every((one) => isAssuredEnough(visitor.assurance, one))) return;
  const bySms = visitor.door === "public" && needed.every((one) => isAssuredEnough("link", one));
  throw new Trouble(bySms ? "assurance_too_low" : "assurance_needs_device", 403);
}

/** What does not fit on one screen, its service asks for by itself afterwards. */
function withinScreen(asked: Asked): Asked {
  let room = SCREEN_LIMITS.fields - asked.user.length - paymentFieldsCount(asked.payment);
  const services = asked.services.map(({ itemId, fields }) => {
    const kept = fields.slice(0, Math.max(0, room));
    room -= kept.length;
    return { itemId, fields: kept };
  });
  return { ...asked, services: services.filter(({ fields }) => fields.length > 0) };
}

/** What a POST of the form says, whichever way it came. */
export type Posted = {
  readonly selection: readonly string[];
  readonly action: "add" | "remove";
  readonly offerId: string | null;
  /** Names the price that the form was shown with; null where it was no form of ours. */
  readonly quote: string | null;
  readonly user: Readonly<Record<string, string>>;
  readonly fieldOf: (itemId: string, name: string) => string;
  readonly payment: PostedPayment;
  /** By the form's names, to be shown again. */
  readonly values: Readonly<Record<string, string>>;
};

/**
 * @param country where account numbers are written as they are, ISO 3166-1 alpha-2; null: an IBAN alone is read
 * @param byKeys keyed on a telephone
 * @throws TurnupError `body_malformed`
 */
export function readPostedOrder(
  { body }: PortalRequest,
  country: string | null = null,
  byKeys = false,
): Posted {
  const given = body.json ? jsonOrder(body.json, country) : formOrder(body, country, byKeys);
  for (const value of Object.values(given.values)) {
    if (value.length > VALUE_CHARACTERS_MAX) throw malformed("a value that no field takes");
  }
  return given;
}

function formOrder({ texts }: PostedBody, country: string | null, byKeys: boolean): Posted {
  const text = (name: string): string => texts.get(name) ?? "";
  // What is no plain yes must not turn into the opposite of what was wanted.
  if (!["", "yes"].includes(text("remove"))) throw malformed("remove");
  return {
    selection: idsIn(text("selection")),
    action: text("remove") === "yes" ? "remove" : "add",
    offerId: offerIdIn(text("offer")),
    quote: text("quote") || null,
    user: Object.fromEntries(USER_FIELDS.map((field) => [field, text(userFieldName(field))])),
    fieldOf: (itemId, name) => text(serviceFieldName(itemId, name)),
    payment: formPayment(text, country, byKeys),
    values: Object.fromEntries(texts),
  };
}

/**
 * `{selection: [id], remove?, user?: {}, fields?: {id: {}}, card?: {number, expiry, code?},
 * account?: {number, country?, holder, mandate: "yes"}, offer?}`
 */
function jsonOrder(json: Readonly<Record<string, unknown>>, country: string | null): Posted {
  const user = textsOf(json.user, "user");
  const fields = recordOf(json.fields, "fields");
  const card = textsOf(json.card, "card");
  const account = textsOf(json.account, "account");
  if (json.card !== undefined && json.account !== undefined) throw malformed("a card and an account");
  const { selection, remove = false, offer = "" } = json;
  const isList = Array.isArray(selection) && selection.every((id) => typeof id === "string");
  if (!isList) throw malformed("selection is no list of ids");
  if (typeof remove !== "boolean" || typeof offer !== "string") throw malformed("remove or offer");
  const byItem = new Map(Object.entries(fields).map(([id, given]) => [id, textsOf(given, `fields/${id}`)]));
  return {
    selection: selection.map(String),
    action: remove ? "remove" : "add",
    offerId: offerIdIn(offer),
    quote: null,
    user,
    fieldOf: (itemId, name) => byItem.get(itemId)?.[name] ?? "",
    payment: {
      means: json.account !== undefined ? "account" : json.card !== undefined ? "card" : null,
      card: { number: card.number ?? "", expiry: card.expiry ?? "", code: card.code || null },
      account: {
        number: account.number ?? "",
        country: account.country ?? country,
        holder: account.holder ?? "",
        isAllowed: account.mandate === FLAG_SET,
      },
    },
    values: Object.fromEntries([
      ...Object.entries(user).map(([name, value]) => [`u_${name}`, value]),
      ...[...byItem].flatMap(([id, given]) =>
        Object.entries(given).map(([name, value]) => [serviceFieldName(id, name), value]),
      ),
    ]),
  };
}

const idsIn = (text: string): string[] => text.split(/\s+/).filter((id) => id !== "");
const offerIdIn = (text: string): string | null => {
  if (text === "") return null;
  if (!/^[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$/.test(text)) throw malformed("an offer that is none");
  return text;
};

function recordOf(value: unknown, at: string): Readonly<Record<string, unknown>> {
  if (value === undefined || value === null) return {};
  if (typeof value !== "object" || Array.isArray(value)) throw malformed(`${at} is no object`);
  return { ...value };
}

function textsOf(value: unknown, at: string): Readonly<Record<string, string>> {
  const record = recordOf(value, at);
  if (!isTexts(record)) throw malformed(`${at} holds no text`);
  return record;
}

const malformed = (fact: string): TurnupError =>
  new TurnupError("body_malformed", `The body: ${fact.slice(0, 80)}.`, { nextStep: "Send the form again." });

/** What is wrong, by the form's names. Nothing of what was typed is in it. */
export function faultsOf(
  { asked, policy }: Selection,
  { user, fieldOf, payment }: Posted,
  now: Date,
): Typed["faults"] {
  const faults: Record<string, string> = {};
  const { minimumAgeYears } = policy;
  for (const { field, code } of checkUserData(tidyUserData(user), asked.user, { now, minimumAgeYears }))
    faults[userFieldName(field)] = code;
  for (const { itemId, fields } of asked.services) {
    for (const field of fields) {
      const value = normalValueOf({ ...field, label: "" }, fieldOf(itemId, field.name));
      const fault = faultOf({ ...field, label: "" }, value);
      if (fault) faults[serviceFieldName(itemId, field.name)] = FAULT_CODES[fault];
    }
  }
  return { ...faults, ...paymentFaults(asked, payment, now) };
}

const FAULT_CODES = {
  missing: "missing",
  tooShort: "other",
  tooLong: "too_long",
  malformed: "other",
} as const;

/** The field of the form that the kernel found wrong; undefined where it found something else. */
export function wrongFieldOf(error: unknown): string | undefined {
  if (!(error instanceof TurnupError) || error.code !== "field_invalid") return undefined;
  const { item, field } = error.details ?? {};
  return typeof item === "string" && typeof field === "string" ? serviceFieldName(item, field) : undefined;
}

/** What was typed, without secrets: those are typed again. */
export const typedOf = ({ values }: Posted, faults: Typed["faults"]): Typed => ({ values, faults });

/** The user's data and their services' fields, as the kernel takes them; only what was asked for. */
export function givenOf(
  { asked }: Selection,
  { user, fieldOf }: Posted,
): {
  readonly user: UserData;
  readonly fields: Readonly<Record<string, Readonly<Record<string, string>>>>;
} {
  const fields = asked.services.flatMap(({ itemId, fields }) => {
    const given = fields.flatMap((field) => {
      const value = normalValueOf({ ...field, label: "" }, fieldOf(itemId, field.name));
      return value === "" ? [] : [[field.name, value] as const];
    });
    return given.length > 0 ? [[itemId, Object.fromEntries(given)] as const] : [];
  });
  return { user: tidyUserData(user), fields: Object.fromEntries(fields) };
}
