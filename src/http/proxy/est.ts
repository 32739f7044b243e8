/**
 * Enrolment over secure transport (RFC 7030, corrected by RFC 8951): a device gets a certificate of its own for a key that
 * it made itself. It comes with its factory certificate, or with a one-time token that the provisioning server knows.
 *
 *   GET  cacerts         no authentication: who signs what is issued here, and who this very door is trusted by
 *   POST simpleenroll    factory certificate, or Basic with the token as password
 *   POST simplereenroll  the device's own certificate, same subject and names
 *   GET  csrattrs        204: nothing is wanted beyond a P-256 key
 *   POST serverkeygen    501: the device makes its key itself
 *
 * Answers go out with their length and in one line of base64: clients in the field refuse others.
 */
import { type KeyObject, X509Certificate } from "node:crypto";
import type { FastifyInstance, FastifyReply, FastifyRequest } from "fastify";
import type { EnrolmentDecision } from "../../proxy/enrolment.ts";
import type { LegsSession } from "../../proxy/session.ts";
import { assured, membersOf } from "../../term/narrow.ts";
import { DecodeError } from "../../wire/decode-error.ts";
import {
  deviceNameOf,
  imeiHostOf,
  imeiInNames,
  imeiNameOf,
  imeisAskedIn,
} from "../../wire/message/party-name.ts";
import { composeCertificate } from "../../wire/x509/certificate.ts";
import { bodyOf, type ProxyParts, Terminated, type Who } from "./parts.ts";
import type { Peer } from "./peer.ts";
import { type CertificateAsked, certsOnly, readCertificateRequest, subjectOfCertificate } from "./pkcs.ts";

const CERTS_ONLY = "application/pkcs7-mime; smime-type=certs-only";
const PKCS10 = "application/pkcs10";
const DAY_MS = 86_400_000;
const HOUR_MS = 3_600_000;
const SERIAL_OCTETS = 16;
const TOKEN_CHARACTERS_MAX = 200;

export type EnrolmentAuthority = {
  /** PEM. */
  readonly certificate: string;
  readonly privateKey: KeyObject;
  readonly publicKey: KeyObject;
  readonly commonName: string;
  /** Of a device's certificate: short, since it is renewed by itself. */
  readonly validityDays: number;
};

type Enrolment = {
  readonly parts: ProxyParts;
  readonly authority: EnrolmentAuthority;
  readonly peerOf: (request: FastifyRequest) => Peer | undefined;
};

/** DER of each certificate in a text of PEM. */
const certificatesIn = (pem: string): Uint8Array[] =>
  (pem.match(/-----BEGIN CERTIFICATE-----[^-]+-----END CERTIFICATE-----/g) ?? []).map((one) =>
    Uint8Array.from(new X509Certificate(one).raw),
  );

/** Who asks, and for what. */
type Asking = { readonly session: LegsSession; readonly who: Who; readonly asked: CertificateAsked };

export function mountEnrolment(
  app: FastifyInstance,
  parts: ProxyParts,
  { authority, doorAuthority }: { readonly authority: EnrolmentAuthority; readonly doorAuthority: string },
  peerOf: (request: FastifyRequest) => Peer | undefined,
): void {
  const est: Enrolment = { parts, authority, peerOf };
  // From its first enrolment on, a client believes these and no others (RFC 7030 clause 4.1.3).
  const believed = [...certificatesIn(authority.certificate), ...certificatesIn(doorAuthority)];

  for (const base of ["/.well-known/est", "/.well-known/est/:label"]) {
    app.get(`${base}/cacerts`, async (_request, reply) => sendCertificates(reply, believed));
    app.get(`${base}/csrattrs`, async (_request, reply) => reply.status(204).send());
    app.post(`${base}/serverkeygen`, async (_request, reply) => reply.status(501).send());
    app.post(`${base}/simpleenroll`, async (request, reply) => enrol(est, request, reply));
    app.post(`${base}/simplereenroll`, async (request, reply) => reenrol(est, request, reply));
  }

  app.setErrorHandler((error: Error & { statusCode?: number }, _request, reply) => {
    if (error instanceof Terminated) return reply.status(403).type("text/plain").send("refused");
    const status = error.statusCode ?? 500;
    if (status < 500) return reply.status(status).send();
    parts.onFault(error);
    return reply.status(503).header("retry-after", "30").send();
  });
}

