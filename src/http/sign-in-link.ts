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
export async function sendLink({ clock, texts, requests }: Deps, whom: Whom): Promise<boolean> {
  const token = newToken(requests);
  const link = `${requests.publicUrl()}/d/l/${token}`;
  const now = clock();
  const { operatorId, subscriberId, msisdn } = whom;
  const way = {
    operatorId,
    subscriberId,
    msisdn,
    tokenHash: hashOfSignInToken(token),
    codeHash: hashOfSignInToken(newToken(requests)), // no code was sent with it, so none is right
    expiresAt: new Date(now.getTime() + LINK_MS),
  };
  if (!(await requests.people.addLink(way, now, OPEN_MAX))) return false;
  await send({ clock, texts, requests }, whom, { kind: "link", token, values: { link } });
  return true;
}

/** Sends a code; it is right only beside `challenge`, which whoever asked keeps. */
export async function sendCode(
  { clock, texts, requests }: Deps,
  whom: Whom,
  challenge: string,
): Promise<boolean> {
  const code = newCode(requests);
  const now = clock();
  const { operatorId, subscriberId, msisdn } = whom;
  const way = {
    operatorId,
    subscriberId,
    msisdn,
    tokenHash: hashOfSignInToken(challenge),
    codeHash: hashOfCode(challenge, code),
    expiresAt: new Date(now.getTime() + CODE_MS),
  };
  if (!(await requests.people.addLink(way, now, OPEN_MAX))) return false;
  await send({ clock, texts, requests }, whom, { kind: "code", token: challenge, values: { code } });
  return true;
}

export const newToken = ({ freshOctets }: Pick<HttpDeps["requests"], "freshOctets">): string =>
  Buffer.from(freshOctets(TOKEN_OCTETS)).toString("base64url");

function newCode({ freshOctets }: HttpDeps["requests"]): string {
  const number = Buffer.from(freshOctets(CODE_OCTETS)).readUInt32BE() % 10 ** CODE_DIGITS;
  return String(number).padStart(CODE_DIGITS, "0");
}

/** What an SMS says, and by which token it is sent once. */
type Word = {
  readonly kind: "link" | "code";
  readonly token: string;
  readonly values: Readonly<Record<string, string>>;
};

async function send(
  { texts, requests }: Deps,
  { operatorId, msisdn, language }: Whom,
  { kind, token, values }: Word,
): Promise<void> {
  const { name } = await requests.operatorOf(operatorId);
  const text = fill(textIn(language, kind), { operator: name, ...values });
  const idempotencyKey = `sign-in link:${Buffer.from(hashOfSignInToken(token)).toString("base64url")}`;
  await texts.send(operatorId, [{ to: msisdn, text, idempotencyKey }]);
}
