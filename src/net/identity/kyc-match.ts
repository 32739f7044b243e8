/**
 * An identity bureau by CAMARA KYC Match 0.4 (`POST /kyc-match/v0.4/match`): does what the user says agree with what
 * their number's holder is known by? A bureau that cannot compare anything has not verified anybody, and one that compares the
 * country alone has not either, where the user said who they are: that is a mismatch.
 */
import type { IdentityBureau } from "../../kernel/calls/connectors.ts";
import type { UserData, UserField } from "../../kernel/order/request.ts";
import { isObject, isOneOf } from "../../term/narrow.ts";
import {
  type Answered,
  createExchange,
  type ExchangeFailure,
  failed,
  failureOfStatus,
  jsonOf,
} from "../exchange/exchange.ts";
import type { TokenSource } from "../exchange/token.ts";

/** Fields that the API has; `idDocument` goes with its kind. The rest of a user's data is not the bureau's business. */
const COMPARED = [
  "givenName",
  "familyName",
  "birthdate",
  "streetName",
  "streetNumber",
  "postalCode",
  "locality",
  "country",
  "idDocument",
  "email",
] as const satisfies readonly UserField[];
/** Who somebody is, among them: where one of these was asked, one of them has to be known there. */
const WHO: readonly UserField[] = ["familyName", "birthdate", "idDocument"];
const WORDS = ["true", "false", "not_available"];
const FULL_SCORE = 100;
/** Definite words of a bureau that end in no comparison (clause "Identify user", and 404 of the definition). */
const NOT_VERIFIED: Readonly<Record<string, string>> = {
  "KNOW_YOUR_CUSTOMER.ID_DOCUMENT_REQUIRED": "idDocument",
  "KNOW_YOUR_CUSTOMER.ID_DOCUMENT_MISMATCH": "idDocument",
  IDENTIFIER_NOT_FOUND: "phoneNumber",
  NOT_FOUND: "phoneNumber",
  "KNOW_YOUR_CUSTOMER.INVALID_PARAM_COMBINATION": "givenName",
};

export const ID_DOCUMENT_TYPES = [
  "passport",
  "national_id_card",
  "residence_permit",
  "diplomatic_id",
  "driver_licence",
  "social_security_id",
  "other",
] as const;

type Verified = Awaited<ReturnType<IdentityBureau["verify"]>>;

export function kycMatchBureau(options: {
  /** Its server's URL; the path of the API follows. */
  readonly url: string;
  readonly tokens: TokenSource;
  /** What an `idDocument` is here. */
  readonly idDocumentType?: (typeof ID_DOCUMENT_TYPES)[number];
  readonly authority?: string;
  readonly timeoutMs: number;
}): IdentityBureau & { close(): void } {
  const exchange = createExchange(options);

  async function ask(request: Parameters<IdentityBureau["verify"]>[0], fresh: boolean) {
    const token = await options.tokens.token(fresh);
    if (token.kind === "failed") return token;
    return exchange.send({
      method: "POST",
      path: "/kyc-match/v0.4/match",
      headers: { authorization: `Bearer ${token.token}`, "x-correlator": request.id },
      body: { type: "application/json", text: JSON.stringify(bodyOf(request, options.idDocumentType)) },
    });
  }

  return {
    async verify(request) {
      const given = COMPARED.filter((field) => request.user[field]);
      if (given.length === 0) return { kind: "answered", outcome: "mismatch", score: null, mismatched: [] };
      let answer = await ask(request, false);
      if (answer.kind === "answered" && answer.status === 401) answer = await ask(request, true);
      if (answer.kind === "failed") return answer;
      return answer.status === 200 ? verdictOf(answer, given) : notVerified(answer);
    },
    close() {
      exchange.close();
      options.tokens.close();
    },
  };
}

function bodyOf({ msisdn, user }: { msisdn: string; user: UserData }, idDocumentType?: string): object {
  const fields = Object.fromEntries(
    COMPARED.flatMap((field) => (user[field] ? [[field, user[field]] as const] : [])),
  );
  return {
    phoneNumber: `+${msisdn}`,
    ...fields,
    ...(fields.idDocument && idDocumentType ? { idDocumentType } : {}),
  };
}

/** Each field's `<field>Match` is "true", "false" or "not_available", a score from 0 to 99 only beside "false". */
function verdictOf(answer: Answered, asked: readonly UserField[]): Verified {
  const json = jsonOf(answer);
  if ("kind" in json) return json;
  if (!isObject(json.value)) return failed("bad_answer", "the answer is no object");
  const said = json.value;
  const mismatched: string[] = [];
  const compared = new Set<UserField>();
  const scores: (number | null)[] = [];
  for (const field of asked) {
    const word = said[`${field}Match`];
    if (word === undefined || word === "not_available") continue;
    if (!isOneOf(WORDS, word)) return failed("bad_answer", `${field}Match is none of its three words`);
    compared.add(field);
    if (word === "false") mismatched.push(field);
    scores.push(word === "true" ? FULL_SCORE : scoreOf(said[`${field}MatchScore`]));
  }
  const known = scores.filter((score) => score !== null);
  const who = asked.filter((field) => WHO.includes(field));
  const isWhoKnown = who.length === 0 || who.some((field) => compared.has(field));
  return {
    kind: "answered",
    outcome: scores.length > 0 && isWhoKnown && mismatched.length === 0 ? "match" : "mismatch",
    score: known.length > 0 ? Math.min(...known) : null,
    mismatched,
  };
}

const scoreOf = (value: unknown): number | null =>
  typeof value === "number" && Number.isInteger(value) && value >= 0 && value < FULL_SCORE ? value : null;

function notVerified(answer: Answered): Verified | ExchangeFailure {
  const [, code = ""] = /"code"\s*:\s*"([A-Z_.]{1,80})"/.exec(answer.text.slice(0, 4_000)) ?? [];
  const field = NOT_VERIFIED[code];
  if (field === undefined || answer.status >= 500) return failureOfStatus(answer);
  return { kind: "answered", outcome: "mismatch", score: null, mismatched: [field] };
}
