/**
 * One turn of the client module: what the device is, what it knows, what happened, and what shall be done. The handlers of events
 * put a new state into the turn in the place of the old one and add effects; nothing of it is seen outside before the turn ends.
 */
import { bytesOf, hexOf } from "../wire/hex.ts";
import { encodeReply, type ReplyKind } from "../wire/message/reply.ts";
import type { Key } from "../wire/screen/keypad.ts";
import type { AppState } from "./app-state.ts";
import type { DeviceClass } from "./device-class.ts";
import type { Identity, StoredIdentity } from "./identity.ts";
import type { Installed, Installer } from "./installer.ts";
import { enqueue, type ReceiveManager, type SendManager } from "./messaging.ts";
import type { Outbound, WidebandAnswer, WidebandRequest } from "./outbound.ts";
import { type App, type AppEffect, type AppStep, appAnswered, appStarted } from "./provisioning-app.ts";
import type { DeviceStore } from "./store.ts";

export type ClientEvent =
  | { readonly kind: "power_on" }
  | { readonly kind: "power_off" }
  | { readonly kind: "key"; readonly key: Key }
  | { readonly kind: "answered"; readonly id: string; readonly answer: WidebandAnswer }
  | { readonly kind: "sms_sent"; readonly id: string; readonly isTaken: boolean }
  /** A WAP push, whole. */
  | { readonly kind: "push"; readonly from: string; readonly bytes: Uint8Array }
  | { readonly kind: "enrolled"; readonly reference: string }
  | { readonly kind: "enrolment_failed"; readonly cause: string }
  | { readonly kind: "clock" };

export type ClientEffect =
  | { readonly kind: "request"; readonly id: string; readonly request: WidebandRequest }
  | { readonly kind: "sms"; readonly id: string; readonly to: string; readonly bytes: Uint8Array }
  /** Draw a key, and have it certified at the proxy (RFC 7030). */
  | { readonly kind: "enrol"; readonly identity: Identity }
  /** A push of another kind: for the handset's other applications. */
  | { readonly kind: "other_push"; readonly from: string; readonly bytes: Uint8Array }
  /** For who watches: */
  | { readonly kind: "notice"; readonly notice: string; readonly reference: string }
  | { readonly kind: "dropped"; readonly what: "notice" | "access_data"; readonly cause: string }
  | { readonly kind: "resent" | "given_up"; readonly what: Outbound["kind"] }
  | { readonly kind: "installation"; readonly itemId: string; readonly outcome: Installed };

/** What the device is given once: it never changes while the module runs. */
export type Device = {
  readonly store: DeviceStore;
  /** Undefined where what the maker stored is not enough to begin. */
  readonly identity: Identity | undefined;
  readonly app: App;
  readonly installer: Installer;
  readonly deviceClass: DeviceClass;
  /** BCP 47. */
  readonly language: string;
  random(octets: number): Uint8Array;
};

export type ClientState = {
  readonly stored: StoredIdentity;
  readonly app: AppState;
  readonly outbox: SendManager<Outbound>;
  readonly received: ReceiveManager;
  /** Where notices come from: what has no notice to answer goes there too. */
  readonly centre: string | null;
  /** The same of each server, by its name. */
  readonly centres: Readonly<Record<string, string>>;
  readonly isOn: boolean;
  readonly isEnrolling: boolean;
};

export type Turn = {
  readonly device: Device;
  readonly at: Date;
  state: ClientState;
  readonly effects: ClientEffect[];
};

const ID_OCTETS = 16;

/** A fresh text of 128 bits. */
export const newIdFrom = (random: Device["random"]): string => hexOf(random(ID_OCTETS));

export function change(turn: Turn, part: Partial<ClientState>): void {
  turn.state = { ...turn.state, ...part };
}

export const dropped = (turn: Turn, what: "notice" | "access_data", cause: string): void =>
  void turn.effects.push({ kind: "dropped", what, cause });

/** False where the queue is full. */
export function queued(turn: Turn, message: Outbound, id = newIdFrom(turn.device.random)): boolean {
  const outbox = enqueue(turn.state.outbox, id, message, turn.at.getTime());
  if (outbox) change(turn, { outbox });
  return outbox !== undefined;
}

type Reply = {
  readonly kind: ReplyKind;
  readonly messageId: Uint8Array;
  readonly reference: string;
  readonly itemId: string | null;
  readonly cause?: string | null;
};

/**
 * Queues a reply by SMS; nothing where nobody's number is known.
 * @param report of an installation: it can go through the proxy when no SMS goes
 */
export function replied(
  turn: Turn,
  reply: Reply,
  to: string | null,
  report: Extract<Outbound, { kind: "sms" }>["report"] = null,
): boolean {
  const { identity } = turn.device;
  if (to === null || !identity) return false;
  const bytes = hexOf(encodeReply({ cause: null, ...reply }, identity.noticeKey));
  return queued(turn, { kind: "sms", to, bytes, report });
}

export const centreOf = ({ state }: Turn, server: string): string | null =>
  state.centres[server] ?? state.centre;

/**
 * A notice names the server that wrote it. From one that does not, the server of its request, or the one that was just asked:
 * a notice can overtake the answer to its own request.
 */
export const serverOf = (
  { device, state: { app } }: Turn,
  wanted: string,
  writer: string | null = null,
): string =>
  app.orders.find(({ reference }) => reference === wanted)?.server ??
  writer ??
  serverAsked(app) ??
  device.identity?.server ??
  "";

const serverAsked = ({ waiting }: AppState): string | undefined =>
  waiting?.call.method === "POST" ? waiting.call.server : undefined;

// ---- the application within the module

export function startApp(turn: Turn): void {
  change(turn, { isEnrolling: false });
  stepApp(turn, appStarted(turn.device.app, turn.state.app));
}

/** Takes a step of the application over, and does what it asks for. */
export function stepApp(turn: Turn, { state, effects }: AppStep): void {
  change(turn, { app: state });
  for (const effect of effects) followUp(turn, effect);
}

function followUp(turn: Turn, effect: AppEffect): void {
  if (effect.kind === "reply") {
    const { messageId, reference, itemId, from = turn.state.centre } = effect.alert;
    replied(turn, { kind: effect.reply, messageId: bytesOf(messageId), reference, itemId }, from);
    return;
  }
  const { method, path, fields, idempotencyKey } = effect.call;
  const isQueued = queued(turn, { kind: "screen", method, path, fields, idempotencyKey }, effect.id);
  if (!isQueued) callFailed(turn, effect.id, "not_sent");
}

export function callFailed(
  turn: Turn,
  id: string,
  problem: "not_sent" | "no_connection" | "unreadable",
): void {
  const { device, state, at } = turn;
  stepApp(turn, appAnswered(device.app, state.app, id, { kind: "failed", problem }, at.getTime()));
}
