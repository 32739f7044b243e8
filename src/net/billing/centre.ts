/** A billing centre over HTTP: told once for each id; `prepare` reserves what `commit` makes true and `abort` drops. */
import type { BillingCentre } from "../../kernel/calls/connectors.ts";
import { readBillingAnswer, readBillingNotice } from "../../wire/message/billing-api.ts";
import { shapeFaultOf } from "../../wire/message/shape.ts";
import { createExchange, failed, failureOfStatus, jsonOf } from "../exchange/exchange.ts";

export function billingCentre(options: {
  readonly url: string;
  readonly secret: string;
  readonly authority?: string;
  readonly timeoutMs: number;
}): BillingCentre & { close(): void } {
  const exchange = createExchange(options);
  return {
    async tell(notice) {
      const fault = shapeFaultOf(notice, readBillingNotice);
      if (fault !== undefined) return { kind: "refused", cause: "malformed", reason: fault };
      const answer = await exchange.send({
        method: "POST",
        path: "/v1/notices",
        headers: { authorization: `Bearer ${options.secret}`, "idempotency-key": notice.id },
        body: { type: "application/json", text: JSON.stringify(notice) },
      });
      if (answer.kind === "failed") return answer;
      if (answer.status !== 200) return failureOfStatus(answer);
      const json = jsonOf(answer);
      if ("kind" in json) return json;
      const shape = shapeFaultOf(json.value, readBillingAnswer);
      if (shape !== undefined) return failed("bad_answer", shape);
      const { state, reference, refusal } = readBillingAnswer(json.value, "");
      if (state === "pending") return failed("pending", "the billing centre has not booked it yet");
      if (state === "refused") {
        const cause = refusal ?? "refused";
        return { kind: "refused", cause, reason: `the billing centre refused: ${cause}` };
      }
      return { kind: "done", reference: reference ?? null };
    },
    close: exchange.close,
  };
}
