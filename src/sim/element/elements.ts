/**
 * The network's elements behind one TMF640 v4 door: voice mail, forwarding, e-mail, the HLR's profile and the billing
 * plan. A service specification is an element; what each holds for a number can be looked at. Slow elements answer 202
 * and a monitor, as the definition of TMF640 says.
 */
import { randomUUID } from "node:crypto";
import { isOneOf, membersOf } from "../../term/narrow.ts";
import { startWeb, type WebAnswer, type WebFault, type WebRequest, type WebServer } from "../web/web.ts";

const BASE = "/tmf-api/ServiceActivationAndConfiguration/v4";
export const SIMULATED_ELEMENTS = [
  "billing-plan",
  "voice-mail",
  "forwarding",
  "e-mail",
  "hlr-profile",
] as const;
const STATES = ["feasibilityChecked", "designed", "reserved", "inactive", "active", "terminated"];
const MAX_SERVICES = 1_000_000;
const MAX_PAGE = 100;
const HEADER = [{ name: "content-type", value: "application/json;charset=utf-8" }];
const ERROR_BODY = '{"code":"1","reason":"the element failed"}';

type Characteristic = { readonly name: string; readonly valueType?: string; readonly value: unknown };
type ElementService = {
  readonly id: string;
  readonly href: string;
  readonly name?: string;
  readonly state: string;
  readonly serviceDate: string;
  readonly serviceType?: string;
  readonly category?: string;
  readonly serviceSpecification: { readonly id: string; readonly name?: string };
  readonly serviceCharacteristic?: readonly Characteristic[];
  readonly "@type"?: string;
};
type Told = {
  readonly header: readonly { readonly name: string; readonly value: string }[];
  readonly body: string;
};
type Monitor = {
  readonly id: string;
  readonly href: string;
  readonly sourceHref: string;
  state: "InProgress" | "InError" | "Completed";
  readonly request: Told & { readonly method: string; readonly to: string };
  response?: Told & { readonly statusCode: string };
  /** Questions until it is done. */
  left: number;
  readonly finish: () => void;
};
/** How an element behaves: at once, after so many questions to its monitor, never, or not at all. */
type ElementHabit =
  | { readonly kind: "prompt" }
  | { readonly kind: "slow"; readonly questions: number }
  | { readonly kind: "stuck" }
  | { readonly kind: "fails"; readonly status: number }
  | { readonly kind: "refuses" };

export type ElementSimulator = WebServer & {
  /** What an element holds: values by number. */
  held(element: string): ReadonlyMap<string, Readonly<Record<string, string>>>;
  services(): readonly ElementService[];
  /** What the elements were told of devices that they serve: once an event. */
  heard(): readonly HeardEvent[];
  /** From now on. */
  behave(element: string, habit: ElementHabit): void;
};

/** What stands behind the door. */
type Elements = {
  readonly services: Map<string, ElementService>;
  readonly monitors: Map<string, Monitor>;
  readonly habits: Map<string, ElementHabit>;
  readonly heard: Map<string, HeardEvent>;
  /** Where the door is, once it is open. */
  url: string;
  now(): Date;
};

export async function startElements(options: {
  readonly secret?: string;
  readonly port?: number;
  readonly habits?: Readonly<Record<string, ElementHabit>>;
  fault?(number: number, request: WebRequest): WebFault | undefined;
  readonly lateMs?: number;
  now?(): Date;
}): Promise<ElementSimulator> {
  const elements: Elements = {
    services: new Map(),
    monitors: new Map(),
    habits: new Map(Object.entries(options.habits ?? {})),
    heard: new Map(),
    url: "",
    now: options.now ?? (() => new Date()),
  };
  const web = await startWeb({ ...options, answer: (request) => answer(elements, request) });
  elements.url = web.url;
  return {
    ...web,
    held: (element) => held(elements, element),
    services: () => [...elements.services.values()],
    heard: () => [...elements.heard.values()],
    behave: (element, habit) => void elements.habits.set(element, habit),
  };
}

