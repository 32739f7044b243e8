/**
 * Sessions that gateways told of which can be asked to end them, and how they are asked. They are remembered by the server that heard of
 * them, for as long as the gateway goes on telling; after a restart the next Interim-Update tells of each again.
 */
import type { Counter } from "prom-client";
import type { AuditLog } from "../../kernel/account/registry.ts";
import {
  type LiveSession,
  type LiveSessions,
  type SessionAnswer,
  type SessionRequest,
  type SessionSim,
  sessionAnswerOf,
  sessionsAsked,
} from "../../kernel/detection/live-session.ts";
import {
  askGateway,
  type DynamicOutcome,
  type DynamicRequest,
} from "../../net/probe/radius/dynamic-client.ts";
import type { RadiusTlsDoor } from "../../net/probe/radius/tls-door.ts";
import { TurnupError } from "../../term/error.ts";
import { maskIdentifier } from "../../term/mask.ts";
import type { Accounting } from "../../wire/radius/accounting.ts";
import { eventTimestamp } from "../../wire/radius/dynamic.ts";
import { RADIUS, type RadiusValue, vendorValue } from "../../wire/radius/packet.ts";
import type { RadiusClientPlace } from "../config/radius-config.ts";

/** About 60 MB. The one that was not heard of for longest goes first. */
const SESSIONS_MAX = 200_000;
/** Gateways tell of a session that goes on every hour at least; one that is silent for a day has ended without a word. */
const SILENT_MS = 86_400_000;
const AT_ONCE_MAX = 50;
const VENDOR_3GPP = 10_415;
const IMSI_OF_3GPP = 1;
const ATTRIBUTE = { filterId: 11, sessionTimeout: 27, sessionId: 44 } as const;
/** Error-Causes that fewer attributes may mend (RFC 5176 section 3.5). */
const FEWER_MAY_DO = [401, 407];

type Held = {
  readonly operatorId: string;
  readonly client: string;
  readonly imsi: string;
  readonly msisdn: string | undefined;
  readonly apn: string | null;
  readonly identification: readonly RadiusValue[];
  readonly sinceMs: number;
  heardMs: number;
};

export type RadiusSessions = LiveSessions & {
  size(): number;
  /** Whether this gateway can be asked: of another nothing is remembered. */
  isOfInterest(client: string): boolean;
  heard(operatorId: string, client: string, accounting: Accounting): void;
};

type SessionsDeps = {
  /** As it is named now; undefined: no longer. */
  clientNamed(name: string): RadiusClientPlace | undefined;
  overTls(): RadiusTlsDoor | undefined;
  readonly audit: Pick<AuditLog, "record">;
  readonly clock: () => Date;
  readonly randomOctet: () => number;
  readonly asked: Counter<"client" | "kind" | "outcome">;
  readonly sessionsMax?: number;
  readonly waitsMs?: readonly number[];
};

export function createRadiusSessions(deps: SessionsDeps): RadiusSessions {
  const held = new Map<string, Held>();
  let atWork = 0;
  const found = (operatorId: string, sim: SessionSim): [string, Held][] =>
    [...held].filter(([, one]) => one.operatorId === operatorId && isOf(one, sim));
  return {
    size: () => held.size,
    isOfInterest: (client) => deps.clientNamed(client)?.disconnect !== undefined,
    heard: (operatorId, client, accounting) => heard(deps, held, { operatorId, client, accounting }),
    of: async (operatorId, sim) => found(operatorId, sim).map(([, one]) => shown(one)),
    async ask({ operatorId, sim, request, reason, actor }) {
      if (atWork >= AT_ONCE_MAX)
        throw new TurnupError("too_many_requests", `${atWork} sessions are being asked for at this moment.`, {
          nextStep: "Ask again in ten seconds.",
        });
      atWork += 1;
      try {
        const sessions = await Promise.all(
          found(operatorId, sim).map(([key, one]) => askedFor(deps, held, { key, one, request })),
        );
        const result = sessionsAsked(request, sessions);
        await deps.audit.record(operatorId, {
          ...{ actor, action: `session.${request.kind}`, subject: maskedOf(sim) },
          detail: { reason, outcome: result.outcome, sessions: sessions.map(auditOf), ...changesOf(request) },
        });
        return result;
      } finally {
        atWork -= 1;
      }
    },
  };
}

const isOf = (one: Held, sim: SessionSim): boolean =>
  "imsi" in sim ? one.imsi === sim.imsi : one.msisdn === sim.msisdn;
const maskedOf = (sim: SessionSim): string =>
  "imsi" in sim ? maskIdentifier(sim.imsi, "imsi") : maskIdentifier(sim.msisdn, "msisdn");
const shown = ({ client, apn, sinceMs, heardMs }: Held): LiveSession => ({
  ...{ gateway: client, apn },
  ...{ since: new Date(sinceMs), heardAt: new Date(heardMs) },
});
const auditOf = ({ gateway, apn, outcome, cause }: SessionAnswer) => ({ gateway, apn, outcome, cause });
const changesOf = ({ kind: _, ...changes }: SessionRequest): object => changes;

