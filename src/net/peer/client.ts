/**
 * Another provisioning server of ours, asked as its partner: `POST /v1/partner/requests` under an idempotency key until it says
 * that it has the request, then looks at how it goes. It is not entered again after that: no server knows a key for ever, and one
 * that has forgotten it would take the request for a new one. A session of its own, by TLS with the authority (and, where it wants one, our certificate) that the file of
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
const readEntered = only(["reference"], object({ reference }));
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

  async function enter({ id, subscriber, noticeKey, reference: _, ...said }: PeerRequest) {
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

  async function look(name: string): Promise<PeerAnswer> {
    const looked = await exchange.send({
      method: "GET",
      path: `${PATH}/${name}`,
      headers: { authorization },
    });
    if (looked.kind === "failed") return looked;
    if (looked.status !== 200) return failureOfStatus(looked);
    const status = read(looked, readStatus);
    return "kind" in status ? status : { kind: "forwarded", ...status.value };
  }

  return {
    async forward(request): Promise<PeerAnswer> {
      if (request.reference !== null) return look(request.reference);
      const entered = await enter(request);
      if (entered.kind === "failed") return entered;
      if (entered.status !== 202) return noOf(entered);
      const named = read(entered, readEntered);
      if ("kind" in named) return named;
      const { reference } = named.value;
      const answer = await look(reference);
      // It said that it has it, whatever becomes of the first look.
      return answer.kind === "forwarded" ? answer : { ...JUST_ENTERED, reference };
    },
    close: exchange.close,
  };
}

const JUST_ENTERED = { kind: "forwarded", state: "received", reason: "it was entered", items: [] } as const;

/** No word about the request: the token is of another role, or an earlier try of ours is being worked on there still. */
const NO_WORD_OF_IT: readonly string[] = ["role_not_allowed", "request_in_progress"];

/** A no to the request itself is one for good; a no to us may be put right, and is asked again until the deadline. */
function noOf(answer: Answered): PeerAnswer {
  if (![400, 403, 404, 409, 422].includes(answer.status)) return failureOfStatus(answer);
  const problem = read(answer, readProblem);
  if ("kind" in problem || NO_WORD_OF_IT.includes(problem.value.code)) return failureOfStatus(answer);
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
