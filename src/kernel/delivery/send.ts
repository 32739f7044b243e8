/** Composes and queues the messages of an order: one payload, one message, and the items that it carries. */
import { createHash } from "node:crypto";
import { firstOf } from "../../term/collections.ts";
import { hoursAfter, minutesAfter } from "../../term/moment.ts";
import type { KeyAccessPoint } from "../../wire/message/device-key-form.ts";
import type { SettingsProtocol } from "../devices/settings-form.ts";
import { newManagementAccount } from "../management/account.ts";
import { composeBootstrap, composeNotification, sessionNumberOf } from "../management/bootstrap.ts";
import type { ManagementStanding } from "../management/exchange.ts";
import { change } from "../order/change.ts";
import { failItem } from "../order/ending.ts";
import type { CarrierMessage, MessageAir, MessageKind, PayloadProtocol } from "../order/message.ts";
import type { ItemDraft } from "../order/order-draft.ts";
import type { Turn } from "../order/turn.ts";
import { type Authentication, composeKey, composePackage, cutMessage } from "../payload/compose.ts";
import type { LinkedSettings } from "../payload/settings-page.ts";
import type { SettingsPoint, SettingsValues } from "../payload/settings-values.ts";
import { airOf, fits, onAir, tooNarrow } from "./fit.ts";
import { freeReference } from "./reference.ts";
import { lastChance } from "./resend.ts";
import {
  linkForm,
  linkPushForm,
  nokiaForm,
  omaCpForm,
  PUSHED,
  type SettingsForm,
  type SettingsRoad,
  shortEnough,
  type TooLarge,
} from "./settings-forms.ts";

const PIN_DIGITS = 4;
const LINK_TOKEN_OCTETS = 16;

/** What a composed message says about itself. */
type Composed = {
  readonly kind: MessageKind;
  readonly protocol: PayloadProtocol;
  readonly sec: "netwpin" | "userpin" | null;
  readonly bytes: Uint8Array;
  /** Why it goes as it does. */
  readonly rule: string;
  /** It holds access points that nobody confirmed, or the PIN for such. */
  readonly unconfirmed?: boolean;
  /** What the record says of it beside that. */
  readonly detail?: Readonly<Record<string, unknown>>;
  /** It is held back so long, unless what it waits for comes about before. */
  readonly waitMinutes?: number;
};

export function sendKey(turn: Turn, item: ItemDraft, key: Uint8Array): void {
  const air = airOf(turn);
  const bytes = composeKey(key);
  if (!fits("device_key", bytes, air)) return failItem(turn, item, tooNarrow("a key", bytes.length, air));
  send(turn, [item], { kind: "key", protocol: "device_key", sec: null, bytes, rule: PUSHED });
}

const confirmationOf = ({ unconfirmed }: SettingsValues): { unconfirmed?: boolean } =>
  unconfirmed ? { unconfirmed } : {};

/** One message for both, each item proved for itself; two where the bearer holds no message of both. */
export function sendTogether(
  turn: Turn,
  key: { readonly item: ItemDraft; readonly bytes: Uint8Array },
  settings: { readonly item: ItemDraft; readonly road: SettingsRoad },
  values: SettingsValues,
): void {
  const authentication = authenticationFor(turn);
  const bytes = composePackage(key.bytes, values, authentication);
  if (!fits("multipart", bytes, airOf(turn))) {
    sendKey(turn, key.item, key.bytes);
    return sendSettings(turn, settings.item, values, settings.road);
  }
  noticeOfPin(turn, authentication, values);
  send(turn, [key.item, settings.item], {
    kind: "package",
    protocol: "multipart",
    sec: authentication.sec,
    bytes,
    rule: PUSHED,
    ...confirmationOf(values),
  });
}

export function sendSettings(turn: Turn, item: ItemDraft, values: SettingsValues, road: SettingsRoad): void {
  sendSettingsOf(turn, [item], values, road);
}

/**
 * By the protocol that the data names for the model; where the bearer does not carry that, by the next that the model takes, and
 * the record says which it was to be.
 * @param items the settings, and a key whose access points stand in them: such a message goes out only while the handset is to
 *   have a key, like one that carries the key itself. Behind a link, the page asks when it is opened.
 */
export function sendSettingsOf(
  turn: Turn,
  items: readonly ItemDraft[],
  values: SettingsValues,
  { protocol, otherProtocols = [], linkPush, pageForm }: SettingsRoad,
): void {
  const air = airOf(turn);
  let tooLarge: (TooLarge & { readonly protocol: SettingsProtocol }) | undefined;
  for (const one of [protocol, ...otherProtocols]) {
    const octets = sendBy(turn, items, values, { protocol: one, insteadOf: tooLarge, linkPush, pageForm });
    if (octets === null) return;
    tooLarge ??= { protocol: one, octets };
  }
  const what = protocol === "link" ? "a text with a link" : "settings";
  refuse(turn, items, tooNarrow(what, tooLarge?.octets ?? 0, air));
}

type By = {
  readonly protocol: SettingsProtocol;
  readonly pageForm: SettingsRoad["pageForm"];
  readonly insteadOf: (TooLarge & { readonly protocol: SettingsProtocol }) | undefined;
  readonly linkPush: SettingsRoad["linkPush"];
};

