/**
 * A billing centre: accounts, what runs on each, and changes that are reserved until they are committed or aborted. It
 * keeps a ledger of every notice that took effect, in order.
 */
import {
  type BilledAccount,
  type BillingNotice,
  type BillingRefusal,
  readBillingNotice,
} from "../../wire/message/billing-api.ts";
import { startWeb, type WebAnswer, type WebFault, type WebRequest, type WebServer } from "../web/web.ts";

const MAX_NOTICES = 5_000_000;

type Prepared = { readonly notice: BillingNotice; state: "reserved" | "committed" | "aborted" };
export type BillingSimulator = WebServer & {
  /** What took effect, in order: never a `prepare`, which takes none. */
  ledger(): readonly BillingNotice[];
  accounts(): readonly string[];
  /** Whom it bills by this account, as it was told last. */
  holderOf(accountId: string): BilledAccount | undefined;
  /** What is reserved and neither committed nor aborted. */
  reserved(): readonly string[];
};

/** What the billing centre knows. */
type Centre = {
  /** What took effect, in order. */
  readonly ledger: BillingNotice[];
  readonly accounts: Map<string, BilledAccount | null>;
  readonly prepared: Map<string, Prepared>;
  readonly answers: Map<string, { readonly content: string; readonly answer: WebAnswer }>;
};

export async function startBilling(options: {
  readonly secret: string;
  readonly port?: number;
  /** Refuses a notice; asked before anything is booked. */
  refuse?(notice: BillingNotice): BillingRefusal | undefined;
  fault?(number: number, request: WebRequest): WebFault | undefined;
  readonly lateMs?: number;
}): Promise<BillingSimulator> {
  const { refuse } = options;
  const centre: Centre = { ledger: [], accounts: new Map(), prepared: new Map(), answers: new Map() };
  const { ledger, accounts, prepared } = centre;
  const web = await startWeb({ ...options, answer: (request) => answer(centre, request, refuse) });
  return {
    ...web,
    ledger: () => ledger,
    accounts: () => [...accounts.keys()],
    holderOf: (accountId) => accounts.get(accountId) ?? undefined,
    reserved: () => [...prepared].flatMap(([id, { state }]) => (state === "reserved" ? [id] : [])),
  };
}

function answer(
  centre: Centre,
  { method, path, text }: WebRequest,
  refuse: ((notice: BillingNotice) => BillingRefusal | undefined) | undefined,
): WebAnswer {
  const { answers } = centre;
  if (method !== "POST" || path !== "/v1/notices") return { status: 404, body: { code: "route_unknown" } };
  if (answers.size >= MAX_NOTICES) return { status: 503, body: { code: "full" } };
  const notice = readBillingNotice(JSON.parse(text), "");
  const content = JSON.stringify(notice);
  const known = answers.get(notice.id);
  if (known) return known.content === content ? known.answer : refused("id_reused");
  const refusal = refuse?.(notice) ?? book(centre, notice);
  const answer = refusal ? refused(refusal) : done(answers.size + 1);
  answers.set(notice.id, { content, answer });
  return answer;
}

/** Undefined where it was booked. */
function book(centre: Centre, notice: BillingNotice): BillingRefusal | undefined {
  switch (notice.kind) {
    case "account":
      if (centre.accounts.has(notice.accountId)) return void hold(centre, notice); // of another order that opens the same one
      hold(centre, notice);
      break;
    case "account_change":
      if (!centre.accounts.has(notice.accountId)) return "unknown_account";
      hold(centre, notice);
      return undefined; // it books nothing
    case "provisioning":
      return centre.accounts.has(notice.accountId) ? undefined : "unknown_account"; // it books nothing
    case "prepare":
      centre.prepared.set(notice.id, { notice, state: "reserved" });
      return undefined;
    case "commit":
    case "abort":
      return settle(centre, notice);
    default:
      if (!centre.accounts.has(notice.accountId)) return "unknown_account";
  }
  centre.ledger.push(notice);
  return undefined;
}

/** What overtook a younger one on its way changes nothing. */
function hold(centre: Centre, { accountId, account }: BillingNotice): void {
  const known = centre.accounts.get(accountId);
  if (!known || (account && account.lastModified >= known.lastModified))
    centre.accounts.set(accountId, account);
}

function settle(centre: Centre, { kind, prepared: id }: BillingNotice): BillingRefusal | undefined {
  const one = centre.prepared.get(id ?? "");
  if (!one) return kind === "abort" ? undefined : "unknown_preparation"; // what was never reserved need not be dropped
  if (one.state === "aborted") return kind === "abort" ? undefined : "already_aborted";
  if (one.state === "committed") return kind === "commit" ? undefined : "already_committed";
  one.state = kind === "commit" ? "committed" : "aborted";
  if (kind === "commit") centre.ledger.push(one.notice);
  return undefined;
}

const done = (number: number): WebAnswer => ({
  status: 200,
  body: { state: "done", reference: `N${number}` },
});
const refused = (refusal: BillingRefusal): WebAnswer => ({
  status: 200,
  body: { state: "refused", refusal },
});