/** An event of TMF640's as a listener takes it: whose element, and its characteristics. */
type HeardEvent = { readonly element: string; readonly values: Readonly<Record<string, string>> };

function hear(elements: Elements, { method, text }: WebRequest): WebAnswer {
  if (method !== "POST") return problem(405, "61", "POST an event");
  const { eventId, event } = membersOf(JSON.parse(text));
  const { serviceType, serviceCharacteristic = [] } = membersOf(membersOf(event).service);
  if (typeof eventId !== "string" || typeof serviceType !== "string" || !Array.isArray(serviceCharacteristic))
    return problem(400, "22", "the body is no event");
  const pairs = serviceCharacteristic.map(membersOf).map(({ name, value }) => [String(name), String(value)]);
  const values: Readonly<Record<string, string>> = Object.fromEntries(pairs);
  elements.heard.set(eventId, { element: serviceType, values });
  return { status: 204 };
}

function answer(elements: Elements, request: WebRequest): WebAnswer {
  if (request.path === `${BASE}/listener/serviceAttributeValueChangeEvent`) return hear(elements, request);
  const [, kind, id] = /^(service|monitor)(?:\/([^/]+))?$/.exec(request.path.slice(BASE.length + 1)) ?? [];
  if (!request.path.startsWith(`${BASE}/`) || kind === undefined) return problem(404, "60", "no such route");
  if (kind === "monitor")
    return id === undefined ? problem(405, "61", "one monitor is wanted") : monitorOf(elements, id);
  switch (request.method) {
    case "GET":
      return id === undefined ? list(elements, request.query) : one(elements, id);
    case "POST":
      return id === undefined ? create(elements, request) : problem(405, "61", "POST to the collection");
    case "PATCH":
      return id === undefined ? problem(405, "61", "PATCH one service") : patch(elements, id, request);
    case "DELETE":
      return id === undefined ? problem(405, "61", "DELETE one service") : remove(elements, id, request);
    default:
      return problem(405, "61", "method not allowed");
  }
}

function create(elements: Elements, request: WebRequest): WebAnswer {
  const said = read(request.text);
  if (!said) return problem(400, "22", "the body is no service");
  const { serviceSpecification, state } = said;
  if (typeof serviceSpecification?.id !== "string")
    return problem(400, "23", "serviceSpecification.id is missing");
  if (typeof state !== "string" || !STATES.includes(state))
    return problem(400, "24", "state is none of its words");
  if (!isOneOf(SIMULATED_ELEMENTS, serviceSpecification.id))
    return problem(400, "24", "there is no such element");
  if (elements.services.size >= MAX_SERVICES) return problem(500, "1", "the element is full");
  const id = randomUUID();
  const service: ElementService = {
    ...said,
    id,
    href: `${elements.url}${BASE}/service/${id}`,
    serviceSpecification,
    serviceDate: said.serviceDate ?? elements.now().toISOString(),
    state,
  };
  return take(elements, request, service, 201);
}

function patch(elements: Elements, id: string, request: WebRequest): WebAnswer {
  const known = elements.services.get(id);
  if (!known) return problem(404, "60", "there is no such service");
  const said = read(request.text);
  if (!said || (said.state !== undefined && !STATES.includes(said.state)))
    return problem(400, "24", "state is none of its words");
  if (known.state === "terminated") return problem(409, "24", "a terminated service stays so");
  return take(elements, request, { ...known, ...said, id, href: known.href }, 200);
}

function remove(elements: Elements, id: string, request: WebRequest): WebAnswer {
  const known = elements.services.get(id);
  if (!known) return problem(404, "60", "there is no such service");
  return take(elements, request, known, 204);
}

