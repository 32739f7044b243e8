/**
 * A device has a key of its own certified (EST, RFC 7030 with RFC 8951): it draws the key, asks with what the factory or a
 * one-time token gave it, and keeps the certificate.
 */
import { generateKeyPairSync, X509Certificate } from "node:crypto";
import { fromBER } from "asn1js";
import { Certificate, ContentInfo, SignedData } from "pkijs";
import { parseImei } from "../term/imei.ts";
import { imeiNameOf } from "../wire/message/party-name.ts";
import { pemOf } from "../wire/x509/certificate.ts";
import { composeCertificateRequest } from "../wire/x509/certificate-request.ts";
import type { SubjectName } from "../wire/x509/der.ts";
import { uriNames } from "../wire/x509/uri-names.ts";
import type { Credential, Link } from "./link.ts";

const SIMPLE_ENROLL = "/.well-known/est/simpleenroll";
const SIMPLE_REENROLL = "/.well-known/est/simplereenroll";
const MAX_ANSWER_CHARACTERS = 32_768;

export type Enrolment =
  | { readonly kind: "enrolled"; readonly credential: Credential }
  | { readonly kind: "failed"; readonly cause: string };

/** The first time: by the certificate of the factory, which `link` shows, or by a one-time token. */
export function enrol(
  link: Pick<Link, "send">,
  {
    imei,
    token,
  }: { readonly imei: string; readonly token?: { readonly user: string; readonly password: string } },
): Promise<Enrolment> {
  const name = imeiNameOf(parseImei(imei));
  const basic = token && Buffer.from(`${token.user}:${token.password}`).toString("base64");
  return ask(link, {
    path: SIMPLE_ENROLL,
    commonName: "device",
    names: [{ kind: "uri", uri: name }],
    headers: basic === undefined ? {} : { authorization: `Basic ${basic}` },
  });
}

/** A successor of its own certificate, which `link` shows: the same subject and names (RFC 7030 clause 4.2.2). */
export function renew(link: Pick<Link, "send">, { certificate }: Credential): Promise<Enrolment> {
  const { subject, subjectAltName } = new X509Certificate(certificate);
  const uris = uriNames(subjectAltName);
  return ask(link, {
    path: SIMPLE_REENROLL,
    commonName: subject.replace(/^CN=/, ""),
    names: uris.map((uri) => ({ kind: "uri", uri })),
    headers: {},
  });
}

/** Whether a third of its time is left, or less. */
export function isDueForRenewal({ certificate }: Credential, now: Date): boolean {
  const { validFrom, validTo } = new X509Certificate(certificate);
  const [from, to] = [Date.parse(validFrom), Date.parse(validTo)];
  return now.getTime() > to - (to - from) / 3;
}

async function ask(
  link: Pick<Link, "send">,
  asked: {
    readonly path: string;
    readonly commonName: string;
    readonly names: readonly SubjectName[];
    readonly headers: Readonly<Record<string, string>>;
  },
): Promise<Enrolment> {
  const { privateKey } = generateKeyPairSync("ec", { namedCurve: "P-256" });
  const request = composeCertificateRequest({ ...asked, privateKey });
  const answer = await link.send({
    method: "POST",
    path: asked.path,
    headers: {
      "content-type": "application/pkcs10",
      "content-transfer-encoding": "base64",
      ...asked.headers,
    },
    body: Buffer.from(request).toString("base64"),
  });
  if (answer.kind === "lost") return { kind: "failed", cause: answer.cause };
  if (answer.status !== 200) return { kind: "failed", cause: `the proxy answers ${answer.status}` };
  const certificate = certificateIn(Buffer.from(answer.body).toString("latin1"));
  if (!certificate) return { kind: "failed", cause: "the answer holds no certificate" };
  if (!new X509Certificate(certificate).checkPrivateKey(privateKey))
    return { kind: "failed", cause: "the certificate is for another key" };
  const key = privateKey.export({ type: "pkcs8", format: "pem" }).toString();
  return { kind: "enrolled", credential: { certificate, key } };
}

/** The first certificate of a degenerate PKCS#7, in PEM; undefined where there is none. */
function certificateIn(base64: string): string | undefined {
  if (base64.length > MAX_ANSWER_CHARACTERS) return undefined;
  const bytes = Uint8Array.from(Buffer.from(base64.replace(/\s/g, ""), "base64"));
  const { result, offset } = fromBER(bytes.buffer);
  if (offset < 0) return undefined;
  try {
    const signed = new SignedData({ schema: new ContentInfo({ schema: result }).content });
    const first = signed.certificates?.find((one) => one instanceof Certificate);
    return first && pemOf(new Uint8Array(first.toSchema().toBER()));
  } catch {
    return undefined; // another shape than a PKCS#7: there is no certificate in it
  }
}
