/**
 * A payment provider on invented cards: tokens for numbers, sums held against tokens. It keeps a token, the digits that
 * may be shown, and sums; a number as a digest alone, a code never. Test cards misbehave as configured.
 */
import { createHash, randomBytes } from "node:crypto";
import { membersOf } from "../../term/narrow.ts";
import {
  readAccount,
  readAuthorisation,
  readCard,
  readCharge,
  type readReturns,
} from "../../wire/message/payment-api.ts";
import { startWeb, type WebAnswer, type WebFault, type WebRequest, type WebServer } from "../web/web.ts";

const MAX_KEPT = 1_000_000;
const TOKEN_OCTETS = 16;

/** `refuse` at the token; the others at the authorisation: a code declines, `timeout` is answered never, `pending` later. */
type CardHabit =
  | { readonly at: "token"; readonly refuse: string }
  | { readonly at: "authorisation"; readonly decline: string }
  | { readonly at: "authorisation"; readonly silent: true }
  | { readonly at: "authorisation"; readonly pending: number }
  /** Sums are declined so often, each time under another key; then they are taken. */
  | { readonly at: "charge"; readonly decline: string; readonly times: number }
  | { readonly at: "charge"; readonly pending: number };

/** Well-known test numbers (they pass the Luhn sum and belong to nobody) and what they do here. */
const TEST_CARDS: Readonly<Record<string, CardHabit>> = {
  "4000000000000002": { at: "authorisation", decline: "do_not_honour" },
  "4000000000009995": { at: "authorisation", decline: "insufficient_funds" },
  "4000000000000069": { at: "authorisation", decline: "expired_card" },
  "4000000000000127": { at: "token", refuse: "incorrect_code" },
  "4000000000000119": { at: "authorisation", silent: true },
  "4000000000000341": { at: "authorisation", pending: 2 },
  // Accounts: the registry's examples of Germany and France.
  DE89370400440532013000: { at: "authorisation", decline: "insufficient_funds" },
  FR1420041010050500013M02606: { at: "token", refuse: "account_closed" },
  // Sums: one that is taken at the second asking, one that never is, one of which the bank says so only after a while.
  "4000000000000259": { at: "charge", decline: "insufficient_funds", times: 1 },
  "4000000000000267": { at: "charge", decline: "do_not_honour", times: 1_000 },
  NL91ABNA0417164300: { at: "charge", pending: 2 },
};

type Kept = {
  readonly first6: string;
  readonly last4: string;
  readonly brand: string;
  /** Of an account: by what it may be collected from. */
  readonly mandate?: string;
  readonly habit?: CardHabit;
};
type Held = { readonly token: string; readonly amountMinor: number; readonly currency: string };
type Taken = Held & {
  readonly purpose: "order" | "renewal";
  readonly mandate: string | null;
  readonly reference: string;
  readonly endToEndId?: string;
};
/** As `GET /v1/returns` tells it. */
type Returned = ReturnType<typeof readReturns>["returns"][number];
export type PaymentSimulator = WebServer & {
  /** Everything that it knows, as text: a test looks for what must not be there. */
  memory(): string;
  /** What was approved, in order. */
  held(): readonly Held[];
  /** What was taken, in order. */
  taken(): readonly Taken[];
  /** Something comes back, days or weeks after it was taken: all of it where no sum is given, of the last one where no reference is. */
  giveBack(given: {
    readonly reference?: string;
    readonly code: string;
    readonly kind?: "return" | "chargeback";
    readonly amountMinor?: number;
    /** As it is told, whether or not the calendar has it. */
    readonly returnedOn?: string;
  }): void;
};

/** What the provider knows. */
type Provider = {
  /** By the digest of a number. */
  readonly habits: ReadonlyMap<string, CardHabit>;
  /** By token. */
  readonly cards: Map<string, Kept>;
  /** By path and key of idempotency. */
  readonly answers: Map<string, { readonly content: string; readonly answer: WebAnswer }>;
  readonly askings: Map<string, number>;
  readonly held: Held[];
  readonly taken: Taken[];
  readonly returned: Returned[];
  readonly salt: string;
  readonly cardsOnly: boolean;
};