async function enrol(est: Enrolment, request: FastifyRequest, reply: FastifyReply): Promise<FastifyReply> {
  const session = est.parts.openSession();
  const peer = est.peerOf(request);
  const token = tokenOf(request.headers.authorization);
  const who = whoOf(request, peer);
  // A certificate says who comes, and nothing of a token that comes with it: guesses count at the address too.
  const asker = token === undefined ? who : { ...who, fingerprint: null };
  if (est.parts.isLocked(asker)) throw est.parts.terminate(session, "air", "locked_out", who);
  if (!peer && token === undefined)
    return reply.status(401).header("www-authenticate", 'Basic realm="enrolment"').send();
  const asked = askedOf(request, reply);
  if (!asked) return reply;
  const asking = { session, who, asked };
  const decision =
    token === undefined
      ? est.parts.edge.decideEnrolment(
          {
            kind: "certificate",
            certificate: assured(peer, "without a token there is a certificate").certificate,
            network: est.parts.networkIdentityOf(request.ip),
          },
          est.parts.now(),
        )
      : await decideByToken(est, request, token, asking);
  return answer(est, reply, asking, decision);
}

/**
 * The token is the provisioning server's, which is asked over the land leg: first whose it is, and only where a certificate will
 * be issued is it spent. Who holds a good one gets no more tries with it than a device has: they might guess at its handset.
 */
async function decideByToken(
  est: Enrolment,
  request: FastifyRequest,
  token: string,
  { session, who, asked }: Asking,
): Promise<EnrolmentDecision> {
  const { edge } = est.parts;
  const claimed = imeisAskedIn(asked.names);
  if (claimed.length > 1) throw est.parts.terminate(session, "air", "device_mismatch", who);
  const [deviceId] = claimed;
  if (deviceId !== undefined && edge.accountOf(deviceId)?.isBlocked)
    throw est.parts.terminate(session, "air", "device_blocked", { ...who, deviceId });
  const { label } = membersOf(request.params);
  const server = typeof label === "string" ? label : est.parts.rules.defaultServer;
  const asker = { session, who: { ...who, server } };
  if (est.parts.isTokenLocked(token)) throw est.parts.terminate(session, "air", "locked_out", asker.who);
  const proofBy = async (about: { readonly isKept: boolean }) => {
    const { isSpent, imsi, msisdn, imei } = await ownerOf(est, token, asker, about);
    return { isSpent, proof: { imsi, msisdn, imei, claimedNames: claimed.map(imeiNameOf) } };
  };
  const looked = await proofBy({ isKept: true });
  const refusal = edge.tokenRefusal(looked.proof);
  if (refusal) {
    est.parts.failToken(token);
    return refusal;
  }
  const { proof } = looked.isSpent ? looked : await proofBy({ isKept: false });
  return edge.decideEnrolment({ kind: "token", ...proof }, est.parts.now());
}

/** @throws Terminated: the token is nobody's, or its server does not say */
async function ownerOf(
  est: Enrolment,
  token: string,
  { session, who }: { readonly session: LegsSession; readonly who: Who & { readonly server: string } },
  about: { readonly isKept: boolean },
) {
  const found = await est.parts.land.enrolmentOf(who.server, token, about);
  if (found.kind === "known") return found;
  if (found.kind === "unknown") throw est.parts.terminate(session, "air", "token_refused", who);
  const isTrust = found.cause === "server_not_proved" || found.cause === "server_unknown";
  throw est.parts.terminate(session, "land", isTrust ? found.cause : "server_unreachable", who);
}

async function reenrol(est: Enrolment, request: FastifyRequest, reply: FastifyReply): Promise<FastifyReply> {
  const session = est.parts.openSession();
  const peer = est.peerOf(request);
  const who = whoOf(request, peer);
  if (est.parts.isLocked(who)) throw est.parts.terminate(session, "air", "locked_out", who);
  if (!peer) return reply.status(401).header("www-authenticate", 'Basic realm="enrolment"').send();
  const asked = askedOf(request, reply);
  if (!asked) return reply;
  // RFC 7030 §4.2.2: the same subject and names as in the certificate that asks.
  if (!isSameSubject(asked, peer)) throw est.parts.terminate(session, "air", "request_refused", who);
  const network = est.parts.networkIdentityOf(request.ip);
  const decision = est.parts.edge.decideReenrolment(peer.certificate, network, est.parts.now());
  return answer(est, reply, { session, who, asked }, decision);
}

