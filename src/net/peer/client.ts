/**
 * Another provisioning server of ours, asked as its partner: `POST /v1/partner/requests` under an idempotency key, then a look
 * at how it goes. A session of its own, by TLS with the authority (and, where it wants one, our certificate) that the file of
 * peers names, and a token of role `partner` that its operator gave us.
 */

import type { PeerAnswer, PeerRequest, PeerServer } from "../../kernel/calls/connectors.ts";
import { ITEM_STATES, ORDER_STATES } from "../../kernel/order/order.ts";
import { list, object, oneOf, type Read, ShapeError, text } from "../../wire/message/shape.ts";
import {
  type Answered,
  createExchange,
  type ExchangeFailure,
  type ExchangeOptions,
  failed,
  failureOfStatus,
  jsonOf,
} from "../exchange/exchange.ts";

const ITEMS_MAX = 200;
const PATH = "/v1/partner/requests";
const word = text({ max: 2_000 });
const reference = text({ max: 16, pattern: /^[0-9A-Za-z]{8}$/ });
/** What we look at of an answer: its other members may be more by the next release. */
const only =
  <Value>(names: readonly string[], shape: Read<Value>): Read<Value> =>
  (value, path) =>
    shape(
      typeof value === "object" && value !== null
        ? Object.fromEntries(Object.entries(value).filter(([name]) => names.includes(name)))
        : value,
      path,
    );
const readEntered = only(["id", "reference"], object({ id: text({ max: 64 }), reference }));
const readItem = only(
  ["catalogId", "package", "state", "reason"],
  object({
    catalogId: text({ max: 63 }),
    /** Of the package that it came with there. */
    package: (value: unknown, path: string) => (value === null ? null : text({ max: 63 })(value, path)),
    state: oneOf(ITEM_STATES),
    reason: word,
  }),
);
const readStatus = only(
  ["reference", "state", "reason", "items"],
  object({ reference, state: oneOf(ORDER_STATES), reason: word, items: list(readItem, { max: ITEMS_MAX }) }),
);
/** Of RFC 9457. */
const readProblem = only(["code"], object({ code: text({ max: 60, pattern: /^[a-z_]+$/ }) }));

export function peerServer(
  options: ExchangeOptions & { readonly token: string },
): PeerServer & { close(): void } {
  const exchange = createExchange(options);
  const authorization = `Bearer ${options.token}`;

  async function enter({ id, subscriber, noticeKey, ...said }: PeerRequest) {
    const { msisdn, ...pair } = subscriber;
    const body = {
      ...said,
      subscriber: {
        ...pair,
        ...(msisdn === null ? {} : { msisdn: msisdn.startsWith("+") ? msisdn : `+${msisdn}` }),
      },
      ...(noticeKey === null ? {} : { noticeKey: Buffer.from(noticeKey).toString("base64") }),
    };
    return exchange.send({
      method: "POST",
      path: PATH,
      headers: { authorization, "idempotency-key": id },
      body: { type: "application/json", text: JSON.stringify(body) },
    });
  }

  return {
    async forward(request): Promise<PeerAnswer> {
      const entered = await enter(request);
      if (entered.kind === "failed") return entered;
      if (entered.status !== 202) return noOf(entered);
      const named = read(entered, readEntered);
      if ("kind" in named) return named;
      const looked = await exchange.send({
        method: "GET",
        path: `${PATH}/${named.value.id}`,
        headers: { authorization },
      });
      if (looked.kind === "failed") return looked;
      if (looked.status !== 200) return failureOfStatus(looked);
      const status = read(looked, readStatus);
      return "kind" in status ? status : { kind: "forwarded", ...status.value };
    },
    close: exchange.close,
  };
}

/** A no to the request itself is one for good; a no to us may be put right, and is asked again until the deadline. */
function noOf(answer: Answered): PeerAnswer {
  if (![400, 403, 404, 409, 422].includes(answer.status)) return failureOfStatus(answer);
  const problem = read(answer, readProblem);
  // Its token of ours may be of another role: nothing is known of the request then.
  if ("kind" in problem || problem.value.code === "role_not_allowed") return failureOfStatus(answer);
  return {
    kind: "refused",
    cause: problem.value.code,
    reason: `HTTP ${answer.status} ${problem.value.code}`,
  };
}

function read<Value>(answer: Answered, shape: Read<Value>): { readonly value: Value } | ExchangeFailure {
  const json = jsonOf(answer);
  if ("kind" in json) return json;
  try {
    return { value: shape(json.value, "") };
  } catch (error) {
    if (error instanceof ShapeError) return failed("bad_answer", "the answer has another shape than agreed");
    throw error;
  }
}
