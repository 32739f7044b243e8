/** What every step of the portal works with: who asks, what was asked, and what is shown. */
import { createHash } from "node:crypto";
import { NO_PEERS, peerName } from "../../kernel/catalog/peers.ts";
import { problemScreen } from "../../kernel/dialog/help-screens.ts";
import { issueState, readState, STATE_NONCE_OCTETS } from "../../kernel/dialog/tokens.ts";
import type { PortalView } from "../../kernel/dialog/view.ts";
import { localZone } from "../../kernel/operator/quiet-hours.ts";
import { TurnupError } from "../../term/error.ts";
import type { Screen } from "../../wire/screen/screen.ts";
import { onceAtDoor } from "../once.ts";
import { STATUS_OF } from "../problem.ts";
import type { PostedBody } from "./body.ts";
import type { PortalDeps } from "./ports.ts";
import { scopeOf, type Visitor } from "./visitor.ts";

/** A form may lie open so long. */
const STATE_MS = 2 * 3_600_000;
const LANGUAGE_CHARACTERS_MAX = 35;

export type PortalContext = { readonly deps: PortalDeps };

/** A request that was read, whichever door it came by. */
export type PortalRequest = {
  readonly method: "GET" | "POST";
  readonly path: string;
  readonly query: URLSearchParams;
  readonly body: PostedBody;
  /** Of a client module: no page of another site can send it (it is no header of a form). */
  readonly idempotencyKey: string | null;
  readonly noticeKey: Uint8Array | null;
};

export type Shown =
  | {
      readonly kind: "screen";
      readonly status: number;
      readonly screen: Screen;
      /** Where the same screen can be had by GET; null where it cannot. */
      readonly self: string | null;
      /** The screen begins with what was wrong, and these fields were. */
      readonly wrongFields?: readonly string[];
      /** What kind of problem it tells of. */
      readonly code?: string;
      readonly retryAfterSeconds?: number;
    }
  | {
      readonly kind: "content";
      readonly status: number;
      readonly contentType: string;
      readonly body: Uint8Array;
    };

export type ShownScreen = Extract<Shown, { kind: "screen" }>;

/** What a visitor is told in words instead of the screen that they wanted; the code leads to the words. */
export class Trouble extends Error {
  override readonly name = "Trouble";
  readonly code: string;
  readonly status: number;
  /** When it is of use to come again. */
  readonly retryAfterSeconds: number | undefined;
  constructor(code: string, status: number, retryAfterSeconds?: number) {
    super(code);
    this.code = code;
    this.status = status;
    this.retryAfterSeconds = retryAfterSeconds;
  }
}

/** The words for a failure that is the visitor's to know; undefined for one that is ours alone. */
export function troubleOf(error: unknown): Trouble | undefined {
  if (error instanceof Trouble) return error;
  if (!(error instanceof TurnupError)) return undefined;
  const status = STATUS_OF[error.code];
  return status < 500 ? new Trouble(error.code, status) : undefined;
}

export const shown = (screen: Screen, self: string | null, status = 200): ShownScreen => ({
  kind: "screen",
  status,
  screen,
  self,
});

/** @param to where somebody who signs in comes back to */
export function showTrouble(visitor: Visitor, trouble: Trouble, to: string | null = null): ShownScreen {
  const { code, status, retryAfterSeconds } = trouble;
  const signIn = to === null ? "/d/sign-in" : `/d/sign-in?to=${to}`;
  return {
    ...shown(problemScreen(strangerOf(visitor), code, signIn, retryAfterSeconds), null, status),
    code,
    ...(retryAfterSeconds !== undefined && { retryAfterSeconds }),
  };
}

const strangerOf = (visitor: Visitor) => ({
  operatorName: visitor.operator.name,
  language: languageOf(visitor),
  at: visitor.at,
});

const languageOf = ({ language }: Visitor): string =>
  language.length <= LANGUAGE_CHARACTERS_MAX ? language : "en";

