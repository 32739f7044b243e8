/**
 * The way in for those whom nobody vouches for: an SMS to the phone with the number that was typed, with a link (128 bits,
 * once) and a code (six digits, five tries, five minutes). What is answered is the same whether the number is known or not,
 * and comes at the same time: the look-up and the SMS happen after the answer.
 *
 *   number -> way (16 octets, in the form) -> link and code, both made of the way under our key; the books hold hashes alone
 */
import { createHash, createHmac } from "node:crypto";
import { orderScreen, PAYMENT_FIELD } from "../../kernel/dialog/order-screen.ts";
import { codeScreen, linkScreen, signInScreen, signInText } from "../../kernel/dialog/sign-in-screens.ts";
import { issueSession, PORTAL_SESSION_MS } from "../../kernel/dialog/tokens.ts";
import { TurnupError } from "../../term/error.ts";
import { parseMsisdn } from "../../term/msisdn.ts";
import { msisdnFromNational } from "../../term/msisdn-national.ts";
import { Allowance } from "../allowance.ts";
import { DEFAULT_PORTAL_LIMITS } from "../limits.ts";
import { readPostedOrder, selectionOf } from "./order-form.ts";
import { meansIn, otherMeansOf } from "./order-payment.ts";
import {
  keyOfPost,
  newState,
  type PortalContext,
  type Shown,
  shown,
  showTrouble,
  Trouble,
  troubleOf,
  viewOf,
} from "./portal-context.ts";
import { sessionVisitor } from "./public-visitor.ts";
import { STEPS, statusOf, submitOrder, takeStep } from "./steps.ts";
import { plainly, subjectOf, type Visitor } from "./visitor.ts";
import type { StepRow, Walk } from "./walk.ts";

const WAY_OCTETS = 16;
const LINK_OCTETS = 16;
const LINK_MS = 15 * 60_000;
const CODE_MS = 5 * 60_000;
const CODE_DIGITS = 6;
/** Ways in of one subscriber at a time: their phone is not to be flooded. */
const LINKS_AT_ONCE = 3;
const ASKED_WINDOW_MS = 15 * 60_000;
const ASKED_PER_NUMBER = 5;
/** Unknown links of one address. Nobody guesses a link: it only keeps programs from trying. */
const FAILED_PER_ADDRESS = 60;
/** Six digits can be guessed: of all numbers together one in ten thousand in a window, from one address. */
const WRONG_CODES_PER_ADDRESS = 100;
const REMEMBERED_MAX = 10_000;
/** SMS that wait to be written down; more asks are answered as ever and sent nothing. */
const SENDING_MAX = 500;

const WAY = /^[A-Za-z0-9_-]{22}$/;
const TOKEN = "([A-Za-z0-9_-]{20,64})";
/** Where a sign-in may lead back to, without the `/d/` in front. */
const DESTINATION = /^(?:orders\/[0-9A-Z]{8}|items\/[a-z0-9][a-z0-9-]{0,62}(?:\/order)?|mine|orders|pin)$/;

/** `items/java/order` of `/d/items/java/order`, where one may come back to it. */
export function destinationOf(path: string): string | null {
  const to = path.startsWith("/d/") ? path.slice("/d/".length) : "";
  return DESTINATION.test(to) ? to : null;
}

export type SignIn = {
  /** The steps of the dialog and those of the way in, for somebody who came from this address. */
  stepsFor(address: string): readonly StepRow[];
  /** Resolves when nothing is being sent any more. */
  idle(): Promise<void>;
};

type SignInDoor = {
  readonly context: PortalContext;
  readonly deps: PortalContext["deps"];
  /** Texts asked for, by address and by number. */
  readonly asked: Allowance;
  readonly askedFor: Allowance;
  readonly failed: Allowance;
  readonly wrongCodes: Allowance;
  /** Texts that are being written down. */
  readonly sending: Set<Promise<void>>;
};

