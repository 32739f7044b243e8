/** One question to a responder by HTTP (RFC 6960 Appendix A). Its answer is signed, so plain HTTP will do, as it is usual. */

import type { X509Certificate } from "node:crypto";
import { request as httpRequest } from "node:http";
import { request as httpsRequest } from "node:https";
import { wholeAnswer } from "../exchange/whole-answer.ts";

const ANSWER_OCTETS_MAX = 65_536;

export async function askResponder(
  url: URL,
  request: Uint8Array,
  timeoutMs: number,
): Promise<Uint8Array | { readonly reason: string }> {
  const answer = await wholeAnswer(
    url.protocol === "https:" ? httpsRequest : httpRequest,
    {
      method: "POST",
      host: url.hostname.replace(/^\[|\]$/g, ""),
      port: url.port || (url.protocol === "https:" ? 443 : 80),
      path: `${url.pathname}${url.search}`,
      headers: { accept: "application/ocsp-response" },
      agent: false,
    },
    { type: "application/ocsp-request", octets: request },
    { timeoutMs, answerOctets: ANSWER_OCTETS_MAX },
  );
  if (answer.kind === "answered")
    return answer.status === 200 ? answer.octets : { reason: `the responder answers HTTP ${answer.status}` };
  return { reason: answer.why === "error" ? (answer.error.code ?? "the responder is away") : answer.reason };
}

/** Where a certificate says that it can be asked for (RFC 5280 clause 4.2.2.1). */
export function responderOf(certificate: X509Certificate): URL | undefined {
  const told = /^OCSP - URI:(https?:\/\/[!-~]+)$/m.exec(certificate.infoAccess ?? "")?.[1];
  return told !== undefined && URL.canParse(told) ? new URL(told) : undefined;
}