/** Read anew for each screen: what is shown is how it stands. */
export async function viewOf({ deps }: PortalContext, visitor: Visitor): Promise<PortalView> {
  const { operator, person } = visitor;
  const { peers = NO_PEERS } = deps;
  const deviceId = person?.deviceId;
  const scope = scopeOf(visitor);
  const [catalog, has, requests] = await Promise.all([
    deps.catalog.currentCatalog(operator.id),
    scope ? deps.desk.provisioned(scope) : [],
    scope ? deps.desk.ofSubscriber(scope) : [],
  ]);
  return {
    operatorName: operator.name,
    language: languageOf(visitor),
    catalog,
    // Without a device of its own a session sees what the SIM has.
    has: has.map((one) => ({ ...one, isHere: deviceId == null || one.deviceId === deviceId })),
    requests,
    lackOf: (item) => deps.desk.lackOf(operator.id, tacOf(visitor), item),
    timeZone: requests.some(({ waitsFor }) => waitsFor !== null) ? await zoneAt(deps, operator.id) : "UTC",
    serverName: (origin) => peerName(peers, origin),
    // A device follows the origin through its proxy; a browser has no certificate for that door.
    serverUrl: (origin) => (visitor.door === "land" ? origin : (peers.of(origin)?.portalUrl ?? null)),
    isForwarded: (origin) => peers.of(origin)?.takesRequests === true,
    isKnown: visitor.who !== undefined,
    care: operator.care,
    at: visitor.at,
  };
}

/** Of the device in hand; null where nobody knows it. A device behind a proxy is known before it is in the books. */
const tacOf = ({ person, who }: Visitor): string | null =>
  who?.imei === undefined ? (person?.tac ?? null) : who.imei.slice(0, TAC_DIGITS);
const TAC_DIGITS = 8;

/** Of the operator: subscribers of networks elsewhere see its name beside the time. */
async function zoneAt({ policies }: PortalDeps, operatorId: string): Promise<string> {
  const { body } = await policies.current(operatorId);
  return localZone(body.quietHours, null);
}

export function newState({ deps }: PortalContext, { subject }: Visitor, purpose: string): string {
  const endsAt = new Date(deps.clock().getTime() + STATE_MS);
  return issueState({ subject, purpose }, endsAt, deps.freshOctets(STATE_NONCE_OCTETS), deps.key);
}

/**
 * What names this sending, so that a repeat is known: the form's nonce, else the client module's own key. A form that was
 * not drawn for this visitor and this purpose is refused.
 * @throws Trouble `form_foreign`, `form_over`
 */
export function keyOfPost(
  { deps }: PortalContext,
  { subject }: Visitor,
  call: PortalRequest,
  purpose: string,
): string {
  const state = call.body.texts.get("state");
  if (state === undefined) {
    if (call.idempotencyKey === null) throw new Trouble("form_foreign", 403);
    return hashOf([subject, purpose, "key", call.idempotencyKey]);
  }
  const read = readState(state, { subject, purpose }, deps.clock(), deps.key);
  if (read.kind === "good") return hashOf([subject, purpose, "nonce", read.nonce]);
  if (read.kind === "foreign") throw new Trouble("form_foreign", 403);
  if (call.idempotencyKey === null) throw new Trouble("form_over", 409);
  return hashOf([subject, purpose, "key", call.idempotencyKey]);
}

/**
 * Does what a form asks for once; the same form again gets the first outcome. `said` is what tells another answer on the
 * same form apart; nothing of a user's or a card's is in it.
 * @throws Trouble `answered_otherwise`, `request_in_progress`, and what the work throws
 */
export const once = (
  { deps }: PortalContext,
  visitor: Visitor,
  { key, said }: { readonly key: string; readonly said: readonly string[] },
  work: () => Promise<string>,
): Promise<string> =>
  onceAtDoor(
    deps.repeats,
    { operatorId: visitor.operator.id, scope: "POST /d", key, said },
    PORTAL_DOOR,
    work,
  );

const PORTAL_DOOR = {
  isRefusal: (error: unknown) => troubleOf(error) !== undefined,
  running: () => new Trouble("request_in_progress", 409),
  otherRequest: () => new Trouble("nothing_to_answer", 409), // another answer on the same form
  keep: (outcome: string) => ({ status: 200, body: outcome }),
  again: ({ body }: { readonly body: unknown }) => String(body),
};

const hashOf = (words: readonly string[]): string =>
  createHash("sha256").update(JSON.stringify(words)).digest("base64url");
