/**
 * A network element by TMF640 Service Activation and Configuration v4. One service stands for one element's part of one
 * catalog item on one number; its `name` is a digest of the three, so that it is found again without sending the number
 * in a query. Characteristic `task` says which task wrote it last: a task that comes again changes nothing.
 *
 *   add      GET /service?name=  -> none: POST /service | there: PATCH /service/{id}      -> state active
 *   remove   GET /service?name=  -> none: done          | there: DELETE /service/{id}
 *   tell     POST /listener/serviceAttributeValueChangeEvent, which changes no service
 *
 * An element that answers 202 is asked by its monitor, or by the service itself, so often and so long as the limits
 * say; after that the task is pending and comes again.
 */
import { createHash } from "node:crypto";
import { setTimeout as pause } from "node:timers/promises";
import type { NetworkElementPort } from "../../kernel/calls/connectors.ts";
import { assured, membersOf } from "../../term/narrow.ts";
import {
  type Answered,
  createExchange,
  type Exchange,
  type ExchangeFailure,
  failed,
  failureOfStatus,
  jsonOf,
} from "../exchange/exchange.ts";

const BASE = "/tmf-api/ServiceActivationAndConfiguration/v4";
const JSON_TYPE = "application/json;charset=utf-8";
/** RFC 7396. */
const PATCH_TYPE = "application/merge-patch+json;charset=utf-8";
const NAME_OCTETS = 16;
const ID = /^[A-Za-z0-9._~:-]{1,128}$/;
const WORKING = ["feasibilityChecked", "designed", "reserved"];

type ElementOptions = {
  readonly url: string;
  readonly secret?: string;
  readonly authority?: string;
  readonly timeoutMs: number;
  /** Between two questions to a monitor. */
  readonly pollMs: number;
  /** Questions to a monitor, at most. */
  readonly polls: number;
};
type Task = Parameters<NetworkElementPort["apply"]>[0];
type News = Parameters<NetworkElementPort["tell"]>[0];
type Outcome = Awaited<ReturnType<NetworkElementPort["apply"]>>;
type Service = {
  readonly id: string;
  readonly state: string;
  readonly task: string | undefined;
};

/** The exchange with one element, until it is closed. */
type Element = {
  readonly options: ElementOptions;
  readonly exchange: Exchange;
  readonly closing: AbortController;
};

export function tmf640Element(options: ElementOptions): NetworkElementPort & { close(): void } {
  const element = { options, exchange: createExchange(options), closing: new AbortController() };

  return {
    apply: (task) => (task.action === "add" ? add(element, task) : remove(element, task)),
    tell: (news) => tell(element, news),
    close() {
      element.closing.abort();
      element.exchange.close();
    },
  };
}

const send = (element: Element, method: "GET" | "POST" | "PATCH" | "DELETE", path: string, body?: object) =>
  element.exchange.send({
    method,
    path: BASE + path,
    headers:
      element.options.secret === undefined ? {} : { authorization: `Bearer ${element.options.secret}` },
    ...(body === undefined
      ? {}
      : { body: { type: method === "PATCH" ? PATCH_TYPE : JSON_TYPE, text: JSON.stringify(body) } }),
  });

/** As a service's event to a listener (TMF640 v4, Notification Resource Models): what came about beside what it does itself. */
async function tell(element: Element, news: News): Promise<Outcome> {
  const { id, at, event, items, element: name, make, model, msisdn, imsi, imei } = news;
  const told = { event, items: items.join(" "), make: make ?? "", model: model ?? "", msisdn, imsi, imei };
  const answer = await send(element, "POST", "/listener/serviceAttributeValueChangeEvent", {
    eventId: id,
    eventTime: at.toISOString(),
    eventType: "ServiceAttributeValueChangeEvent",
    event: { service: { "@type": "Service", serviceType: name, serviceCharacteristic: listOf(told) } },
  });
  if (answer.kind === "failed") return answer;
  if ([200, 201, 202, 204].includes(answer.status)) return { kind: "done", reference: null };
  if ([404, 405, 501].includes(answer.status))
    return { kind: "refused", cause: "no_listener", reason: "the element listens to no such events" };
  return failureOfStatus(answer);
}

async function find(
  element: Element,
  name: string,
): Promise<{ readonly found: Service | undefined } | ExchangeFailure> {
  const answer = await send(element, "GET", `/service?name=${name}&limit=2`);
  if (answer.kind === "failed") return answer;
  if (answer.status !== 200 && answer.status !== 206) return failureOfStatus(answer);
  const json = jsonOf(answer);
  if ("kind" in json) return json;
  if (!Array.isArray(json.value)) return failed("bad_answer", "the services are no list");
  const mine = json.value.filter((one) => membersOf(one).name === name).map(serviceIn);
  // One that ignores the filter gives others' services as well: those are not looked at.
  const living = mine.filter((one) => one !== undefined && one.state !== "terminated");
  return living.length > 1
    ? failed("bad_answer", "more than one service bears one name")
    : { found: living[0] };
}

async function add(element: Element, task: Task): Promise<Outcome> {
  const name = nameOf(task);
  const known = await find(element, name);
  if ("kind" in known) return known;
  const { found } = known;
  if (found?.task === task.id && found.state === "active") return { kind: "done", reference: found.id };
  if (found?.task === task.id && WORKING.includes(found.state)) return wait(element, found.id, undefined);
  const body = bodyOf(task, name);
  const answer = found
    ? await send(element, "PATCH", `/service/${found.id}`, {
        state: body.state,
        serviceCharacteristic: body.serviceCharacteristic,
      })
    : await send(element, "POST", "/service", body);
  return settled(element, answer, found?.id);
}

