/** What the doors of the proxy share: decisions, journal, land leg, records, lock-out. */
import { createHash } from "node:crypto";
import type { FastifyInstance, FastifyRequest } from "fastify";
import type { ProxyEvent } from "../../proxy/account.ts";
import type { NetworkIdentity } from "../../proxy/admission.ts";
import type { Edge, ProxyJournal } from "../../proxy/edge.ts";
import type { GatewayRule } from "../../proxy/gateway-identity.ts";
import type { LandLeg } from "../../proxy/land-leg.ts";
import { createLockout } from "../../proxy/lockout.ts";
import {
  type AuditRecord,
  type Leg,
  type LegsSession,
  openLegsSession,
  type TerminationReason,
} from "../../proxy/session.ts";
import { maskIdentifier } from "../../term/mask.ts";
import type { BearerProfiles } from "../../wire/message/bearer-profile.ts";
import type { Bearer } from "../../wire/message/legs.ts";
import { CONNECTION_LIMITS, hostOf, refuseConnection, timeoutsOf } from "../connections.ts";
import type { HandshakeRefusal } from "../handshakes.ts";
import { type DoorTls, mutualTls } from "../mutual-tls.ts";
import type { RevocationCheck } from "../revocation-check.ts";

export type ProxyRules = {
  /** Asked for enrolment tokens where the address names no server. */
  readonly defaultServer: string;
  readonly gateways: readonly GatewayRule[];
  /** The bearer of an address, where the network plan tells it. */
  bearerOf(address: string): Bearer | undefined;
  /** What each bearer carries in this network. */
  readonly profiles: BearerProfiles;
};

export type ProxyDoorOptions = {
  readonly edge: Edge;
  readonly journal: ProxyJournal;
  readonly land: LandLeg;
  /** Whether devices' certificates of their factories were taken back; those of our own are the accounts' affair. */
  /** By who issued it: a factory's certificate may be asked for at its responder, one of our own stands on lists alone. */
  readonly revocation?: Readonly<Record<"factory" | "own", RevocationCheck>> | undefined;
  /** Read at each request: it may be changed while the doors are open. */
  readonly rules: ProxyRules;
  /** 32 octets; seals air sessions, and nothing else. */
  readonly airKey: Uint8Array;
  /** Whose line an address is now, where the operator's accounting tells it. */
  networkIdentityOf(address: string): NetworkIdentity | null;
  now(): Date;
  /** Goes on whatever is done to the time of day: for lock-outs and kept screens. */
  monotonicMs(): number;
  pause(ms: number): Promise<void>;
  freshOctets(octets: number): Uint8Array;
  onTerminated(record: AuditRecord): void;
  /** A connection that came no further than its handshake, or whose certificate was not good. */
  onHandshakeRefused(refusal: HandshakeRefusal): void;
  onFault(error: Error): void;
};

export type Who = {
  readonly deviceId: string | null;
  readonly fingerprint: string | null;
  readonly address: string;
  /** For lock-out: the line behind an operator's gateway, which many share; else the address. Never written down. */
  readonly line: string | null;
  readonly server: string | null;
};

/** Refused, told to the record, and nothing of it to the peer. */
export class Terminated extends Error {
  override readonly name = "Terminated";
}

export type ProxyParts = ReturnType<typeof createProxyParts>;

export function createProxyParts(options: ProxyDoorOptions) {
  const lockout = createLockout();
  const tokens = createLockout();
  const { now, monotonicMs } = options;

  function terminate(session: LegsSession, leg: Leg, reason: TerminationReason, who: Who): Terminated {
    // Only what the device's side does wrong counts against it: not that it asks while it is locked, nor that its air
    // session has ended meanwhile.
    if (leg === "air" && reason !== "locked_out" && reason !== "session_unknown")
      lockout.fail(failing(who), monotonicMs());
    session.terminate(
      leg,
      reason,
      {
        fingerprint: who.fingerprint,
        address: who.address,
        device: who.deviceId === null ? null : maskIdentifier(who.deviceId, "imei"),
        // A name that is no server's is whatever somebody wrote into an address: it is not written down.
        server: who.server === null || options.land.servers.has(who.server) ? who.server : "unknown",
      },
      now(),
    );
    return new Terminated();
  }

  return {
    ...options,
    openSession: () => openLegsSession(options.onTerminated),
    terminate,
    isLocked: (who: Who): boolean =>
      lockout.isLocked(
        // Who is proved by a certificate answers for themselves alone, whoever else is behind their address.
        who.fingerprint === null ? failing(who) : { device: who.deviceId ?? undefined },
        monotonicMs(),
      ),
    /** Of a one-time token that was shown for what it is not good for; an unknown one is nobody's, and counts at its address alone. */
    failToken: (token: string): void =>
      tokens.fail({ device: digestOf(token), address: digestOf(token) }, monotonicMs()),
    isTokenLocked: (token: string): boolean => tokens.isLocked({ device: digestOf(token) }, monotonicMs()),
    /** What was decided is on disk before anybody is told. */
    async book(events: readonly ProxyEvent[]): Promise<void> {
      if (events.length > 0) await options.journal.append(events);
    },
  };
}

const digestOf = (token: string): string => createHash("sha256").update(token).digest("base64url");

const failing = ({ deviceId, line, address }: Who) => ({
  device: deviceId ?? undefined,
  address: line ?? hostOf(address),
});

export const DOOR_LIMITS = {
  /** A form with account data, or a request for a certificate. */
  bodyOctets: 65_536,
  handshakeTimeoutMs: 15_000,
  /** A form over GPRS takes its time. */
  connection: { ...CONNECTION_LIMITS, requestMs: 60_000 },
} as const;
const TIMEOUTS = timeoutsOf(DOOR_LIMITS.connection);

/** Of the gateways' door, which speaks plain HTTP. */
export const nodeTimeouts = TIMEOUTS.node;

export const fastifyOptions = {
  bodyLimit: DOOR_LIMITS.bodyOctets,
  ...TIMEOUTS.fastify,
  clientErrorHandler: refuseConnection,
  forceCloseConnections: true,
  exposeHeadRoutes: false,
  routerOptions: { maxParamLength: 300 },
} as const;

/** A device without a certificate may ask for one; a bad certificate is refused behind the handshake (`air.ts`). */
export const airTls = (tls: DoorTls, admitsOlder: boolean) => ({
  ...mutualTls(tls, {
    ...{ admitsStrangers: true, admitsOlder },
    handshakeTimeoutMs: DOOR_LIMITS.handshakeTimeoutMs,
  }),
  ...TIMEOUTS.node,
});

/** Bodies as octets, whatever their type. */
export function readBodiesAsOctets(app: FastifyInstance): void {
  app.removeAllContentTypeParsers();
  app.addContentTypeParser("*", { parseAs: "buffer" }, (_request, body, done) => done(null, body));
}

export const bodyOf = (request: FastifyRequest): Uint8Array =>
  request.body instanceof Uint8Array ? request.body : new Uint8Array();