export function createSignIn(context: PortalContext): SignIn {
  const { deps } = context;

  const door: SignInDoor = {
    context,
    deps,
    asked: allowance((deps.limits ?? DEFAULT_PORTAL_LIMITS).signInsPerAddress),
    askedFor: allowance(ASKED_PER_NUMBER),
    failed: allowance(FAILED_PER_ADDRESS),
    wrongCodes: allowance(WRONG_CODES_PER_ADDRESS),
    sending: new Set(),
  };

  return {
    stepsFor: (address) => [
      ...STEPS,
      ["GET", /^\/d\/sign-in$/, (walk) => signIn(door, walk)],
      ["POST", /^\/d\/sign-in$/, (walk) => askForWay(door, walk, address)],
      ["POST", /^\/d\/code$/, (walk) => takeCode(door, walk, address)],
      ["GET", /^\/d\/code$/, (walk) => signIn(door, walk)],
      ["GET", new RegExp(`^/d/l/${TOKEN}$`), (walk, token = "") => lookAtLink(door, walk, token)],
      ["POST", new RegExp(`^/d/l/${TOKEN}$`), (walk, token = "") => useLink(door, walk, address, token)],
      [
        "GET",
        new RegExp(`^/d/offers/${TOKEN}$`),
        (walk, token = "") => lookAtOffer(door, walk, address, token),
      ],
      [
        "POST",
        new RegExp(`^/d/offers/${TOKEN}$`),
        (walk, token = "") => acceptOffer(door, walk, address, token),
      ],
    ],
    async idle() {
      await Promise.all(door.sending);
    },
  };
}

const allowance = (perWindow: number): Allowance =>
  new Allowance({ perWindow, windowMs: ASKED_WINDOW_MS, keysMax: REMEMBERED_MAX });

const nowMs = (door: SignInDoor): number => door.deps.clock().getTime();

/** The first word is part of the key: another would end what the release before sent out. */
const made = (door: SignInDoor, use: string, way: string, octets: number): Buffer =>
  createHmac("sha256", door.deps.key).update(`turnup-way-in\0${use}\0${way}`).digest().subarray(0, octets);

const tokenOf = (door: SignInDoor, way: string): string =>
  made(door, "link", way, LINK_OCTETS).toString("base64url");

const codeOf = (door: SignInDoor, way: string): string =>
  String(made(door, "code", way, 6).readUIntBE(0, 6) % 10 ** CODE_DIGITS).padStart(CODE_DIGITS, "0");

const codeHash = (door: SignInDoor, way: string, code: string): Buffer => made(door, `code ${code}`, way, 32);

const tokenHash = (token: string): Buffer => createHash("sha256").update(token).digest();

/** A number that asks to be let in, the way that was made for it, and where it leads to. */
type Asking = { readonly msisdn: string; readonly way: string; readonly to: string | null };

async function send(door: SignInDoor, visitor: Visitor, { msisdn, way, to }: Asking): Promise<void> {
  const { operator, language } = visitor;
  const person = await door.deps.people.find(operator.id, { msisdn });
  if (!person) return;
  const { subscriberId } = person;
  const [token, code] = [tokenOf(door, way), codeOf(door, way)];
  const isAdded = await door.deps.people.addLink(
    {
      operatorId: operator.id,
      subscriberId,
      msisdn,
      tokenHash: tokenHash(token),
      codeHash: codeHash(door, way, code),
      expiresAt: new Date(nowMs(door) + LINK_MS),
    },
    door.deps.clock(),
    LINKS_AT_ONCE,
  );
  if (!isAdded) return;
  const link = `${door.deps.publicUrl()}/d/l/${token}${to === null ? "" : `?to=${to}`}`;
  const text = signInText(language, { operator: operator.name, code, link });
  const idempotencyKey = `sign-in link:${tokenHash(token).toString("base64url")}`;
  await door.deps.texts.send(operator.id, [{ to: msisdn, text, idempotencyKey }]);
}

/** Behind the answer, so that its time tells nothing. */
function sendBehind(door: SignInDoor, visitor: Visitor, asking: Asking): void {
  if (door.sending.size >= SENDING_MAX) return;
  const work = send(door, visitor, asking)
    .catch((error: unknown) => door.deps.onFault("way in by SMS", error))
    .finally(() => door.sending.delete(work));
  door.sending.add(work);
}

async function signIn(door: SignInDoor, { visitor, call }: Walk): Promise<Shown> {
  const to = destinationIn(call.query.get("to"));
  const screen = signInScreen(await viewOf(door.context, visitor), {
    state: newState(door.context, visitor, "sign-in"),
    to,
  });
  return shown(screen, visitor.at(to === null ? "/d/sign-in" : `/d/sign-in?to=${to}`));
}

