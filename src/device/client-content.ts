/**
 * Content of a request: fetched when a notice says that it waits, installed by whichever channel it came, and reported by the
 * same one (US 6,647,260 claims 18 and 19).
 */
import { DEVICE_PATHS } from "../wire/message/legs.ts";
import { centreOf, change, dropped, newIdFrom, queued, replied, serverOf, type Turn } from "./client-turn.ts";
import type { Installed } from "./installer.ts";
import type { ItemAddress, Outbound } from "./outbound.ts";

type ContentRequest = Extract<Outbound, { kind: "content" }>;

/** Looks at once where somebody knocked: a stranger's knocks cost no more. */
const KNOCKS_MAX = 4;

export const fetchContent = (turn: Turn, item: ItemAddress): boolean => queued(turn, contentRequestOf(item));

/** Content of a server that this device never asked. What waits there already is not asked for twice. */
export function knocked(turn: Turn, item: ItemAddress): void {
  const waiting = turn.state.outbox.flatMap(({ message }) =>
    message.kind === "content" && message.isKnocked ? [message.item.itemId] : [],
  );
  const isWaiting = waiting.includes(item.itemId);
  if (isWaiting || waiting.length >= KNOCKS_MAX)
    return dropped(turn, "notice", isWaiting ? "repeated" : "too_many");
  turn.effects.push({ kind: "notice", notice: "knock", reference: item.reference });
  queued(turn, { ...contentRequestOf(item), isKnocked: true });
}

/** Wideband content is answered wideband. */
export function contentCame(turn: Turn, bytes: Uint8Array, item: ItemAddress): void {
  const outcome = install(turn, bytes, item);
  report(turn, item, outcome.kind === "failed" ? outcome.fault : null);
}

/** Content by SMS alone is answered by SMS alone. */
export function contentByNotice(
  turn: Turn,
  bytes: Uint8Array,
  messageId: Uint8Array,
  item: ItemAddress,
): void {
  const outcome = install(turn, bytes, item);
  const cause = outcome.kind === "failed" ? outcome.fault : null;
  const { server, reference, itemId } = item;
  const kind = cause === null ? "installed" : "failed";
  replied(turn, { kind, messageId, reference, itemId, cause }, centreOf(turn, server), { item, cause });
}

function install(turn: Turn, bytes: Uint8Array, item: ItemAddress): Installed {
  const outcome = turn.device.installer.install(bytes, item, turn.at);
  turn.effects.push({ kind: "installation", itemId: item.itemId, outcome });
  if (outcome.kind === "installed") change(turn, { app: { ...turn.state.app, provisionedOnce: true } });
  return outcome;
}

/** How an installation ended, through the proxy. */
export function report(turn: Turn, item: ItemAddress, cause: string | null): void {
  const path = DEVICE_PATHS.through(item.server, DEVICE_PATHS.report(item.reference, item.itemId));
  const idempotencyKey = newIdFrom(turn.device.random);
  // As evidence: what stands on the device, whichever way it went.
  const modules = turn.device.installer.modules().modules.map(({ name, version }) => `${name} ${version}`);
  queued(turn, { kind: "report", path, item, cause, modules, idempotencyKey });
}

const contentRequestOf = (item: ItemAddress): ContentRequest => ({
  kind: "content",
  path: DEVICE_PATHS.through(item.server, DEVICE_PATHS.content(item.reference, item.itemId)),
  item,
});

export const isContentRequest = ({ state }: Turn, wanted: string): boolean =>
  state.outbox.some(({ id, message }) => id === wanted && message.kind === "content");

/** A fetch that goes out once more: meanwhile it may be known whose request it is. */
export function readdress(turn: Turn, wanted: string): void {
  const outbox = turn.state.outbox.map((one) => {
    if (one.id !== wanted || one.message.kind !== "content") return one;
    const { item } = one.message;
    const server = serverOf(turn, item.reference, item.server);
    return { ...one, message: { ...one.message, ...contentRequestOf({ ...item, server }) } };
  });
  change(turn, { outbox });
}

/** The item whose content a screen's entry leads to. */
export function itemOfPath(path: string): ItemAddress | undefined {
  const [, server, reference, itemId] =
    /^\/r\/([^/]+)\/d\/orders\/([0-9A-Za-z]{8})\/items\/([0-9a-f-]{36})\/content$/.exec(path) ?? [];
  if (server === undefined || reference === undefined || itemId === undefined) return undefined;
  return { server: decodeURIComponent(server), reference, itemId };
}
