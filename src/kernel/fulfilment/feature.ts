/**
 * A feature onto the device (US 6,647,260, figure 7B:738 to 750): a notice narrowband and the content wideband, each told
 * for itself; the device decides whether it worked. After a failure the user chooses: once more, or not at all.
 */
import { TurnupError } from "../../term/error.ts";
import { hoursAfter } from "../../term/moment.ts";
import { isNarrowbandOnly, narrowbandOctets } from "../../wire/message/bearer-profile.ts";
import { MAX_NOTICE_CONTENT_OCTETS } from "../../wire/message/notice.ts";
import { airOf } from "../delivery/fit.ts";
import { freshCode, knock, nameOf, tell } from "../notices/notices.ts";
import type { Air } from "../operator/air.ts";
import type { Level } from "../operator/policy.ts";
import { failItem, isClosed, waitNoMore } from "../order/ending.ts";
import { isRequestItemDone, waitsForElements } from "../order/item-done.ts";
import { rankOf } from "../order/order.ts";
import type { AnswerAir, DeviceOutcome } from "../order/request.ts";
import { NO_ACTION } from "../order/scribe.ts";
import { itemOf, type RequestItem, type RequestTurn, updateItem } from "../order/turn.ts";
import { composeContent, moduleSourceOf } from "./content.ts";

const MAX_CAUSE_CHARACTERS = 40;

/** Both sends of one attempt; neither where the device's bearer is known not to carry the content. */
export function sendContent(turn: RequestTurn, item: RequestItem): void {
  const { scribe, order, terms } = turn;
  const air = airOf(turn);
  const isNarrow = isNarrowbandOnly(air.profile);
  if (isNarrow && isRefused(turn, item, air)) return;
  const small = smallContent(turn, item, isNarrow);
  item.attempt += 1;
  item.message = tell(turn, {
    kind: small ? "content" : "content_ready",
    text: item.subject.retransmissions > 0 ? "retransmitted" : "contentReady",
    values: { item: nameOf(turn, item) },
    item,
    ...(small ? { content: small, rule: "small_content" as const } : {}),
  });
  if (!small) knock(turn, item);
  updateItem(turn, item, { channel: small ? "narrowband" : "wideband", question: null });
  const reason = small
    ? "the content goes to the device by SMS"
    : "the content waits for the device, which was told by SMS";
  scribe.moveItem(order, item, {
    state: "sending",
    reason,
    nextAction: "wait for the device's own word",
    deadlineAt: hoursAfter(scribe.now, terms.policy.proofDeadlineHours),
    event: "content_offered",
    detail: {
      channel: small || isNarrow ? "narrowband" : "wideband",
      rule: isNarrow
        ? `${air.bearer} has no wideband`
        : small
          ? "content that is small enough"
          : "content goes wideband",
      bearer: air.bearer,
      attempt: item.attempt,
      messageId: item.message.id,
    },
  });
}

/** Content of an item cannot reach the device: a stable code. */
const TOO_NARROW = "bearer_too_narrow";

/** What no message of the bearer holds has no smaller form: it is signed as a whole. */
function isRefused(turn: RequestTurn, item: RequestItem, { bearer, profile }: Air): boolean {
  const { content } = item.subject;
  const octets =
    content.kind === "module" && moduleSourceOf(item)
      ? content.octets
      : composeContent(turn, item, null).length;
  const octetsMax = narrowbandOctets(profile);
  if (octets <= octetsMax) return false;
  failItem(turn, item, {
    cause: TOO_NARROW,
    reason: `its content has ${octets} octets, and ${bearer} carries ${octetsMax} in one message`,
  });
  return true;
}

/** Undefined where it is fetched: by size, or since only so it can be had from where it is kept. */
function smallContent(turn: RequestTurn, item: RequestItem, isNarrow: boolean): Uint8Array | undefined {
  const limit = isNarrow ? MAX_NOTICE_CONTENT_OCTETS : turn.terms.policy.request.narrowbandContentOctets;
  if (limit === 0 || moduleSourceOf(item) || !turn.order.request.noticeKey) return undefined;
  const bytes = composeContent(turn, item, null);
  return bytes.length <= limit && bytes.length <= MAX_NOTICE_CONTENT_OCTETS ? bytes : undefined;
}