async function answer(
  est: Enrolment,
  reply: FastifyReply,
  { session, who, asked }: Asking,
  decision: EnrolmentDecision,
): Promise<FastifyReply> {
  if (decision.kind === "refused") {
    await est.parts.book(decision.events);
    throw est.parts.terminate(session, "air", decision.reason, {
      ...who,
      deviceId: decision.deviceId ?? who.deviceId,
    });
  }
  const { account } = decision;
  const now = est.parts.now();
  const notAfter = new Date(now.getTime() + est.authority.validityDays * DAY_MS);
  // Subject and names are ours to give, whatever was asked for.
  const certificate = composeCertificate({
    serial: Buffer.concat([Uint8Array.of(1), est.parts.freshOctets(SERIAL_OCTETS - 1)]),
    commonName: account.uuid,
    purpose: "client",
    names: [
      { kind: "uri", uri: imeiNameOf(account.deviceId) },
      { kind: "uri", uri: deviceNameOf(account.uuid) },
    ],
    notBefore: new Date(now.getTime() - HOUR_MS),
    notAfter,
    publicKey: asked.publicKey,
    issuer: est.authority,
  });
  const key = {
    fingerprint: new X509Certificate(certificate).fingerprint256,
    publicKey: asked.publicKeyHash,
    notAfterMs: notAfter.getTime(),
  };
  await est.parts.book([...decision.events, ...est.parts.edge.issued(account, key, now)]);
  return sendCertificates(reply, [certificate]);
}

const whoOf = (request: FastifyRequest, peer: Peer | undefined): Who => ({
  deviceId: peer ? (imeiInNames(peer.certificate.names) ?? null) : null,
  fingerprint: peer?.certificate.fingerprint ?? null,
  address: request.ip,
  line: null,
  server: null,
});

/** Undefined where the answer was given already. */
function askedOf(request: FastifyRequest, reply: FastifyReply): CertificateAsked | undefined {
  if (request.headers["content-type"]?.split(";")[0]?.trim().toLowerCase() !== PKCS10) {
    void reply.status(415).send();
    return undefined;
  }
  try {
    return readCertificateRequest(Buffer.from(bodyOf(request)).toString("latin1"));
  } catch (error) {
    if (!(error instanceof DecodeError)) throw error;
    void reply.status(400).type("text/plain").send(error.message);
    return undefined;
  }
}

function isSameSubject({ subject, names }: CertificateAsked, { certificate, raw }: Peer): boolean {
  const wanted = subjectOfCertificate(raw);
  const isSubject = subject.length === wanted.length && subject.every((one, at) => one === wanted[at]);
  const own = imeiInNames(certificate.names);
  const isOwn = (name: string) =>
    certificate.names.some((one) => name === `uri:${one}`) ||
    (own !== undefined && name === `dns:${imeiHostOf(own)}`);
  // A client that cannot write a URI names itself as it can, or not at all.
  return isSubject && names.every(isOwn);
}

/** The password of Basic (RFC 7617) is the token; who asks is the token's to say. */
function tokenOf(authorization: string | undefined): string | undefined {
  const [, base64] = /^basic +([A-Za-z0-9+/]+={0,2}) *$/i.exec((authorization ?? "").slice(0, 600)) ?? [];
  if (base64 === undefined) return undefined;
  const text = Buffer.from(base64, "base64").toString("utf8");
  const token = text.slice(text.indexOf(":") + 1);
  return /^[\x21-\x7e]+$/.test(token) && token.length <= TOKEN_CHARACTERS_MAX ? token : undefined;
}

const sendCertificates = (reply: FastifyReply, certificates: readonly Uint8Array[]): FastifyReply =>
  reply
    .status(200)
    .header("content-transfer-encoding", "base64")
    .header("cache-control", "no-store")
    .type(CERTS_ONLY)
    .send(certsOnly(certificates));