/** Does it in the element's own way; `status` is what it says when it does it at once. */
function take(
  elements: Elements,
  request: WebRequest,
  service: ElementService,
  status: 200 | 201 | 204,
): WebAnswer {
  const habit = elements.habits.get(service.serviceSpecification.id) ?? { kind: "prompt" };
  if (habit.kind === "refuses") return problem(400, "24", "the element does not take these values");
  const finish = (): void => {
    if (status === 204) elements.services.delete(service.id);
    else elements.services.set(service.id, service);
  };
  if (habit.kind === "prompt") {
    finish();
    return status === 204 ? { status } : { status, headers: { location: service.href }, body: service };
  }
  const waiting: ElementService = status === 204 ? service : { ...service, state: "reserved" };
  elements.services.set(service.id, waiting);
  const monitor = monitorFor(elements, request, waiting, habit, finish);
  return { status: 202, headers: { monitorid: monitor.id, location: monitor.href }, body: waiting };
}

function monitorFor(
  elements: Elements,
  request: WebRequest,
  service: ElementService,
  habit: ElementHabit,
  finish: () => void,
): Monitor {
  const id = randomUUID();
  const monitor: Monitor = {
    id,
    href: `${elements.url}${BASE}/monitor/${id}`,
    sourceHref: service.href,
    state: "InProgress",
    request: { method: request.method, to: service.href, header: HEADER, body: request.text },
    left: habit.kind === "slow" ? habit.questions : habit.kind === "fails" ? 0 : Number.POSITIVE_INFINITY,
    finish:
      habit.kind === "fails"
        ? () => {
            monitor.state = "InError";
            monitor.response = { statusCode: String(habit.status), header: HEADER, body: ERROR_BODY };
            elements.services.set(service.id, { ...service, state: "inactive" });
          }
        : () => {
            monitor.state = "Completed";
            monitor.response = { statusCode: "200", header: HEADER, body: "" };
            finish();
          },
  };
  elements.monitors.set(id, monitor);
  return monitor;
}

function monitorOf(elements: Elements, id: string): WebAnswer {
  const monitor = elements.monitors.get(id);
  if (!monitor) return problem(404, "60", "there is no such monitor");
  if (monitor.state === "InProgress" && monitor.left-- <= 0) monitor.finish();
  const { left: _left, finish: _finish, ...shown } = monitor;
  return { status: 200, body: shown };
}

function one(elements: Elements, id: string): WebAnswer {
  const service = elements.services.get(id);
  return service ? { status: 200, body: service } : problem(404, "60", "there is no such service");
}

/** Equality filters on members of the first level and on the specification's id; `limit` and `offset`. */
function list(elements: Elements, query: URLSearchParams): WebAnswer {
  const { limit, offset, fields: _fields, ...filters } = Object.fromEntries(query);
  const matching = [...elements.services.values()].filter((service) =>
    Object.entries(filters).every(([path, wanted]) => {
      const value = path.split(".").reduce<unknown>((at, key) => membersOf(at)[key], service);
      return wanted.split(",").includes(String(value));
    }),
  );
  const start = Number(offset) || 0;
  const page = matching.slice(start, start + Math.min(Number(limit) || MAX_PAGE, MAX_PAGE));
  const counts = { "x-total-count": String(matching.length), "x-result-count": String(page.length) };
  return { status: 200, headers: counts, body: page };
}

function held(elements: Elements, element: string): ReadonlyMap<string, Readonly<Record<string, string>>> {
  const all = [...elements.services.values()].filter(
    (one) => one.serviceSpecification.id === element && one.state === "active",
  );
  return new Map(
    all.map((service) => {
      const values = Object.fromEntries(
        (service.serviceCharacteristic ?? []).map(({ name, value }) => [name, String(value)]),
      );
      return [values.msisdn ?? service.id, values];
    }),
  );
}

function read(text: string): Partial<ElementService> | undefined {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === "object" && value !== null && !Array.isArray(value) ? value : undefined;
  } catch {
    return undefined;
  }
}

const problem = (status: number, code: string, reason: string): WebAnswer => ({
  status,
  body: { code, reason, status: String(status), "@type": "Error" },
});
