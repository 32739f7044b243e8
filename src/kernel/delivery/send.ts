/** Composes and queues the messages of an order: one payload, one message, and the items that it carries. */
import { createHash } from "node:crypto";
import { firstOf } from "../../term/collections.ts";
import type { KeyAccessPoint } from "../../wire/message/device-key-form.ts";
import type { SettingsProtocol } from "../devices/settings-protocol.ts";
import { change } from "../order/change.ts";
import { failItem } from "../order/ending.ts";
import type { CarrierMessage, MessageAir, MessageKind, PayloadProtocol } from "../order/message.ts";
import type { ItemDraft } from "../order/order-draft.ts";
import { hoursAfter, minutesAfter } from "../order/scribe.ts";
import type { Turn } from "../order/turn.ts";
import {
  type Authentication,
  composeKey,
  composeNokia,
  composeOmaCp,
  composePackage,
  composeText,
  cutMessage,
} from "../payload/compose.ts";
import type { SettingsPoint, SettingsValues } from "../payload/settings-values.ts";
import { airOf, fits, onAir, tooNarrow } from "./fit.ts";
import { lastChance } from "./resend.ts";

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
};

export function sendKey(turn: Turn, item: ItemDraft, key: Uint8Array): void {
  const air = airOf(turn);
  const bytes = composeKey(key);
  if (!fits("device_key", bytes, air)) return failItem(turn, item, tooNarrow("a key", bytes.length, air));
  send(turn, [item], { kind: "key", protocol: "device_key", sec: null, bytes, rule: PUSHED });
}

/** Nothing is asked for: what is pushed to a handset goes by short messages, whatever else its bearer has. */
const PUSHED = "what is pushed goes narrowband";

const confirmationOf = ({ unconfirmed }: SettingsValues): { unconfirmed?: boolean } =>
  unconfirmed ? { unconfirmed } : {};

/** One message for both, each item proved for itself; two where the bearer holds no message of both. */
export function sendTogether(
  turn: Turn,
  key: { readonly item: ItemDraft; readonly bytes: Uint8Array },
  settings: ItemDraft,
  values: SettingsValues,
): void {
  const authentication = authenticationFor(turn);
  const bytes = composePackage(key.bytes, values, authentication);
  if (!fits("multipart", bytes, airOf(turn))) {
    sendKey(turn, key.item, key.bytes);
    return sendSettings(turn, settings, values, "omacp");
  }
  noticeOfPin(turn, authentication, values);
  send(turn, [key.item, settings], {
    kind: "package",
    protocol: "multipart",
    sec: authentication.sec,
    bytes,
    rule: PUSHED,
    ...confirmationOf(values),
  });
}

export function sendSettings(
  turn: Turn,
  item: ItemDraft,
  values: SettingsValues,
  protocol: SettingsProtocol,
): void {
  sendSettingsOf(turn, [item], values, protocol);
}

/**
 * @param items the settings, and a key whose access points stand in them: such a message goes out only while the handset is to
 *   have a key, like one that carries the key itself. Behind a link, the page asks when it is opened.
 */
export function sendSettingsOf(
  turn: Turn,
  items: readonly ItemDraft[],
  values: SettingsValues,
  protocol: SettingsProtocol,
): void {
  if (protocol === "link") return sendLink(turn, items, values);
  if (protocol === "nokiaota") return sendNokia(turn, items, values);
  sendOmaCp(turn, items, values);
}

/** Whole; where the bearer does not hold that, a message a use, under one PIN where there is one. */
function sendOmaCp(turn: Turn, items: readonly ItemDraft[], values: SettingsValues): void {
  const air = airOf(turn);
  const authentication = authenticationFor(turn);
  const whole = composeOmaCp(values, authentication);
  const isWhole = fits("omacp", whole, air);
  const parts = isWhole ? [whole] : oneByOne(values).map((one) => composeOmaCp(one, authentication));
  const tooLarge = parts.find((bytes) => !fits("omacp", bytes, air));
  if (tooLarge || parts.length === 0)
    return refuse(turn, items, tooNarrow("settings", tooLarge?.length ?? whole.length, air));
  noticeOfPin(turn, authentication, values);
  sendApart(turn, items, parts, {
    protocol: "omacp",
    sec: authentication.sec,
    rule: isWhole ? PUSHED : `${whole.length} octets are too many for ${air.bearer}: a message a use`,
    ...confirmationOf(values),
  });
}

function oneByOne(values: SettingsValues): SettingsValues[] {
  const { wireless = [], ...plain } = values;
  return [
    ...plain.points.map((point) => ({ ...plain, points: [point] })),
    ...wireless.map((network) => ({ ...plain, points: [], wireless: [network] })),
  ];
}

const kindOf = (items: readonly ItemDraft[]): "package" | "settings" =>
  items.some(({ kind }) => kind === "key") ? "package" : "settings";

function refuse(turn: Turn, items: readonly ItemDraft[], why: ReturnType<typeof tooNarrow>): void {
  for (const item of items) failItem(turn, item, why);
}

/** A message a use: the first carries the items, the others go along with it. */
function sendNokia(turn: Turn, items: readonly ItemDraft[], values: SettingsValues): void {
  const air = airOf(turn);
  const parts = composeNokia(values);
  if (parts.length === 0) return sendLink(turn, items, values);
  const tooLarge = parts.find((bytes) => !fits("nokiaota", bytes, air));
  if (tooLarge) return refuse(turn, items, tooNarrow("settings", tooLarge.length, air));
  sendApart(turn, items, parts, { protocol: "nokiaota", sec: null, rule: PUSHED, ...confirmationOf(values) });
}

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
    bytes: composeText(fill(policy.texts.pinNotice, { pin: authentication.pin, operator })),
    rule: "a PIN goes narrowband",
    ...confirmationOf(values),
  });
}

/** A companion's key is its payload's id and its attempt: by that it is found again and sent again. */
const AS_COMPANION = null;

const digitsFrom = (bytes: Uint8Array): string => [...bytes].map((octet) => String(octet % 10)).join("");
const fill = (text: string, values: Readonly<Record<string, string>>): string =>
  text.replace(/\{(\w+)\}/g, (whole, name: string) => values[name] ?? whole);

function sendLink(turn: Turn, items: readonly ItemDraft[], values: SettingsValues): void {
  const { deps, scribe, order, terms } = turn;
  const [item] = items;
  if (!item) return;
  const token = Buffer.from(deps.randomBytes(LINK_TOKEN_OCTETS)).toString("base64url");
  scribe.changes.links.push({
    id: scribe.newId(),
    operatorId: order.operatorId,
    orderId: order.id,
    itemId: item.id,
    tokenHash: createHash("sha256").update(token).digest(),
    settings: values,
    expiresAt: hoursAfter(lastChance(terms.policy, 1, scribe.now), terms.policy.proofDeadlineHours),
  });
  const text = fill(terms.policy.texts.link, { link: deps.linkUrl(token), operator: terms.operatorName });
  const bytes = composeText(text);
  const rule = "a text with a link: the model takes no settings over the air";
  send(turn, items, { kind: "link", protocol: "text", sec: null, bytes, rule, ...confirmationOf(values) });
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
      },
    });
  }
}

function queue(
  { deps, scribe, order, terms }: Turn,
  idempotencyKey: string | null,
  { rule, ...composed }: Composed,
): CarrierMessage & { readonly air: MessageAir } {
  const reference = deps.randomBytes(1)[0] ?? 0;
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
    dueAt: scribe.now,
    expiresAt: minutesAfter(scribe.now, terms.policy.messageValidityMinutes),
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