async function askForWay(door: SignInDoor, { visitor, call }: Walk, address: string): Promise<Shown> {
  keyOfPost(door.context, visitor, call, "sign-in");
  const to = destinationIn(call.body.texts.get("to") ?? null);
  const view = await viewOf(door.context, visitor);
  const msisdn = msisdnIn(call.body.texts.get("msisdn") ?? "", visitor.operator.country);
  if (msisdn === undefined) {
    const state = newState(door.context, visitor, "sign-in");
    return {
      ...shown(signInScreen(view, { state, to, wasWrong: true }), null, 422),
      wrongFields: ["msisdn"],
    };
  }
  const seconds = door.asked.take(address, door.deps.monotonicMs());
  if (seconds > 0) throw new Trouble("too_many_requests", 429, seconds);
  const way = Buffer.from(door.deps.freshOctets(WAY_OCTETS)).toString("base64url");
  const mayBeSent =
    door.askedFor.take(tokenHash(msisdn).toString("base64url"), door.deps.monotonicMs()) === 0;
  if (mayBeSent) sendBehind(door, visitor, { msisdn, way, to });
  const state = newState(door.context, visitor, `code ${way}`);
  return shown(codeScreen(view, { state, way, to }), null);
}

async function takeCode(door: SignInDoor, walk: Walk, address: string): Promise<Shown> {
  const { visitor, call } = walk;
  const way = call.body.texts.get("way") ?? "";
  if (!WAY.test(way)) throw new Trouble("form_foreign", 403);
  keyOfPost(door.context, visitor, call, `code ${way}`);
  const to = destinationIn(call.body.texts.get("to") ?? null);
  const seconds = door.wrongCodes.secondsUntilAllowed(address, door.deps.monotonicMs());
  if (seconds > 0) throw new Trouble("codes_exceeded", 429, seconds); // the link is as good as ever
  const code = (call.body.texts.get("code") ?? "").replace(/\s/g, "").slice(0, CODE_DIGITS + 1);
  const validAfter = new Date(nowMs(door) + LINK_MS - CODE_MS);
  const subscriberId = await door.deps.people.useCode(
    visitor.operator.id,
    { tokenHash: tokenHash(tokenOf(door, way)), codeHash: codeHash(door, way, code) },
    door.deps.clock(),
    validAfter,
  );
  if (subscriberId !== undefined) {
    door.asked.giveBack(address, door.deps.monotonicMs());
    return letIn(door, walk, { subscriberId, assurance: "otp" }, to);
  }
  door.wrongCodes.take(address, door.deps.monotonicMs());
  const state = newState(door.context, visitor, `code ${way}`);
  const screen = codeScreen(await viewOf(door.context, visitor), { state, way, to, wasWrong: true });
  return { ...shown(screen, null, 422), wrongFields: ["code"] };
}

async function lookAtLink(door: SignInDoor, { visitor, call }: Walk, token: string): Promise<Shown> {
  const to = destinationIn(call.query.get("to"));
  const path = to === null ? `/d/l/${token}` : `/d/l/${token}?to=${to}`;
  const state = newState(door.context, visitor, `link ${token}`);
  return shown(linkScreen(await viewOf(door.context, visitor), path, state), visitor.at(path));
}

async function useLink(door: SignInDoor, walk: Walk, address: string, token: string): Promise<Shown> {
  const { visitor, call } = walk;
  keyOfPost(door.context, visitor, call, `link ${token}`);
  const subscriberId = await door.deps.people.useLink(
    visitor.operator.id,
    tokenHash(token),
    door.deps.clock(),
  );
  if (subscriberId !== undefined) {
    door.asked.giveBack(address, door.deps.monotonicMs());
    return letIn(door, walk, { subscriberId, assurance: "link" }, destinationIn(call.query.get("to")));
  }
  countFailure(door, address);
  throw new Trouble("link_over", 404);
}

/** Who would take the offer, before they do: they have no session, and nothing on their page leads anywhere in their name. */
async function offered(door: SignInDoor, walk: Walk, address: string, token: string) {
  const found = await door.deps.desk.findOffer(token);
  if (found?.operatorId !== walk.visitor.operator.id) {
    countFailure(door, address);
    throw new Trouble("offer_over", 404);
  }
  const { subscriberId, offerId, itemId } = found;
  const isOwn = walk.visitor.person?.subscriberId === subscriberId;
  const visitor: Visitor = isOwn
    ? walk.visitor
    : {
        ...(await visitorOf(door, walk.visitor, subscriberId, "link")),
        subject: subjectOf(`offer ${offerId}`),
        at: plainly,
      };
  return {
    visitor,
    isOwn,
    subscriberId,
    offerId,
    itemId,
    path: `/d/offers/${token}`,
    purpose: `offer ${offerId}`,
  };
}