/** Whoever is told of a session by two gateways knows two: each has its own names for it. */
const keyOf = (client: string, identification: readonly RadiusValue[]): string =>
  `${client} ${identification.map(([type, value]) => `${type}=${Buffer.from(value).toString("hex")}`).join(" ")}`;

function heard(
  { clock, sessionsMax = SESSIONS_MAX }: SessionsDeps,
  held: Map<string, Held>,
  told: { readonly operatorId: string; readonly client: string; readonly accounting: Accounting },
): void {
  const { operatorId, client, accounting } = told;
  const { status, imsi, identification } = accounting;
  const ofGateway = identification.filter(([type]) => type !== ATTRIBUTE.sessionId && type !== USER_NAME);
  if (status === "on" || status === "off") return forgetAll(held, client, ofGateway);
  if (!identification.some(([type]) => type === ATTRIBUTE.sessionId)) return;
  const key = keyOf(client, identification);
  const before = held.get(key);
  held.delete(key); // the one heard of last stands last
  if (status === "stop" || imsi === undefined) return;
  const nowMs = clock().getTime();
  for (const [oldest, { heardMs }] of held) {
    if (held.size < sessionsMax && nowMs - heardMs < SILENT_MS) break;
    held.delete(oldest);
  }
  held.set(key, {
    ...{ operatorId, client, imsi, msisdn: accounting.msisdn, apn: accounting.apn ?? null },
    // The packet's octets are a whole datagram: what is kept is a copy.
    identification: identification.map(([type, value]) => [type, Uint8Array.from(value)] as const),
    ...{ sinceMs: before?.sinceMs ?? nowMs, heardMs: nowMs },
  });
}
const USER_NAME = 1;

/** A gateway that starts or stops has no sessions (RFC 2866 section 5.1): those with its address or name, or all where it says neither. */
function forgetAll(held: Map<string, Held>, client: string, ofGateway: readonly RadiusValue[]): void {
  const has = (one: Held, [type, value]: RadiusValue): boolean =>
    one.identification.some(([its, that]) => its === type && Buffer.compare(that, value) === 0);
  for (const [key, one] of held)
    if (one.client === client && ofGateway.every((value) => has(one, value))) held.delete(key);
}

async function askedFor(
  deps: SessionsDeps,
  held: Map<string, Held>,
  { key, one, request }: { readonly key: string; readonly one: Held; readonly request: SessionRequest },
): Promise<SessionAnswer> {
  const place = deps.clientNamed(one.client);
  const answer = place?.disconnect ? await answerOf(deps, place, one, request) : "unreachable";
  const result = sessionAnswerOf(shown(one), answer);
  deps.asked.inc({ client: one.client, kind: request.kind, outcome: result.outcome });
  const isOver =
    result.outcome === "was_gone" || (result.outcome === "done" && request.kind === "disconnect");
  if (isOver && held.get(key) === one) held.delete(key);
  return result;
}

/** With fewer attributes once more where the gateway does not know one of them. */
async function answerOf(
  deps: SessionsDeps,
  place: RadiusClientPlace,
  { identification, imsi }: Held,
  request: SessionRequest,
): Promise<DynamicOutcome> {
  const more = place.disconnect?.withImsi
    ? [vendorValue(VENDOR_3GPP, IMSI_OF_3GPP, new TextEncoder().encode(imsi))]
    : [];
  const changes = [eventTimestamp(Math.floor(deps.clock().getTime() / 1_000)), ...valuesOf(request)];
  const code = request.kind === "disconnect" ? RADIUS.disconnectRequest : RADIUS.coaRequest;
  const first = await sent(deps, place, { code, attributes: [...identification, ...more, ...changes] });
  const isMended = typeof first === "object" && !first.isAck && FEWER_MAY_DO.includes(first.cause?.code ?? 0);
  if (!isMended || identification.length + more.length === 1) return first;
  const session = identification.filter(([type]) => type === ATTRIBUTE.sessionId);
  return sent(deps, place, { code, attributes: [...session, ...changes] });
}

function sent(
  { overTls, randomOctet, waitsMs }: SessionsDeps,
  { name, disconnect, secret }: RadiusClientPlace,
  request: DynamicRequest,
): Promise<DynamicOutcome> {
  if (disconnect?.host === undefined || secret === undefined)
    return overTls()?.ask(name, request) ?? Promise.resolve("unreachable");
  const { host, port } = disconnect;
  return askGateway({ host, port, secret, ...(waitsMs && { waitsMs }) }, request, randomOctet());
}

function valuesOf(request: SessionRequest): RadiusValue[] {
  if (request.kind === "disconnect") return [];
  const { filterId, sessionTimeoutSeconds } = request;
  const timeout = Buffer.alloc(4);
  timeout.writeUInt32BE(sessionTimeoutSeconds ?? 0);
  return [
    ...(filterId === undefined ? [] : [[ATTRIBUTE.filterId, new TextEncoder().encode(filterId)] as const]),
    ...(sessionTimeoutSeconds === undefined ? [] : [[ATTRIBUTE.sessionTimeout, timeout] as const]),
  ];
}