/** Null where it was sent; else the octets that its bearer does not carry. */
function sendBy(turn: Turn, items: readonly ItemDraft[], values: SettingsValues, by: By): number | null {
  const air = airOf(turn);
  if (by.protocol === "link") return sendLink(turn, items, values, by);
  if (by.protocol === "omadm") return sendAccount(turn, items, values);
  const authentication = by.protocol === "omacp" ? authenticationFor(turn) : null;
  const form = authentication ? omaCpForm(values, authentication, air) : nokiaForm(values, air);
  if (!form) return sendLink(turn, items, values, by);
  if ("octets" in form) return form.octets;
  if (authentication) noticeOfPin(turn, authentication, values);
  const { messages, ...composed } = form;
  sendApart(turn, items, messages, {
    ...composed,
    ...confirmationOf(values),
    ...insteadOf(turn, values, composed, by),
  });
  return null;
}

/** What the record says where another protocol was to be: which, why, and what this one has no place for. */
function insteadOf(
  turn: Turn,
  { wireless = [] }: SettingsValues,
  { rule }: Pick<SettingsForm, "rule">,
  { protocol, insteadOf: other }: By,
): Pick<Composed, "rule" | "detail"> {
  if (!other) return { rule };
  const ssids = wireless.map(({ ssid }) => ssid);
  const why = `${other.octets} octets as ${other.protocol} are too many for ${airOf(turn).bearer}`;
  return {
    rule: `${why}: ${protocol}, which the model takes too; ${rule}`,
    detail: {
      insteadOf: { protocol: other.protocol, octets: other.octets },
      ...(ssids.length > 0 && {
        wirelessWithheld: { ssids, reason: `${protocol} has no place for a Wi-Fi network` },
      }),
    },
  };
}

const kindOf = (items: readonly ItemDraft[]): "package" | "settings" =>
  items.some(({ kind }) => kind === "key") ? "package" : "settings";

function refuse(turn: Turn, items: readonly ItemDraft[], why: ReturnType<typeof tooNarrow>): void {
  for (const item of items) failItem(turn, item, why);
}

/** The first message carries the items, the others go along with it. */
function sendApart(
  turn: Turn,
  items: readonly ItemDraft[],
  [first, ...others]: readonly Uint8Array[],
  composed: Omit<Composed, "kind" | "bytes">,
): void {
  const settings = { kind: kindOf(items), ...composed };
  if (!first) return;
  send(turn, items, { ...settings, bytes: first });
  for (const bytes of others) queue(turn, AS_COMPANION, { ...settings, bytes });
}

/** Silent by the IMSI, or by a fresh PIN. */
function authenticationFor({ deps, terms, subject }: Turn): Authentication {
  // A short or even IMSI packs differently from client to client: only a PIN is safe there (docs/adr/0002).
  if (terms.policy.authentication === "netwpin" && subject.imsi.length === 15)
    return { sec: "netwpin", imsi: subject.imsi };
  return { sec: "userpin", pin: digitsFrom(deps.randomBytes(PIN_DIGITS)) };
}

/** A PIN goes ahead in a notice of its own, and is held back where its settings are. */
function noticeOfPin(turn: Turn, authentication: Authentication, values: SettingsValues): void {
  if (authentication.sec !== "userpin") return;
  const { policy, operatorName: operator } = turn.terms;
  queue(turn, AS_COMPANION, {
    kind: "pin_notice",
    protocol: "text",
    sec: null,
    bytes: shortEnough(
      fill(policy.texts.pinNotice, { pin: authentication.pin, operator }),
      authentication.pin,
      airOf(turn),
    ),
    rule: "a PIN goes narrowband",
    ...confirmationOf(values),
  });
}

/** A companion's key is its payload's id and its attempt: by that it is found again and sent again. */
const AS_COMPANION = null;

const digitsFrom = (bytes: Uint8Array): string => [...bytes].map((octet) => String(octet % 10)).join("");
const fill = (text: string, values: Readonly<Record<string, string>>): string =>
  text.replace(/\{(\w+)\}/g, (whole, name: string) => values[name] ?? whole);

/**
 * The account of the device for management sessions, and the notification that asks for one, held back until the account has
 * arrived. What is to be set waits for the session. Null where it was sent; else the octets that its bearer does not carry.
 */