export async function startPaymentProvider(options: {
  readonly secret: string;
  readonly port?: number;
  /** By number; the well-known test cards unless given. */
  readonly cards?: Readonly<Record<string, CardHabit>>;
  /** It takes cards alone. */
  readonly cardsOnly?: boolean;
  fault?(number: number, request: WebRequest): WebFault | undefined;
  readonly lateMs?: number;
}): Promise<PaymentSimulator> {
  const provider: Provider = {
    habits: new Map(
      Object.entries(options.cards ?? TEST_CARDS).map(([pan, habit]) => [digestOf(pan), habit]),
    ),
    cards: new Map(),
    answers: new Map(),
    askings: new Map(),
    held: [],
    taken: [],
    returned: [],
    salt: randomBytes(TOKEN_OCTETS).toString("hex"),
    cardsOnly: options.cardsOnly ?? false,
  };
  const { cards, answers, askings, held, taken } = provider;
  const web = await startWeb({
    ...options,
    fault: (number, request) => options.fault?.(number, request) ?? silence(provider, request),
    answer: (request) => answer(provider, request),
  });
  return {
    ...web,
    memory: () => JSON.stringify([[...cards], [...answers], [...askings], held, taken]),
    held: () => held,
    taken: () => taken,
    giveBack: (given) => void giveBack(provider, given),
  };
}

const RETURNS_PAGE = 100;

function giveBack(
  { taken, returned }: Provider,
  { reference, code, kind = "return", amountMinor, returnedOn }: Parameters<PaymentSimulator["giveBack"]>[0],
): void {
  const charge = reference === undefined ? taken.at(-1) : taken.find((one) => one.reference === reference);
  if (!charge) throw new Error("nothing was taken under this number");
  const { endToEndId, currency } = charge;
  const named = { reference: charge.reference, ...(endToEndId !== undefined && { endToEndId }) };
  const sum = { amountMinor: amountMinor ?? charge.amountMinor, currency };
  const when = returnedOn !== undefined && { returnedOn };
  returned.push({ id: `R${returned.length + 1}`, kind, ...named, ...sum, code, ...when });
}

/** `after`: how many the asker has. */
function returnsAfter({ returned }: Provider, query: URLSearchParams): WebAnswer {
  const after = Number(query.get("after") ?? 0);
  const returns = returned.slice(after, after + RETURNS_PAGE);
  const cursor = String(after + returns.length);
  return { status: 200, body: { returns, cursor, more: Number(cursor) < returned.length ? "yes" : "no" } };
}

/** The first answer again to a request that came before. */
function answer(provider: Provider, request: WebRequest): WebAnswer {
  if (request.method === "GET" && request.path === "/v1/returns")
    return returnsAfter(provider, request.query);
  const { answers, cards, salt } = provider;
  const key = request.headers["idempotency-key"];
  if (request.method !== "POST" || typeof key !== "string")
    return { status: 400, body: { code: "malformed" } };
  const place = `${request.path} ${key}`;
  const content = digestOf(salt + request.text); // the text itself may hold a card's number and code
  const known = answers.get(place);
  if (known) return known.content === content ? known.answer : { status: 409, body: { code: "key_reused" } };
  if (cards.size + answers.size >= MAX_KEPT) return { status: 503, body: { code: "full" } };
  const given = answerTo(provider, request, place);
  const isSettled = membersOf(given.body).state !== "pending";
  if (isSettled) answers.set(place, { content, answer: given });
  return given;
}

function answerTo(provider: Provider, request: WebRequest, place: string): WebAnswer {
  if (request.path === "/v1/tokens") return tokenFor(provider, request.text);
  if (request.path === "/v1/accounts" && !provider.cardsOnly) return accountTokenFor(provider, request.text);
  if (request.path === "/v1/authorisations") return authorise(provider, request.text, place);
  if (request.path === "/v1/charges") return charge(provider, request.text, place);
  return { status: 404, body: { code: "route_unknown" } };
}

