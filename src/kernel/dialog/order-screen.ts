/** The one form of a request: account data and selection together, and the names of its fields. */
import { createHash } from "node:crypto";
import { type Field, isFieldName, type Screen } from "../../wire/screen/screen.ts";
import { ACCOUNT_CHARACTERS_MAX, HOLDER_CHARACTERS_MAX } from "../account/bank-account.ts";
import type { UserField } from "../account/user-data.ts";
import type { CatalogItem } from "../catalog/catalog-item.ts";
import { localized } from "../catalog/localized.ts";
import { termsEntries } from "./catalog-screens.ts";
import { priceLines, quoteOf } from "./price-lines.ts";
import { fill } from "./texts.ts";
import { nameOf, type PortalView, type Step, screen, short, step } from "./view.ts";

/** What may pay: a card, or a bank account by direct debit (R8). */
export const PAYMENT_MEANS = ["card", "account"] as const;
export type PaymentMeans = (typeof PAYMENT_MEANS)[number];

/** What a form asks for: of the user, of single services, and what pays. Never the device's own identity (R9). */
export type Asked = {
  readonly user: readonly UserField[];
  readonly services: readonly {
    readonly itemId: string;
    readonly fields: readonly {
      readonly name: string;
      readonly label: Readonly<Record<string, string>>;
      readonly kind: Field["kind"];
      readonly required: boolean;
    }[];
  }[];
  /** Null: nothing that pays is asked for. */
  readonly payment: PaymentMeans | null;
  /** The account is keyed on a telephone: its number alone, since keys write no name. */
  readonly isKeyed?: boolean;
  /** What they left before, and what pays unless they give another; masked. */
  readonly onFile?: string | null;
};

/** Where the same form is had that asks for the other means of payment. */
export type OtherMeans = { readonly means: PaymentMeans; readonly href: string };

/** What was typed before, and what was wrong with it by field name. Secrets are typed again. */
export type Typed = {
  readonly values: Readonly<Record<string, string>>;
  readonly faults: Readonly<Record<string, string>>;
};
const NOTHING_TYPED: Typed = { values: {}, faults: {} };

/** The form was shown with another price than is charged now. */
export const PRICE_CHANGED = "price_changed";

const USER_KINDS: Readonly<Partial<Record<UserField, Field["kind"]>>> = {
  birthdate: "date",
  email: "email",
  fax: "phone",
};

/** Names of form fields: `u_` a user's, `c_` the card's, `a_` the bank account's, `f_` a service's. */
export const CARD_FIELDS = { number: "c_number", expiry: "c_expiry", code: "c_code" } as const;
export const ACCOUNT_FIELDS = { number: "a_number", holder: "a_holder", mandate: "a_mandate" } as const;
/** Says which of the two a form asked for. */
export const PAYMENT_FIELD = "pay";
export const userFieldName = (field: UserField): string => `u_${field}`;
/** A catalog id has hyphens, a form's name has none; what is too long for a form's name gets one of its own. */
export const serviceFieldName = (itemId: string, name: string): string =>
  formName("f", `f_${itemId.replaceAll("-", "_")}__${name}`, `${itemId} ${name}`);

/** What a service server asks for again. */
export const missingFieldName = (name: string): string => formName("x", `x_${name}`, name);

const FORM_NAME_DIGITS = 16;
const formName = (kind: string, plain: string, whole: string): string =>
  isFieldName(plain)
    ? plain
    : `${kind}_${createHash("sha256").update(whole).digest("hex").slice(0, FORM_NAME_DIGITS)}`;

