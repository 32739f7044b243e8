/** What people do with phones in stories of the device's road, and what other parties hold of it afterwards. */
import assert from "node:assert/strict";
import { randomUUID } from "node:crypto";
import type { Phone } from "../../src/sim/phone/phone.ts";
import type { Step } from "../../src/sim/phone/user.ts";
import type { Screen } from "../../src/wire/screen/screen.ts";
import { until } from "./house.ts";
import type { RoadHouse } from "./road-house.ts";

// biome-ignore lint/suspicious/noExplicitAny: answers are compared with literals, field by field
type Json = any;
export type Road = "Packages" | "Features" | "Services";

/** Who nobody in particular says to be, where the form asks for it. */
export const SAID = { u_givenName: "Quillaia", u_familyName: "Brandywine" };

/** By keys from the first screen to the request's own one; what a form asks for is typed. */
export const orderSteps = (
  road: Road,
  label: string,
  fill: Readonly<Record<string, string>> = {},
): readonly Step[] => [
  { await: "start" },
  { choose: road },
  { await: "list" },
  { choose: label },
  { await: "item" },
  { choose: "Order" },
  { await: "order" },
  { fillIfAsked: SAID },
  { fill },
  { submit: true },
];

/** After the first request a phone begins with its own menu, which leads to the server's first screen. */
export async function orderAgain(phone: Phone, ...what: Parameters<typeof orderSteps>): Promise<void> {
  await toMenu(phone);
  await phone.walk([{ choose: "Services" }, ...orderSteps(...what)]);
}

/** Leaves whatever is shown, as a person does: back and home. */
export async function toMenu(phone: Phone): Promise<void> {
  for (let tries = 0; tries < 10; tries++) {
    const { id } = await phone.walk([]);
    if (id === "home") return;
    phone.press("BACK");
  }
  assert.fail(`BACK does not lead to the menu; there is ${phone.screen()?.id}`);
}

/** Answers a notice on the display; what lies over it is read and put away first. */
export async function answerNotice(
  phone: Phone,
  notice: "terms" | "choice",
  action: "accept" | "decline" | "back",
): Promise<unknown> {
  const wanted = `notice-${notice}`;
  for (let others = 0; others < OTHER_NOTICES_MAX; others++) {
    const { id } = await phone.walk([{ await: /^notice-/ }]);
    if (id === wanted) break;
    await phone.walk([{ action: "back" }]);
  }
  return phone.walk([{ await: wanted }, { action }]);
}
const OTHER_NOTICES_MAX = 8;

/** From the notice, or from where the request is shown, to the server's own screen of the terms. */
export async function openTerms(phone: Phone): Promise<Screen> {
  await answerNotice(phone, "terms", "back");
  return termsOnStatus(phone);
}

/** What is shown of the request may be older than its terms: it is waited for until it leads there. */
export async function termsOnStatus(phone: Phone): Promise<Screen> {
  await phone.until(
    () => phone.screen()?.entries.some(({ label }) => label === "Terms") ?? false,
    "the request's screen leads to its terms",
  );
  return phone.walk([{ choose: "Terms" }, { await: "terms" }]);
}

/** What the client module says of the software on the phone. */
export const modulesOf = (phone: Phone): readonly string[] =>
  (phone.client()?.installer.modules().modules ?? []).map(({ name, state }) => `${name} ${state}`);

export const endedAs = async (house: RoadHouse, phone: Phone, state: string): Promise<Json> => {
  const story = await house.storyUntil(phone, ({ endedAt }) => endedAt !== null, `the order is ${state}`);
  assert.equal(
    story.state,
    state,
    JSON.stringify(
      story.events?.map((event: Json) => event.reason),
      null,
      1,
    ),
  );
  return story;
};

/** The same, and every other company was told and every notice is delivered. */
export async function settledAs(house: RoadHouse, phone: Phone, state: string): Promise<Json> {
  await endedAs(house, phone, state);
  return house.storyUntil(
    phone,
    ({ calls, messages }) =>
      calls.every(({ dueAt }: Json) => dueAt === null) &&
      messages.every(({ state: at }: Json) => !["queued", "submitting", "submitted"].includes(at)),
    "all calls are answered and all notices delivered",
  );
}

export const stateOf = (story: Json, catalogId: string): string =>
  story.items.find(({ subject }: Json) => subject.catalogId === catalogId)?.state ?? "not there";

export const statesOf = (story: Json): Readonly<Record<string, string>> =>
  Object.fromEntries(story.items.map(({ subject, state }: Json) => [subject.catalogId, state]));

export const kindsOf = (story: Json): string[] => story.events.map(({ kind }: Json) => kind);

/** Kinds of the notices that reached the phone, in order. */
export const noticesTo = (house: RoadHouse, phone: Phone): readonly string[] =>
  house.did(phone, "notice").map(({ notice }) => notice);

/** What the client module keeps of notices, as its user reads it. */
export const messagesOn = (phone: Phone): readonly string[] =>
  (phone.client()?.state().messages ?? []).map(({ text }) => text);

/** The message of the phone's that fits, as soon as it is there. */
export async function messageOn(phone: Phone, fits: RegExp): Promise<string> {
  const found = await until(
    () => messagesOn(phone).find((text) => fits.test(text)),
    (text) => text !== undefined,
    `a notice says ${fits}`,
  );
  return found!;
}

/** The number that terms or a choice named, and where to answer. */
export async function codeIn(phone: Phone, fits: RegExp): Promise<string> {
  const text = await messageOn(phone, fits);
  const [, code] = /YES (\d{4})/.exec(text) ?? [];
  assert.ok(code, `no number to reply with in: ${text}`);
  return code;
}

/** Whence the operator's messages come: a reply goes there. */
export const centreOf = (house: RoadHouse): string => {
  const [first] = house.accepted;
  assert.ok(first, "no message was sent yet");
  return first.from;
};

/** What the billing centre booked, in order: `kind catalogId action`. */
export const billedTo = (house: RoadHouse): readonly string[] =>
  house.road.sandboxes.parties.billing
    .ledger()
    .map(({ kind, catalogId, action }) => [kind, catalogId, action].filter((one) => one !== null).join(" "));

/** Requests as staff see them: consents, verification. */
export async function requestOf(house: RoadHouse, orderId: string): Promise<Json> {
  return house.get(`/v1/requests/${orderId}`);
}

/** Changes an item of the catalog as the operator's people do. */
export async function changeItem(
  at: Pick<RoadHouse, "get" | "call">,
  id: string,
  news: object,
): Promise<void> {
  const { item } = await at.get(`/v1/catalog/${id}`);
  const { id: _id, version, madeBy: _by, madeAt: _at, ...body } = item;
  const answer = await at.call("PUT", `/v1/catalog/${id}`, { ...body, ...news }, "admin", {
    "if-match": `"${version}"`,
    "idempotency-key": `${id}-${version}`,
  });
  assert.ok(answer.status < 300, answer.text);
}

/** A person of the operator enters a request for the SIM of this phone. */
export async function askedByStaff(
  house: RoadHouse,
  phone: Phone,
  selection: readonly string[],
  more: Readonly<Record<string, unknown>> = {},
): Promise<Json> {
  const body = { subscriber: { imsi: phone.imsi }, selection, ...more };
  const answer = await house.call("POST", "/v1/requests", body, "representative", {
    "idempotency-key": randomUUID(),
  });
  assert.equal(answer.status, 202, answer.text);
  return answer.body;
}
