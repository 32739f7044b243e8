/**
 * Whether the authorities behind a certificate have taken it, or one of those that it rests on, back: by their lists, and by
 * their responders.
 *
 *   on the issuer's newest list               revoked, however old the list is
 *   not on it, and its next update to come    good; no responder is asked
 *   no list, or one that has lapsed           the responder's word, kept until its own next update
 *   no word to be had                         unknown: `refuse` or `accept`, as the operator says
 *   an authority with neither                 not asked: good
 *
 * Of an authority of our own no responder knows anything: its certificates are looked up on lists alone.
 */
import type { X509Certificate } from "node:crypto";
import { ocspQuestion, readOcspAnswer } from "./ocsp.ts";
import { askResponder, responderOf } from "./responder.ts";
import { isListOf, type RevocationList, serialOf } from "./revocation-list.ts";

/** Answers of responders that are remembered. */
const ANSWERS_MAX = 50_000;
/** Questions under way; a certificate beyond them is unknown. */
const ASKED_MAX = 64;
/** A responder that is away is left in peace for a while, whosever certificate it is. */
const AWAY_MS = 30_000;
const RESPONDERS_MAX = 1_000;

export type RevocationRules = {
  readonly lists: readonly RevocationList[];
  /** Asked for every authority; without it, the one that a certificate names, where that is allowed. */
  readonly responder: URL | undefined;
  readonly asksNamedResponder: boolean;
  readonly timeoutMs: number;
};
type RevocationState =
  | { readonly kind: "good" }
  | { readonly kind: "revoked"; readonly detail: string }
  | { readonly kind: "unknown"; readonly detail: string };

type Kept = { readonly state: RevocationState; readonly untilMs: number };
type Book = {
  readonly rules: () => RevocationRules;
  readonly now: () => Date;
  readonly kept: Map<string, Kept>;
  readonly asked: Map<string, Promise<RevocationState>>;
  /** Responders that gave no answer, and until when none is asked of them. */
  readonly away: Map<string, Kept>;
  /** By whom a list is signed is looked at once. */
  readonly issuers: WeakMap<RevocationList, Map<string, boolean>>;
};

const GOOD: RevocationState = { kind: "good" };

export function createRevocation(rules: () => RevocationRules, now: () => Date) {
  const book: Book = {
    rules,
    now,
    kept: new Map(),
    asked: new Map(),
    away: new Map(),
    issuers: new WeakMap(),
  };
  return {
    /**
     * @param chain the certificate, who issued it, and so on up to the root
     * @param sources `lists`: no responder is asked
     */
    async stateOf(
      chain: readonly X509Certificate[],
      sources: "all" | "lists" = "all",
    ): Promise<RevocationState> {
      const root = chain.at(-1);
      if (!root || root.issuer !== root.subject)
        return { kind: "unknown", detail: "who issued the certificate is not to be seen" };
      let worst = GOOD;
      for (const [at, certificate] of chain.entries()) {
        const issuer = chain[at + 1];
        if (!issuer) break;
        const state = await stateOfOne(book, certificate, issuer, sources);
        if (state.kind === "revoked") return state;
        if (state.kind === "unknown") worst = state;
      }
      return worst;
    },
    /** Nothing of before counts: lists or responder are others. */
    forget(): void {
      book.kept.clear();
      book.away.clear();
    },
  };
}

async function stateOfOne(
  book: Book,
  certificate: X509Certificate,
  issuer: X509Certificate,
  sources: "all" | "lists",
): Promise<RevocationState> {
  const { lists, responder, asksNamedResponder } = book.rules();
  const [list] = lists
    .filter((one) => isOf(book, one, issuer))
    .sort((one, other) => other.thisUpdate.getTime() - one.thisUpdate.getTime());
  if (list?.serials.has(serialOf(certificate)))
    return { kind: "revoked", detail: "on the list of its authority" };
  const hasLapsed = list?.nextUpdate != null && list.nextUpdate <= book.now();
  if (list && !hasLapsed) return GOOD;
  const url = responder ?? (asksNamedResponder ? responderOf(certificate) : undefined);
  if (url && sources === "all") return remembered(book, certificate, issuer, url);
  return list ? { kind: "unknown", detail: `the list lapsed at ${list.nextUpdate?.toISOString()}` } : GOOD;
}

function isOf({ issuers }: Book, list: RevocationList, issuer: X509Certificate): boolean {
  const known = issuers.get(list) ?? new Map<string, boolean>();
  issuers.set(list, known);
  const is = known.get(issuer.fingerprint256) ?? isListOf(list, issuer);
  if (known.size < ANSWERS_MAX) known.set(issuer.fingerprint256, is);
  return is;
}

function remembered(
  book: Book,
  certificate: X509Certificate,
  issuer: X509Certificate,
  url: URL,
): RevocationState | Promise<RevocationState> {
  const key = `${issuer.fingerprint256} ${serialOf(certificate)}`;
  const kept = book.kept.get(key);
  if (kept && kept.untilMs > book.now().getTime()) return kept.state;
  const running = book.asked.get(key);
  if (running) return running;
  const away = book.away.get(url.href);
  if (away && away.untilMs > book.now().getTime()) return away.state;
  if (book.asked.size >= ASKED_MAX) return { kind: "unknown", detail: "too many questions to the responder" };
  const answer = ask(book, certificate, issuer, url)
    .then((fresh) => {
      keep(book, key, fresh);
      return fresh.state;
    })
    .finally(() => book.asked.delete(key));
  book.asked.set(key, answer);
  return answer;
}

async function ask(
  book: Book,
  certificate: X509Certificate,
  issuer: X509Certificate,
  url: URL,
): Promise<Kept> {
  const away = (detail: string): Kept => ({
    state: { kind: "unknown", detail },
    untilMs: book.now().getTime() + AWAY_MS,
  });
  const question = ocspQuestion(certificate, issuer);
  const octets = await askResponder(url, question.request, book.rules().timeoutMs);
  if ("reason" in octets) {
    // Whoever's certificate comes next would wait for the same responder in vain.
    if (book.away.size >= RESPONDERS_MAX) book.away.clear(); // certificates name them
    book.away.set(url.href, away(octets.reason));
    return away(octets.reason);
  }
  const answer = readOcspAnswer(octets, question, issuer, book.now());
  if (answer.kind === "unknown") return away(answer.reason);
  const state: RevocationState =
    answer.kind === "good" ? GOOD : { kind: "revoked", detail: "by the word of its authority's responder" };
  return { state, untilMs: answer.until.getTime() };
}

function keep({ kept }: Book, key: string, answer: Kept): void {
  kept.delete(key);
  for (const oldest of kept.keys()) {
    if (kept.size < ANSWERS_MAX) break;
    kept.delete(oldest);
  }
  kept.set(key, answer);
}
