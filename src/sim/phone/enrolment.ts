/**
 * A phone has a key of its own certified (EST, RFC 7030 with RFC 8951): it draws the key, asks with what the factory or a
 * one-time token gave it, and keeps the certificate.
 */
import { generateKeyPairSync, X509Certificate } from "node:crypto";
import { fromBER } from "asn1js";
import { Certificate, ContentInfo, SignedData } from "pkijs";
import { parseImei } from "../../term/imei.ts";
import { imeiNameOf } from "../../wire/message/party-name.ts";
import { pemOf } from "../../wire/x509/certificate.ts";
import { composeCertificateRequest } from "../../wire/x509/certificate-request.ts";
import type { Air, Credential } from "./air.ts";

const SIMPLE_ENROLL = "/.well-known/est/simpleenroll";
const MAX_ANSWER_CHARACTERS = 32_768;

export type Enrolment =
  | { readonly kind: "enrolled"; readonly credential: Credential }
  | { readonly kind: "failed"; readonly cause: string };

export async function enrol(
  air: Air,
  {
    imei,
    token,
  }: { readonly imei: string; readonly token?: { readonly user: string; readonly password: string } },
): Promise<Enrolment> {
  const { privateKey } = generateKeyPairSync("ec", { namedCurve: "P-256" });
  const name = imeiNameOf(parseImei(imei));
  const request = composeCertificateRequest({
    commonName: "device",
    names: [{ kind: "uri", uri: name }],
    privateKey,
  });
  const answer = await air.send({
    method: "POST",
    path: SIMPLE_ENROLL,
    headers: {
      "content-type": "application/pkcs10",
      "content-transfer-encoding": "base64",
      ...(token && {
        authorization: `Basic ${Buffer.from(`${token.user}:${token.password}`).toString("base64")}`,
      }),
    },
    body: Buffer.from(request).toString("base64"),
  });
  if (answer.kind === "lost") return { kind: "failed", cause: answer.cause };
  if (answer.status !== 200) return { kind: "failed", cause: `the proxy answers ${answer.status}` };
  const certificate = certificateIn(Buffer.from(answer.body).toString("latin1"));
  if (!certificate) return { kind: "failed", cause: "the answer holds no certificate" };
  if (!new X509Certificate(certificate).checkPrivateKey(privateKey))
    return { kind: "failed", cause: "the certificate is for another key" };
  const key = privateKey.export({ type: "pkcs8", format: "pem" }) as string; // PEM is text
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