const AWAITED: readonly string[] = ["sending", "delivered", "opened"];

/** Content that is there to be fetched now. */
export const hasContent = ({ state, subject, kind }: RequestItem): boolean =>
  kind === "feature" && subject.channel !== null && AWAITED.includes(state);

export function contentFetched(turn: RequestTurn, item: RequestItem, octets: number, air: AnswerAir): void {
  const { bearer, octetsMax } = air;
  const isNarrow = octetsMax !== null;
  turn.scribe.note(turn.order, {
    kind: "content_fetched",
    itemId: item.id,
    reason: "the device fetched the content",
    detail: {
      octets,
      channel: isNarrow ? "narrowband" : "wideband",
      rule: isNarrow ? `${bearer} has no wideband, and carries ${octetsMax} octets` : "content goes wideband",
      bearer,
    },
  });
  reachOnDevice(turn, item, "delivered", {
    evidence: "content_fetched",
    reason: "the device fetched the content",
  });
}

/** It waits for a bearer that carries it; said once, however often it is asked for there. */
export function contentHeldBack(
  { scribe, order }: RequestTurn,
  item: RequestItem,
  octets: number,
  { bearer, octetsMax }: AnswerAir,
): void {
  const reason = `the content has ${octets} octets, and ${bearer} carries ${octetsMax} in one message`;
  if (item.reason === reason) return;
  scribe.moveItem(order, item, {
    state: item.state,
    event: "content_held_back",
    cause: TOO_NARROW,
    reason,
    nextAction: "wait until the device fetches it over a bearer with packet data",
    deadlineAt: item.deadlineAt,
    detail: { octets, octetsMax, channel: "none", rule: "too_large_for_narrowband", bearer },
  });
}

/** A higher level than before; a repeat or a lower one changes nothing. */
export function reachOnDevice(
  { scribe, order, terms }: RequestTurn,
  item: RequestItem,
  level: Level,
  { evidence, reason }: { readonly evidence: string; readonly reason: string },
): boolean {
  if (rankOf(level) <= rankOf(item.state) || isClosed(item)) return false;
  const { policy } = terms;
  const isLast = level === "works";
  const waits = isLast && waitsForElements(item);
  scribe.moveItem(order, item, {
    state: level,
    reason,
    nextAction: isLast
      ? waits
        ? "wait for the network's elements"
        : NO_ACTION
      : "wait for the device's own word",
    deadlineAt: hoursAfter(
      scribe.now,
      waits ? policy.request.serviceDeadlineHours : policy.proofDeadlineHours,
    ),
    evidence,
  });
  if (isRequestItemDone(item, policy.doneAt)) waitNoMore(item);
  return true;
}

/** Answers false where it said so before, or where nothing was sent that it could speak of. */
export function deviceReported(
  turn: RequestTurn,
  itemId: string,
  outcome: DeviceOutcome,
  channel: string,
): boolean {
  const { scribe, order } = turn;
  const item = itemOf(turn, itemId);
  if (item?.kind !== "feature" || item.subject.channel === null) return false;
  const evidence = `device:${channel}`;
  if (isClosed(item)) {
    scribe.note(order, {
      kind: "late_report",
      itemId: item.id,
      state: item.state,
      reason: `the device said "${outcome.kind}" after the item was ${item.state}`,
      evidence,
    });
    return false;
  }
  const has = moduleOf(item, outcome);
  if (outcome.kind === "installed" && has.isWanted) {
    return reachOnDevice(turn, item, "works", {
      evidence,
      reason: `the device confirmed the installation${has.words === null ? "" : `: it has ${has.words}`}`,
    });
  }
  if (!AWAITED.includes(item.state)) return false;
  const cause = outcome.kind === "installed" ? "other_version" : causeOf(outcome.cause);
  installationFailed(turn, item, { cause, evidence, has: has.words });
  return true;
}

/**
 * What the device says that it has of the item's module (R122): the version that was to come, another one, or none. A
 * confirmation that names another version is none; a device that names no versions is believed as it stands.
 */
