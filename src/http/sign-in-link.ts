/**
 * A way in by SMS that is sent for somebody: a link to their portal, or a code that they key on the telephone. What
 * proves them is that it reaches their SIM. Only hashes are kept; how many are open at once has a limit.
 */
import { createHash } from "node:crypto";
import { fill } from "../kernel/dialog/texts.ts";
import type { HttpDeps } from "./ports.ts";

const TOKEN_OCTETS = 16;
export const CODE_DIGITS = 6;
const CODE_OCTETS = 4;
const LINK_MS = 60 * 60_000;
const CODE_MS = 5 * 60_000;
/** Open at once for one subscriber: more would be somebody who annoys them. */
const OPEN_MAX = 5;

type Texts = Readonly<Record<"link" | "code", string>>;
const TEXTS: Readonly<Record<string, Texts>> & { readonly en: Texts } = {
  en: {
    link: "{operator}: here is the way to your requests and services: {link}",
    code: "{operator}: key this code on the telephone: {code}. Tell it to nobody who calls you.",
  },
  de: {
    link: "{operator}: hier geht es zu Ihren Aufträgen und Diensten: {link}",
    code: "{operator}: Geben Sie diesen Code am Telefon ein: {code}. Nennen Sie ihn niemandem, der Sie anruft.",
  },
};
const textIn = (language: string, kind: "link" | "code"): string =>
  (TEXTS[language.split("-")[0] ?? "en"] ?? TEXTS.en)[kind];

type Whom = {
  readonly operatorId: string;
  readonly subscriberId: string;
  readonly msisdn: string;
  readonly language: string;
};
type Deps = Pick<HttpDeps, "clock" | "texts"> & { readonly requests: HttpDeps["requests"] };

export const hashOfSignInToken = (text: string): Uint8Array => createHash("sha256").update(text).digest();
export const hashOfCode = (challenge: string, code: string): Uint8Array =>
  hashOfSignInToken(`${challenge}:${code}`);

/** False where too many are open already: nothing is sent. */
export async function sendLink(deps: Deps, whom: Whom): Promise<boolean> {
  const { requests } = deps;
  const token = newToken(requests);
  const link = `${requests.publicUrl()}/d/l/${token}`;
  const codeHash = hashOfSignInToken(newToken(requests)); // no code was sent with it, so none is right
  return await open(deps, whom, { kind: "link", token, codeHash, validMs: LINK_MS, values: { link } });
}

/** Sends a code; it is right only beside `challenge`, which whoever asked keeps. */
export async function sendCode(deps: Deps, whom: Whom, challenge: string): Promise<boolean> {
  const code = newCode(deps.requests);
  const codeHash = hashOfCode(challenge, code);
  return await open(deps, whom, {
    kind: "code",
    token: challenge,
    codeHash,
    validMs: CODE_MS,
    values: { code },
  });
}

export const newToken = ({ freshOctets }: Pick<HttpDeps["requests"], "freshOctets">): string =>
  Buffer.from(freshOctets(TOKEN_OCTETS)).toString("base64url");

function newCode({ freshOctets }: HttpDeps["requests"]): string {
  const number = Buffer.from(freshOctets(CODE_OCTETS)).readUInt32BE() % 10 ** CODE_DIGITS;
  return String(number).padStart(CODE_DIGITS, "0");
}

/** What an SMS says, and by which token it is sent once; what lets its holder in, and for how long. */
type Word = {
  readonly kind: "link" | "code";
  readonly token: string;
  readonly codeHash: Uint8Array;
  readonly validMs: number;
  readonly values: Readonly<Record<string, string>>;
};

/** It is on disk before it is sent. */
async function open({ clock, texts, requests }: Deps, whom: Whom, word: Word): Promise<boolean> {
  const { operatorId, subscriberId, msisdn, language } = whom;
  const { kind, token, codeHash, validMs, values } = word;
  const now = clock();
  const way = {
    operatorId,
    subscriberId,
    msisdn,
    tokenHash: hashOfSignInToken(token),
    codeHash,
    expiresAt: new Date(now.getTime() + validMs),
  };
  if (!(await requests.people.addLink(way, now, OPEN_MAX))) return false;
  const { name } = await requests.operatorOf(operatorId);
  const text = fill(textIn(language, kind), { operator: name, ...values });
  const idempotencyKey = `sign-in link:${Buffer.from(hashOfSignInToken(token)).toString("base64url")}`;
  await texts.send(operatorId, [{ to: msisdn, text, idempotencyKey }]);
  return true;
}