/**
 * The confirmation of an offer, filled in. Looking opens nothing, since programs look at links before people do; it stays
 * good until it is answered.
 */
async function lookAtOffer(door: SignInDoor, walk: Walk, address: string, token: string): Promise<Shown> {
  const { visitor, offerId, itemId, path, purpose } = await offered(door, walk, address, token);
  try {
    const view = await viewOf(door.context, visitor);
    const wanted = meansIn(walk.call.query.get(PAYMENT_FIELD));
    const { chosen, asked: fields } = await selectionOf(door.context, visitor, view, {
      ids: [itemId],
      wanted,
    });
    const state = newState(door.context, visitor, purpose);
    const otherMeans = otherMeansOf(door.context, visitor, fields, path);
    const screen = orderScreen(view, {
      items: chosen,
      asked: fields,
      state,
      offerId,
      action: path,
      otherMeans,
    });
    return shown(screen, visitor.at(path));
  } catch (error) {
    const trouble = troubleOf(error);
    if (!trouble) throw error;
    return showTrouble(visitor, trouble);
  }
}

/** Whoever has the link has the SIM, and says yes: once, since an offer is taken once. From here on they have a session. */
async function acceptOffer(door: SignInDoor, walk: Walk, address: string, token: string): Promise<Shown> {
  const { visitor, isOwn, subscriberId, offerId, itemId, path, purpose } = await offered(
    door,
    walk,
    address,
    token,
  );
  const key = keyOfPost(door.context, visitor, walk.call, purpose);
  const typed = readPostedOrder(walk.call, visitor.operator.country);
  const posted = { ...typed, action: "add" as const, offerId, selection: [itemId] };
  const ordered = await submitOrder({ ...walk, visitor }, key, posted, { purpose, action: path });
  if (typeof ordered !== "string") return ordered;
  const known = isOwn ? walk.visitor : await visitorOf(door, walk.visitor, subscriberId, "link");
  return statusOf({ ...walk, visitor: known }, ordered);
}

/**
 * Behind an address may be a whole network: a good link is taken before anybody counts, and only who guesses is told to wait.
 */
function countFailure(door: SignInDoor, address: string): void {
  const seconds = door.failed.take(address, door.deps.monotonicMs());
  if (seconds > 0) throw new Trouble("too_many_requests", 429, seconds);
}

async function visitorOf(
  door: SignInDoor,
  stranger: Visitor,
  subscriberId: string,
  assurance: "link" | "otp",
): Promise<Visitor> {
  const endsAt = new Date(nowMs(door) + PORTAL_SESSION_MS);
  const session = { subscriberId, assurance, endsAt };
  const token = issueSession(session, stranger.operator.id, door.deps.key);
  return sessionVisitor(door.context, stranger, token, session);
}

/** With a session in all addresses from here on. */
async function letIn(
  door: SignInDoor,
  walk: Walk,
  { subscriberId, assurance }: { readonly subscriberId: string; readonly assurance: "link" | "otp" },
  to: string | null,
): Promise<Shown> {
  const visitor = await visitorOf(door, walk.visitor, subscriberId, assurance);
  const path = to === null ? "/d/start" : `/d/${to}`;
  const call = { ...walk.call, method: "GET" as const, path, query: new URLSearchParams() };
  try {
    return await takeStep({ ...walk, visitor, call }, STEPS);
  } catch (error) {
    const trouble = troubleOf(error);
    if (!trouble) throw error;
    return showTrouble(visitor, trouble);
  }
}

const destinationIn = (text: string | null): string | null =>
  text !== null && DESTINATION.test(text) ? text : null;

/** As its country writes it where it begins with one 0 (`0170 1234567`), else with the country code. */
function msisdnIn(text: string, country: string | null | undefined): string | undefined {
  const isNational = /^\s*\(?0(?!0)/.test(text);
  try {
    return isNational && country ? msisdnFromNational(text, country) : parseMsisdn(text.trim());
  } catch (error) {
    if (error instanceof TurnupError) return undefined;
    throw error;
  }
}
