/**
 * WAP pushes as the client module takes them: notices of servers that it asked, each once, and knocks of those that it never
 * asked. What is neither is for the handset's other applications.
 */
import { hexOf } from "../wire/hex.ts";
import type { Notice } from "../wire/message/notice.ts";
import { contentByNotice, fetchContent, knocked } from "./client-content.ts";
import { change, dropped, replied, serverOf, stepApp, type Turn } from "./client-turn.ts";
import { receive } from "./messaging.ts";
import { alertOf, openNotice } from "./notice-push.ts";
import { appNoticed } from "./provisioning-app.ts";

/** Servers whose number is kept. */
const CENTRES_MAX = 8;

export function pushed(turn: Turn, from: string, bytes: Uint8Array): void {
  const opened = openNotice(bytes, turn.state.stored.noticeKey);
  switch (opened.kind) {
    case "other":
      turn.effects.push({ kind: "other_push", from, bytes });
      return;
    case "refused":
      return dropped(turn, "notice", opened.cause);
    case "knock":
      return knocked(turn, opened.knock);
    default:
      return noticeCame(turn, opened.notice, from);
  }
}

function noticeCame(turn: Turn, notice: Notice, from: string): void {
  const { messageId, reference, itemId, server } = notice;
  const { manager, outcome } = receive(turn.state.received, hexOf(messageId), notice.at.getTime());
  change(turn, { received: manager });
  if (outcome === "too_old") return dropped(turn, "notice", "too_old");
  change(turn, { centre: from });
  if (server) change(turn, { centres: withCentre(turn.state.centres, server, from) });
  // What came twice is acknowledged twice, and done once.
  if (notice.kind !== "content") replied(turn, { kind: "ack", messageId, reference, itemId }, from);
  if (outcome === "repeated") return dropped(turn, "notice", "repeated");
  turn.effects.push({ kind: "notice", notice: notice.kind, reference });
  takeWhatItBrings(turn, notice);
  const { device, state, at } = turn;
  stepApp(turn, appNoticed(device.app, state.app, alertOf(notice, from), at.getTime()));
}

function takeWhatItBrings(turn: Turn, notice: Notice): void {
  const { kind, messageId, reference, itemId, content, fields } = notice;
  if (kind === "access_data") {
    const isKept = turn.device.installer.keepSecurity(reference, itemId ?? "all", fields);
    if (!isKept) dropped(turn, "access_data", "memory_full");
  }
  if (itemId === null) return;
  const item = { server: serverOf(turn, reference, notice.server), reference, itemId };
  if (kind === "content" && content) contentByNotice(turn, content, messageId, item);
  if (kind === "content_ready") fetchContent(turn, item);
}

const withCentre = (
  centres: Readonly<Record<string, string>>,
  server: string,
  from: string,
): Readonly<Record<string, string>> =>
  Object.fromEntries(
    [...Object.entries(centres).filter(([name]) => name !== server), [server, from] as const].slice(
      -CENTRES_MAX,
    ),
  );
