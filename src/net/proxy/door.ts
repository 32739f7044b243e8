/** A proxy's door for its operator: TLS with the authority that its operator named, and a bearer secret. */
import type { ProxyDoor } from "../../kernel/account/tell-proxies.ts";
import { ACCOUNT_CHANGES_PATH, readListVersion } from "../../wire/message/account-api.ts";
import { ShapeError } from "../../wire/message/shape.ts";
import {
  createExchange,
  type ExchangeOptions,
  failed,
  failureOfStatus,
  jsonOf,
} from "../exchange/exchange.ts";

/** @throws RangeError for a URL to another machine without TLS */
export function proxyDoor(
  options: ExchangeOptions & { readonly secret: string },
): ProxyDoor & { close(): void } {
  const exchange = createExchange(options);
  return {
    async change(changes) {
      const answer = await exchange.send({
        method: "POST",
        path: ACCOUNT_CHANGES_PATH,
        headers: { authorization: `Bearer ${options.secret}` },
        body: { type: "application/json", text: JSON.stringify(changes) },
      });
      if (answer.kind === "failed") return answer;
      if (answer.status !== 200) return failureOfStatus(answer);
      const json = jsonOf(answer);
      if ("kind" in json) return json;
      try {
        return { kind: "told", ...readListVersion(json.value, "") };
      } catch (error) {
        if (error instanceof ShapeError)
          return failed("bad_answer", "the answer has another shape than agreed");
        throw error;
      }
    },
    close: exchange.close,
  };
}