function sendAccount(turn: Turn, items: readonly ItemDraft[], values: SettingsValues): number | null {
  const { deps, scribe, order, terms } = turn;
  const token = Buffer.from(deps.randomBytes(LINK_TOKEN_OCTETS)).toString("base64url");
  const authentication = authenticationFor(turn);
  const made = newManagementAccount(order.operatorId, deps.randomBytes);
  const url = deps.managementUrl(token);
  const bytes = composeBootstrap(values, made, { url, authentication });
  if (!fits("omacp", bytes, airOf(turn))) return bytes.length;
  const { policy } = terms;
  noticeOfPin(turn, authentication, values);
  scribe.changes.management.push({
    id: scribe.newId(),
    accountId: scribe.newId(),
    operatorId: order.operatorId,
    deviceId: order.deviceId,
    orderId: order.id,
    itemId: firstOf(items).id,
    tokenHash: createHash("sha256").update(token).digest(),
    standing: {
      account: made.account,
      session: null,
      challenge: null,
      last: null,
    } satisfies ManagementStanding,
    settings: values,
    expiresAt: hoursAfter(lastChance(policy, 1, scribe.now), policy.proofDeadlineHours),
  });
  const common = { kind: "bootstrap", protocol: "omacp", sec: authentication.sec, rule: PUSHED } as const;
  send(turn, items, { ...common, bytes, ...confirmationOf(values) });
  const session = sessionNumberOf(deps.randomBytes(1)[0] ?? 0);
  queue(turn, AS_COMPANION, {
    kind: "wake",
    protocol: "omadm",
    sec: null,
    bytes: composeNotification(made.account, session),
    rule: PUSHED,
    waitMinutes: policy.messageValidityMinutes,
  });
  return null;
}

/** Null where it was sent; else the octets that its bearer does not carry. */
function sendLink(turn: Turn, items: readonly ItemDraft[], values: SettingsValues, by: By): number | null {
  const { deps, scribe, order, terms } = turn;
  const item = firstOf(items);
  const token = Buffer.from(deps.randomBytes(LINK_TOKEN_OCTETS)).toString("base64url");
  const named = { link: deps.linkUrl(token), operator: terms.operatorName };
  const expiresAt = hoursAfter(lastChance(terms.policy, 1, scribe.now), terms.policy.proofDeadlineHours);
  const text = fill(terms.policy.texts.link, named);
  const air = airOf(turn);
  const pushed =
    by.linkPush &&
    linkPushForm(
      by.linkPush,
      { text, href: named.link, operator: named.operator, createdAt: scribe.now, expiresAt },
      air,
    );
  const form = pushed ?? linkForm(text, named, air);
  if ("octets" in form) return form.octets;
  scribe.changes.links.push({
    id: scribe.newId(),
    operatorId: order.operatorId,
    orderId: order.id,
    itemId: item.id,
    tokenHash: createHash("sha256").update(token).digest(),
    settings: { ...values, page: by.pageForm ?? "by_hand" } satisfies LinkedSettings,
    expiresAt,
  });
  const { messages, ...composed } = form;
  const said = insteadOf(turn, values, composed, by);
  send(turn, items, {
    ...composed,
    ...said,
    kind: "link",
    bytes: firstOf(messages),
    ...confirmationOf(values),
  });
  return null;
}

function send(turn: Turn, items: readonly ItemDraft[], composed: Composed): void {
  const { scribe, order, terms } = turn;
  const first = firstOf(items);
  const attempt = 1 + Math.max(...items.map((item) => item.attempt));
  const message = queue(turn, `${first.id}:${attempt}`, composed);
  const deadlineAt = lastChance(terms.policy, attempt, scribe.now);
  for (const item of items) {
    change(item, { attempt, message });
    scribe.moveItem(order, item, {
      state: "sending",
      reason: `${message.partCount} SMS of ${composed.kind} are queued`,
      nextAction: "hand them to the SMSC",
      deadlineAt,
      detail: {
        messageId: message.id,
        protocol: composed.protocol,
        sec: composed.sec,
        octets: composed.bytes.length,
        ...message.air,
        ...composed.detail,
      },
    });
  }
}

function queue(
  { deps, scribe, order, terms }: Turn,
  idempotencyKey: string | null,
  { rule, detail: _, waitMinutes = 0, ...composed }: Composed,
): CarrierMessage & { readonly air: MessageAir } {
  const reference = freeReference(deps.randomBytes(1)[0] ?? 0, { ...order, ...scribe.changes });
  const air = onAir(airOf({ order, terms }), rule);
  const { parts } = cutMessage(composed.protocol, composed.bytes, reference, air.partOctets);
  const payloadId = scribe.newId();
  const message = { id: scribe.newId(), payloadId, kind: composed.kind, partCount: parts.length, reference };
  scribe.changes.payloads.push({ ...composed, id: payloadId, operatorId: order.operatorId, air });
  scribe.changes.messages.push({
    ...message,
    operatorId: order.operatorId,
    orderId: order.id,
    subscriberId: order.subscriberId,
    destination: null,
    idempotencyKey: idempotencyKey ?? `${payloadId}:1`,
    dueAt: minutesAfter(scribe.now, waitMinutes),
    expiresAt: minutesAfter(scribe.now, waitMinutes + terms.policy.messageValidityMinutes),
  });
  return { ...message, air };
}

/** Settings that the key's own access points add, for the operators who send them as OMA CP too. */
export const keyPoints = (points: readonly KeyAccessPoint[]): SettingsPoint[] =>
  points.map((point) => ({
    use: "maker",
    apn: point.apn,
    authType: point.authType,
    user: point.user ?? null,
    password: point.password ?? null,
    mmsc: point.mmsc ?? null,
    proxy: point.mmsProxy ?? null,
    port: point.port ?? null,
    homepage: null,
  }));