async function remove(element: Element, task: Task): Promise<Outcome> {
  const known = await find(element, nameOf(task));
  if ("kind" in known) return known;
  if (!known.found) return { kind: "done", reference: null };
  const { id } = known.found;
  const answer = await send(element, "DELETE", `/service/${id}`);
  if (answer.kind === "answered" && [200, 204, 404].includes(answer.status))
    return { kind: "done", reference: id };
  return settled(element, answer, id);
}

async function settled(
  element: Element,
  answer: Answered | ExchangeFailure,
  id: string | undefined,
): Promise<Outcome> {
  if (answer.kind === "failed") return answer;
  const service = answer.status === 204 ? undefined : serviceOf(answer);
  const reference = service?.id ?? id;
  switch (answer.status) {
    case 200:
    case 201:
      if (!service) return failed("bad_answer", "the answer is no service");
      return service.state === "active"
        ? { kind: "done", reference: service.id }
        : wait(element, service.id, undefined);
    case 202:
      return wait(element, reference, monitorOf(answer));
    case 400:
    case 404:
    case 405:
    case 409:
    case 422:
      return refusedBy(answer);
    default:
      return failureOfStatus(answer);
  }
}

/** Asks the monitor, and without one the service, until it is done, failed, or the questions are used up. */
async function wait(
  element: Element,
  service: string | undefined,
  monitor: string | undefined,
): Promise<Outcome> {
  if (service === undefined && monitor === undefined)
    return failed("bad_answer", "accepted without a monitor and without a service");
  for (let asked = 0; asked < element.options.polls; asked++) {
    if (!(await rested(element))) return failed("closed", "the connection to it is closed");
    const outcome =
      monitor === undefined
        ? await askService(element, assured(service, "without a monitor there is a service"))
        : await askMonitor(element, monitor, service);
    if (outcome) return outcome;
  }
  return failed("pending", `not done after ${element.options.polls} questions`);
}

async function askMonitor(
  element: Element,
  monitor: string,
  service: string | undefined,
): Promise<Outcome | undefined> {
  const answer = await send(element, "GET", `/monitor/${monitor}`);
  if (answer.kind === "failed") return answer;
  if (answer.status !== 200) return failureOfStatus(answer);
  const json = jsonOf(answer);
  if ("kind" in json) return json;
  const { state, response } = membersOf(json.value);
  if (state === "Completed") return { kind: "done", reference: service ?? null };
  if (state === "InProgress") return undefined;
  if (state !== "InError") return failed("bad_answer", "the monitor is in none of its three states");
  const status = Number(membersOf(response).statusCode);
  return status >= 500
    ? failed("busy", `the element failed: ${status}`)
    : { kind: "refused", cause: "element_refused", reason: "the element could not do it" };
}

async function askService(element: Element, id: string): Promise<Outcome | undefined> {
  const answer = await send(element, "GET", `/service/${id}`);
  if (answer.kind === "failed") return answer;
  if (answer.status !== 200) return failureOfStatus(answer);
  const service = serviceOf(answer);
  if (!service) return failed("bad_answer", "the answer is no service");
  if (service.state === "active") return { kind: "done", reference: service.id };
  if (WORKING.includes(service.state)) return undefined;
  return { kind: "refused", cause: "element_refused", reason: "the element left the service inactive" };
}

const rested = (element: Element): Promise<boolean> =>
  pause(element.options.pollMs, true, { signal: element.closing.signal }).catch(() => false);

function nameOf({ element, catalogId, msisdn }: Task): string {
  const digest = createHash("sha256").update(`turnup\n${element}\n${catalogId}\n${msisdn}`).digest();
  return digest.subarray(0, NAME_OCTETS).toString("hex");
}

function bodyOf(task: Task, name: string) {
  const { id, element, catalogId, msisdn, imsi, imei, values } = task;
  const characteristics = { ...values, task: id, catalogId, msisdn, imsi, imei };
  return {
    "@type": "Service",
    name,
    serviceType: element,
    category: "device provisioning",
    state: "active",
    serviceSpecification: { id: element, name: element },
    serviceCharacteristic: listOf(characteristics),
  };
}

const listOf = (values: Readonly<Record<string, string>>) =>
  Object.entries(values).map(([name, value]) => ({ name, valueType: "string", value }));

/** The header says it; a `Location` that ends in one does as well. Whatever it names, our own base is asked. */
function monitorOf({ headers }: Answered): string | undefined {
  const [, fromLocation] = /\/monitor\/([^/?#]+)$/.exec(String(headers.location ?? "")) ?? [];
  const id = typeof headers.monitorid === "string" ? headers.monitorid : fromLocation;
  return id !== undefined && ID.test(id) ? id : undefined;
}

function serviceOf(answer: Answered): Service | undefined {
  const json = jsonOf(answer);
  return "kind" in json ? undefined : serviceIn(json.value);
}

function serviceIn(value: unknown): Service | undefined {
  const { id, state, serviceCharacteristic } = membersOf(value);
  if (typeof id !== "string" || !ID.test(id) || typeof state !== "string") return undefined;
  const characteristics = Array.isArray(serviceCharacteristic) ? serviceCharacteristic : [];
  const task = characteristics.map(membersOf).find(({ name }) => name === "task")?.value;
  return { id, state, task: typeof task === "string" ? task : undefined };
}

/** TMF630: `code` and `reason` are there; the code alone is repeated. */
function refusedBy({ status, text }: Answered): Outcome {
  const [, code] = /"code"\s*:\s*"?([A-Za-z0-9_]{1,40})/.exec(text.slice(0, 4_000)) ?? [];
  const said = code === undefined ? "" : `, code ${code}`;
  return { kind: "refused", cause: "element_refused", reason: `the element refused: HTTP ${status}${said}` };
}
