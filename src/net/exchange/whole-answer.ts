/**
 * One HTTP request to another company's machine and its whole answer, within a time and a size: what every client here
 * stands on. Each names the outcome in its own words.
 */
import type { request as httpRequest, IncomingHttpHeaders, RequestOptions } from "node:http";

export type WholeAnswer = {
  readonly kind: "answered";
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly octets: Uint8Array;
  readonly text: string;
};
export type NoAnswer =
  | { readonly kind: "none"; readonly why: "timeout" | "too_long" | "cut_short"; readonly reason: string }
  | { readonly kind: "none"; readonly why: "error"; readonly error: NodeJS.ErrnoException };
type Body = { readonly type: string } & ({ readonly text: string } | { readonly octets: Uint8Array });

export function wholeAnswer(
  request: typeof httpRequest,
  options: RequestOptions,
  body: Body | undefined,
  limits: { readonly timeoutMs: number; readonly answerOctets: number },
): Promise<WholeAnswer | NoAnswer> {
  const { timeoutMs, answerOctets } = limits;
  return new Promise((resolve) => {
    const outgoing = request(options, (incoming) => {
      const chunks: Buffer[] = [];
      let octets = 0;
      incoming.on("data", (chunk: Buffer) => {
        octets += chunk.length;
        if (octets > answerOctets)
          return end(none("too_long", `the answer is longer than ${answerOctets / 1_048_576} MiB`));
        chunks.push(chunk);
      });
      incoming.on("end", () => {
        const whole = Buffer.concat(chunks);
        const { statusCode: status = 0, headers } = incoming;
        end({ kind: "answered", status, headers, octets: whole, text: whole.toString("utf8") });
      });
      incoming.on("error", (error) => end({ kind: "none", why: "error", error }));
      incoming.on("aborted", () => end(none("cut_short", "the answer was cut short")));
    });
    // One clock for everything: an answer that drips does not keep us longer than one that never comes.
    const timer = setTimeout(() => end(none("timeout", `no answer within ${timeoutMs} ms`)), timeoutMs);
    let ended = false;
    function end(outcome: WholeAnswer | NoAnswer): void {
      if (ended) return;
      ended = true;
      clearTimeout(timer);
      if (outcome.kind === "none") outgoing.destroy();
      resolve(outcome);
    }
    outgoing.on("error", (error) => end({ kind: "none", why: "error", error }));
    const content = body && ("text" in body ? body.text : body.octets);
    if (body !== undefined && content !== undefined) {
      outgoing.setHeader("content-type", body.type);
      outgoing.setHeader("content-length", Buffer.byteLength(content));
    }
    outgoing.end(content);
  });
}

const none = (why: "timeout" | "too_long" | "cut_short", reason: string): NoAnswer => ({
  kind: "none",
  why,
  reason,
});

/** What a status that no caller expects says: who asked wrong, who is not allowed, who should ask later. */
export function causeOfStatus(status: number): "unauthorised" | "busy" | "bad_request" | "bad_answer" {
  if (status === 401 || status === 403) return "unauthorised";
  if (status === 408 || status === 425 || status === 429 || status >= 500) return "busy";
  return status >= 400 ? "bad_request" : "bad_answer";
}