function moduleOf(
  { subject: { content, action, replaces } }: RequestItem,
  { modules }: DeviceOutcome,
): { readonly isWanted: boolean; readonly words: string | null } {
  const named = (module: string) => modules?.find((one) => one.startsWith(`${module} `));
  // In one commit with what comes goes what the version before had.
  const former = action === "add" && replaces?.module ? named(replaces.module) : undefined;
  if (former !== undefined) return { isWanted: false, words: former };
  if (content.kind !== "module" || modules === undefined) return { isWanted: true, words: null };
  const found = named(content.module);
  const isThere = found === `${content.module} ${content.version}`;
  return {
    isWanted: action === "add" ? isThere : found === undefined,
    words: found ?? `no ${content.module}`,
  };
}

/** A word of the device, and nothing but a word. */
const causeOf = (cause: string): string =>
  cause
    .toLowerCase()
    .replace(/[^a-z_]+/g, "_")
    .slice(0, MAX_CAUSE_CHARACTERS) || "unknown";

function installationFailed(
  turn: RequestTurn,
  item: RequestItem,
  {
    cause,
    evidence,
    has,
  }: { readonly cause: string; readonly evidence: string; readonly has: string | null },
): void {
  const { deps, scribe, order, terms } = turn;
  const policy = terms.policy.request;
  const keeps = has === null ? "" : `; it has ${has}`;
  const reason = `the device could not install it: ${cause.replaceAll("_", " ")}${keeps}`;
  if (item.subject.retransmissions >= policy.retransmissionLimit) {
    const times = item.subject.retransmissions + 1;
    return failItem(turn, item, {
      cause: `device_${cause}`,
      reason: `${reason}; it was sent ${times} times`,
      evidence,
    });
  }
  const code = freshCode(deps, turn.openCodes ?? []);
  updateItem(turn, item, { question: { code } });
  scribe.moveItem(order, item, {
    state: "awaiting_choice",
    cause: `device_${cause}`,
    reason,
    nextAction: "the subscriber chooses: send it again, or give it up",
    deadlineAt: hoursAfter(scribe.now, policy.choiceDeadlineHours),
    evidence,
  });
  tell(turn, {
    kind: "choice",
    text: "installFailed",
    values: { item: nameOf(turn, item), code },
    fields: { code, cause },
    item,
  });
}

/** @throws TurnupError `nothing_to_answer` */
export function choiceMade(
  turn: RequestTurn,
  itemId: string,
  choice: "retransmit" | "give_up",
  channel: string,
): void {
  const { scribe, order } = turn;
  const item = itemOf(turn, itemId);
  if (item?.state !== "awaiting_choice") {
    throw new TurnupError(
      "nothing_to_answer",
      `No choice waits for an answer: the item is ${item?.state ?? "unknown"}.`,
      {
        nextStep: "Look at the request as it stands.",
      },
    );
  }
  if (choice === "give_up") {
    updateItem(turn, item, { question: null });
    return failItem(turn, item, {
      cause: item.cause ?? "given_up",
      reason: `${item.reason}; the subscriber gave it up`,
      evidence: channel,
    });
  }
  const retransmissions = item.subject.retransmissions + 1;
  updateItem(turn, item, { retransmissions });
  scribe.note(order, {
    kind: "retransmission_requested",
    itemId: item.id,
    reason: `the subscriber asked for it once more, the ${retransmissions}. time`,
    evidence: channel,
  });
  sendContent(turn, item);
}

/** A person of the operator sends once more what the device has not confirmed. @throws TurnupError `nothing_to_resend` */
export function resendByHand(turn: RequestTurn, items: readonly RequestItem[], actor: string): void {
  const open = items.filter(
    (item) =>
      item.kind === "feature" &&
      item.subject.channel !== null &&
      [...AWAITED, "awaiting_choice"].includes(item.state),
  );
  if (open.length === 0) {
    throw new TurnupError(
      "nothing_to_resend",
      `The order is ${turn.order.state} and no content of it waits for the device.`,
      {
        nextStep: "Look at its items: a service is registered for by itself.",
      },
    );
  }
  for (const item of open) {
    turn.scribe.note(turn.order, {
      kind: "resent",
      itemId: item.id,
      reason: `${actor} asked to send it again`,
    });
    sendContent(turn, item);
  }
}
