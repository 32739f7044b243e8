/**
 * The proxy's door on the air side: TLS 1.3, and 1.2 where the operator wants it, with the devices' own certificates. A device without one may do nothing
 * but ask for one; a certificate that is not good ends the connection behind the handshake, with a record and without a
 * word of why.
 */
import type { TLSSocket } from "node:tls";
import type { FastifyInstance, FastifyRequest } from "fastify";
import type { Admission } from "../../proxy/admission.ts";
import { issueLegToken, openLegToken } from "../../wire/message/leg-token.ts";
import { AIR_HEADERS } from "../../wire/message/legs.ts";
import { imeiInNames } from "../../wire/message/party-name.ts";
import { fastifyOverTls, tlsSocketOf } from "../certified-door.ts";
import { guardDoor } from "../connections.ts";
import { handshakeRefusalOf } from "../handshakes.ts";
import { oneHeader } from "../header-lines.ts";
import { changeTls } from "../mutual-tls.ts";
import { revocationHook } from "../revocation-check.ts";
import { type Doorman, mountBridge } from "./bridge.ts";
import { type EnrolmentAuthority, mountEnrolment } from "./est.ts";
import { airTls, DOOR_LIMITS, fastifyOptions, type ProxyParts, readBodiesAsOctets } from "./parts.ts";
import { createPeerReader, type Peer } from "./peer.ts";

const AIR_SESSION_MS = 30 * 60_000;
const TOKEN_NONCE_OCTETS = 16;

type AirCertificates = {
  readonly tls: { readonly key: string; readonly certificate: string };
  /** PEM of each factory's authority that is believed. */
  readonly factoryAuthorities: readonly string[];
  readonly enrolment: EnrolmentAuthority;
  /** PEM: what devices trust this door by. */
  readonly doorAuthority: string;
  /** Devices that have no TLS 1.3 come by 1.2. */
  readonly admitsOlder: boolean;
};
type AirDoorOptions = AirCertificates & { readonly parts: ProxyParts };

export async function createAirDoor(options: AirDoorOptions): Promise<FastifyInstance> {
  const { parts, enrolment, doorAuthority } = options;
  const app = fastifyOverTls({
    https: airTlsOf(options),
    ...fastifyOptions,
  });
  guardDoor(app, DOOR_LIMITS.connection);
  refuseBadCertificates(app, parts);
  readBodiesAsOctets(app);
  const read = createPeerReader(enrolment.certificate);
  const peerOf = (request: FastifyRequest) => read(tlsSocketOf(request));
  refuseRevoked(app, parts, peerOf);
  await app.register(async (scope) =>
    mountEnrolment(scope, parts, { authority: enrolment, doorAuthority }, peerOf),
  );
  await app.register(async (scope) => mountBridge(scope, parts, doormanOf(parts, peerOf)));
  return app;
}

const airTlsOf = ({ tls, factoryAuthorities, enrolment, admitsOlder }: AirCertificates) =>
  airTls({ ...tls, authorities: [...factoryAuthorities, enrolment.certificate] }, admitsOlder);

/** Of devices that connect from now on. @throws Error where they do not fit */
export const changeAirCertificates = (door: FastifyInstance, next: AirCertificates): void =>
  changeTls(door.server, airTlsOf(next));

/** TLS lets a device without a certificate in; one with a bad certificate is sent away before it says a word. */
function refuseBadCertificates(app: FastifyInstance, parts: ProxyParts): void {
  const refused = new WeakSet<object>();
  app.server.on("tlsClientError", (error: NodeJS.ErrnoException, socket: TLSSocket) =>
    parts.onHandshakeRefused(handshakeRefusalOf(socket, error)),
  );
  app.server.on("secureConnection", (socket: TLSSocket) => {
    const shown = socket.getPeerX509Certificate();
    if (!shown || socket.authorized) return;
    refused.add(socket);
    parts.onHandshakeRefused(handshakeRefusalOf(socket));
    const who = {
      deviceId: null,
      fingerprint: shown.fingerprint256,
      address: socket.remoteAddress ?? "unknown",
      line: null,
      server: null,
    };
    // Anybody can make certificates by the thousand: whose address is locked out is counted, and writes no more records.
    if (!parts.isLocked({ ...who, fingerprint: null }))
      parts.terminate(parts.openSession(), "air", "certificate_refused", who);
    socket.destroy();
  });
  // What it sent behind the handshake may be read already: it is no request.
  app.addHook("onRequest", async (request, reply) => {
    if (refused.has(request.raw.socket)) reply.hijack();
  });
}

/** By lists and responders of factories, and by lists of our own: a key that was issued here is blocked or retired in its account besides. */
function refuseRevoked(
  app: FastifyInstance,
  parts: ProxyParts,
  peerOf: (request: FastifyRequest) => Peer | undefined,
): void {
  const { revocation } = parts;
  if (!revocation) return;
  const onRefused: Parameters<typeof revocationHook>[2] = (refusal, socket) => {
    parts.onHandshakeRefused(refusal);
    parts.terminate(parts.openSession(), "air", "certificate_refused", {
      deviceId: null,
      fingerprint: socket.getPeerX509Certificate()?.fingerprint256 ?? null,
      address: refusal.peer,
      line: null,
      server: null,
    });
  };
  const look = {
    factory: revocationHook(revocation.factory, tlsSocketOf, onRefused),
    own: revocationHook(revocation.own, tlsSocketOf, onRefused),
  };
  app.addHook("onRequest", async (request, reply) => {
    const peer = peerOf(request);
    if (peer) await look[peer.certificate.authority](request, reply);
  });
}

function doormanOf(
  parts: ProxyParts,
  peerOf: (request: FastifyRequest) => ReturnType<ReturnType<typeof createPeerReader>>,
): Doorman {
  return {
    isForGateways: false,
    whoIs(request) {
      const certificate = peerOf(request)?.certificate;
      return {
        deviceId: certificate ? (imeiInNames(certificate.names) ?? null) : null,
        fingerprint: certificate?.fingerprint ?? null,
        address: request.ip,
        line: null,
      };
    },
    admit(request, headers): Admission {
      const certificate = peerOf(request)?.certificate;
      if (!certificate) return { kind: "refused", reason: "no_certificate", deviceId: null, events: [] };
      const stated = oneHeader(headers, AIR_HEADERS.deviceId) ?? null;
      return parts.edge.admit(
        certificate,
        { network: parts.networkIdentityOf(request.ip), stated },
        parts.now(),
      );
    },
    bearerOf: () => undefined,
    airSession(request, headers, deviceId) {
      const peer = peerOf(request)?.certificate.fingerprint ?? "";
      const shown = headers.get(AIR_HEADERS.session);
      if (shown === undefined) {
        const endsAt = new Date(parts.now().getTime() + AIR_SESSION_MS);
        const nonce = parts.freshOctets(TOKEN_NONCE_OCTETS);
        return {
          kind: "open",
          token: issueLegToken({ leg: "air", subject: deviceId, peer, endsAt }, nonce, parts.airKey),
        };
      }
      const session = openLegToken(shown.join(), { leg: "air", peer, now: parts.now() }, parts.airKey);
      return session?.subject === deviceId ? { kind: "open", token: undefined } : { kind: "unknown" };
    },
  };
}
