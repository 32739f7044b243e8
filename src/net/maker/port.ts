/** A manufacturer's key server as the kernel asks for it, over the client. */
import type { CallAnswer } from "../../kernel/calls/answer.ts";
import type { MakerPort } from "../../kernel/conductor/make-calls.ts";
import { type KeyRequest, MAX_MAKE_CHARACTERS, MAX_MODEL_CHARACTERS } from "../../wire/message/maker-api.ts";
import type { KeyOutcome, MakerClient, NoticeOutcome } from "./client.ts";

export const makerPortOf = (client: MakerClient): MakerPort => ({
  requestKeys: async (requests) => (await client.requestKeys(requests.map(withShortNames))).map(keyAnswer),
  reportDownloads: async (downloads) => noticeAnswer(await client.reportDownloads(downloads)),
  reportPayments: async (payments) => noticeAnswer(await client.reportPayments(payments)),
});

/** Names are for people: the maker goes by the TAC, so a name too long for the message is cut, not refused. */
function withShortNames(request: KeyRequest): KeyRequest {
  if (!request.model) return request;
  const { make, model, tac } = request.model;
  const cut = (name: string, most: number) => name.replace(/\p{Cc}/gu, " ").slice(0, most) || "unknown";
  return {
    ...request,
    model: { make: cut(make, MAX_MAKE_CHARACTERS), model: cut(model, MAX_MODEL_CHARACTERS), tac },
  };
}

function keyAnswer(outcome: KeyOutcome): CallAnswer {
  switch (outcome.kind) {
    case "issued":
      return { kind: "key", bytes: outcome.keyBytes };
    case "refused":
      // The one refusal that time may change.
      return {
        kind: outcome.code === "try_later" ? "failed" : "refused",
        cause: outcome.code,
        reason: outcome.reason,
      };
    case "failed":
      return { kind: "failed", cause: outcome.cause, reason: outcome.detail };
  }
}

/** Notices about keys that the maker does not know are taken all the same: its own list of differences will show them. */
const noticeAnswer = (outcome: NoticeOutcome): CallAnswer =>
  outcome.kind === "noted"
    ? { kind: "done", reference: null }
    : { kind: "failed", cause: outcome.cause, reason: outcome.detail };