function tokenFor(provider: Provider, text: string): WebAnswer {
  const { pan } = readCard(JSON.parse(text), "");
  const habit = provider.habits.get(digestOf(pan));
  if (habit?.at === "token") return { status: 402, body: { code: habit.refuse } };
  const token = `tok_${randomBytes(TOKEN_OCTETS).toString("base64url")}`;
  const shown = { first6: pan.slice(0, 6), last4: pan.slice(-4), brand: brandOf(pan) };
  provider.cards.set(token, { ...shown, ...(habit ? { habit } : {}) });
  return { status: 201, body: { token, ...shown } };
}

/** An account's number is kept no more than a card's. */
function accountTokenFor(provider: Provider, text: string): WebAnswer {
  const { iban, mandate } = readAccount(JSON.parse(text), "");
  const habit = provider.habits.get(digestOf(iban));
  if (habit?.at === "token") return { status: 402, body: { code: habit.refuse } };
  const token = `ba_${randomBytes(TOKEN_OCTETS).toString("base64url")}`;
  const shown = {
    first6: iban.slice(0, 6),
    last4: iban.slice(-4),
    brand: "iban",
    mandate: mandate.reference,
  };
  provider.cards.set(token, { ...shown, ...(habit ? { habit } : {}) });
  return { status: 201, body: { token, last4: shown.last4 } };
}

function authorise(provider: Provider, text: string, place: string): WebAnswer {
  const { token, amountMinor, currency } = readAuthorisation(JSON.parse(text), "");
  const card = provider.cards.get(token);
  if (!card) return { status: 422, body: { code: "unknown_token" } };
  const { habit } = card;
  if (habit && "silent" in habit) return { status: 200, body: { state: "pending" } }; // nobody hears it
  if (habit?.at === "authorisation" && "decline" in habit)
    return { status: 200, body: { state: "declined", code: habit.decline } };
  if (habit?.at === "authorisation" && "pending" in habit && isAsking(provider, place, habit.pending))
    return PENDING;
  provider.held.push({ token, amountMinor, currency });
  return { status: 200, body: { state: "approved", reference: `A${provider.held.length}` } };
}

const PENDING: WebAnswer = { status: 200, body: { state: "pending" } };

/** Whether this is one of the first times that it is asked. */
function isAsking({ askings }: Provider, place: string, times: number): boolean {
  const asking = (askings.get(place) ?? 0) + 1;
  askings.set(place, asking);
  return asking <= times;
}

function charge(provider: Provider, text: string, place: string): WebAnswer {
  const { token, mandate = null, ...sum } = readCharge(JSON.parse(text), "");
  const card = provider.cards.get(token);
  if (!card) return { status: 422, body: { code: "unknown_token" } };
  // No account is collected from but by the mandate under which it was given.
  if ((card.mandate ?? null) !== mandate) return { status: 422, body: { code: "mandate_unknown" } };
  const { habit } = card;
  if (habit?.at === "charge" && "decline" in habit && isAsking(provider, token, habit.times))
    return { status: 200, body: { state: "declined", code: habit.decline } };
  if (habit?.at === "charge" && "pending" in habit && isAsking(provider, place, habit.pending))
    return PENDING;
  const reference = `C${provider.taken.length + 1}`;
  provider.taken.push({ token, mandate, ...sum, reference });
  return { status: 200, body: { state: "taken", reference } };
}

/** A card that is silent: the request is heard, and nothing is ever said to it. */
function silence(provider: Provider, request: WebRequest): WebFault | undefined {
  const [, token = ""] = /"token":"([^"]+)"/.exec(request.text) ?? [];
  const habit = provider.cards.get(token)?.habit;
  return habit && "silent" in habit ? "late" : undefined;
}

const digestOf = (text: string): string => createHash("sha256").update(text).digest("hex");

function brandOf(pan: string): string {
  if (pan.startsWith("4")) return "visa";
  if (/^(5[1-5]|2[2-7])/.test(pan)) return "mastercard";
  return /^3[47]/.test(pan) ? "amex" : "other";
}