/** One form, one POST: account data and selection together (R5). */
export function orderScreen(
  view: PortalView,
  {
    items,
    asked,
    state,
    offerId,
    action = "/d/requests",
    otherMeans = [],
  }: {
    readonly items: readonly CatalogItem[];
    readonly asked: Asked;
    /** Keeps a form from being sent by another page, and a repeat from being done twice. */
    readonly state: string;
    readonly offerId?: string;
    /** Where the form goes. */
    readonly action?: string;
    readonly otherMeans?: readonly OtherMeans[];
  },
  typed: Typed = NOTHING_TYPED,
): Screen {
  const here = step(view);
  const { texts, language, at } = here;
  const [first] = items;
  const prices = priceLines(here, items);
  const lines = items.map((item, n) => `${nameOf(item, language)}: ${prices[n]}`);
  const terms = termsEntries(here, items);
  const fields = fieldsOf(here, asked, typed);
  const hasFaults = Object.keys(typed.faults).length > 0;
  return screen(here, "order", fields.length > 0 ? texts.yourData : texts.order, {
    text: [
      ...(PRICE_CHANGED in typed.faults ? [texts.priceChanged] : hasFaults ? [texts.pleaseCheck] : []),
      ...(offerId === undefined ? [] : [texts.offered]),
      ...lines,
      ...(terms.length > 0 ? [texts.withTerms] : []),
      ...(asked.user.length > 0 ? [texts.yourDataWhy] : []),
      ...(asked.onFile ? [fill(texts.paidBy, { means: asked.onFile })] : []),
    ],
    form: {
      action: at(action),
      submit: texts.order,
      fields,
      hidden: {
        selection: items.map(({ id }) => id).join(" "),
        state,
        quote: quoteOf(view, items),
        ...(asked.payment === null ? {} : { [PAYMENT_FIELD]: asked.payment }),
        ...(offerId === undefined ? {} : { offer: offerId }),
      },
    },
    entries: [
      ...otherMeans.map(({ means, href }) => ({ label: texts.payBy[means], href: at(href) })),
      ...terms,
    ],
    actions: first ? [{ role: "back", label: texts.back, href: at(`/d/items/${first.id}`) }] : [],
  });
}

/** Fields of a form, with what was typed and what was wrong with it. */
export function fieldsOf({ texts, language }: Step, asked: Asked, { values, faults }: Typed): Field[] {
  const note = (name: string): { note?: string } => {
    const code = faults[name];
    return code === undefined ? {} : { note: texts.faults[code] ?? texts.faults.other ?? code };
  };
  const value = (name: string): { value?: string } => (values[name] ? { value: values[name] } : {});
  const user = asked.user.map((field): Field => {
    const name = userFieldName(field);
    const kind = USER_KINDS[field] ?? "text";
    return {
      name,
      label: texts.fields[field],
      kind,
      required: true,
      maxLength: 100,
      ...value(name),
      ...note(name),
    };
  });
  const services = asked.services.flatMap(({ itemId, fields }) =>
    fields.map(({ name: own, label, kind, required }): Field => {
      const name = serviceFieldName(itemId, own);
      const shown = kind === "secret" ? {} : value(name);
      return {
        name,
        label: short(localized(label, language), 60),
        kind,
        required,
        maxLength: 200,
        ...shown,
        ...note(name),
      };
    }),
  );
  return [...user, ...services, ...paymentFields(texts, asked, value, note)];
}

function paymentFields(
  texts: Step["texts"],
  { payment: means, isKeyed = false }: Pick<Asked, "payment" | "isKeyed">,
  value: (name: string) => { value?: string },
  note: (name: string) => { note?: string },
): Field[] {
  if (means === null) return [];
  if (means === "card") return cardFields(texts, note);
  const { number, holder, mandate } = ACCOUNT_FIELDS;
  const { account } = texts;
  if (isKeyed)
    return [
      {
        name: number,
        label: account.keyed,
        kind: "secret",
        required: true,
        minLength: 8,
        maxLength: ACCOUNT_CHARACTERS_MAX,
        note: account.kept,
        ...note(number),
      },
      // What was keyed is heard again, masked, before it is agreed to.
      {
        name: mandate,
        label: account.allow,
        kind: "flag",
        required: true,
        readBack: number,
        ...note(mandate),
      },
    ];
  return [
    {
      name: number,
      label: account.number,
      kind: "text",
      required: true,
      minLength: 5,
      maxLength: ACCOUNT_CHARACTERS_MAX,
      note: account.kept, // never its value: it is typed again as a card's number is
      ...note(number),
    },
    {
      name: holder,
      label: account.holder,
      kind: "text",
      required: true,
      maxLength: HOLDER_CHARACTERS_MAX,
      ...value(holder),
      ...note(holder),
    },
    { name: mandate, label: account.allow, kind: "flag", required: true, ...note(mandate) },
  ];
}

function cardFields({ card }: Step["texts"], note: (name: string) => { note?: string }): Field[] {
  const { number, expiry, code } = CARD_FIELDS;
  return [
    {
      name: number,
      label: card.number,
      kind: "secret",
      required: true,
      minLength: 12,
      maxLength: 23,
      note: card.kept,
      ...note(number),
    },
    {
      name: expiry,
      label: card.expiry,
      kind: "digits",
      required: true,
      minLength: 4,
      maxLength: 4,
      ...note(expiry),
    },
    { name: code, label: card.code, kind: "secret", required: false, maxLength: 4, ...note(code) },
  ];
}
