/**
 * A user at a service server (US 6,647,260, figure 7C): registered there in their name, completed with just the fields that it
 * asks for, and their access data brought to the device by SMS. The access data is nobody else's: it stands sealed beside the
 * registration until the device has it, and in no event, reason or call.
 */
import { TurnupError } from "../../term/error.ts";
import { USER_FIELDS, type UserField } from "../account/user-data.ts";
import type { CallAnswer } from "../calls/answer.ts";
import { ask, NOT_CONFIGURED, NOTICE_DEADLINE_HOURS, within } from "../calls/ask.ts";
import { failItem, isClosed, waitNoMore } from "../order/ending.ts";
import { isRequestItemDone, waitsForElements } from "../order/item-done.ts";
import type { OutboundCall } from "../order/outbound-call.ts";
import { inLanguage, type RegistrationDraft } from "../order/request-draft.ts";
import { hoursAfter, NO_ACTION } from "../order/scribe.ts";
import { itemOf, type RequestItem, type RequestTurn, touchRequest, updateItem } from "../order/turn.ts";
import { linkOf, nameOf, tell } from "./notices.ts";

const FIELD_NAME = /^[A-Za-z][A-Za-z0-9_.-]{0,39}$/;
const FIELDS_MAX = 16;
const FIELD_CHARACTERS_MAX = 400;

export const registrationOf = ({ order }: RequestTurn, item: RequestItem): RegistrationDraft | undefined =>
  order.request.registrations.find(({ itemId }) => itemId === item.id);

/** Removed is what older requests registered: one a device where the subscriber asked for it on several. */
const registeredBefore = ({ order }: RequestTurn, item: RequestItem): RegistrationDraft[] =>
  order.request.registrations.filter(
    ({ catalogId, state }) => catalogId === item.subject.catalogId && state === "registered",
  );

export const isRegistered = (context: RequestTurn, item: RequestItem): boolean =>
  registeredBefore(context, item).length > 0;

export function registerService(context: RequestTurn, item: RequestItem): void {
  const { scribe, order } = context;
  const { catalogId, service } = item.subject;
  order.request.registrations.push({
    id: scribe.newId(),
    itemId: item.id,
    catalogId,
    service: service!.uri,
    remoteId: null,
    state: "asked",
    missing: [],
    data: { user: order.request.user, fields: order.request.fields[catalogId] ?? {} },
    access: null,
    isNew: true,
    changed: true,
  });
  touchRequest(context);
  callService(context, item, "the service server is asked to register the user");
}

function callService(context: RequestTurn, item: RequestItem, reason: string): void {
  const { scribe, order, terms } = context;
  const registration = registrationOf(context, item)!;
  const round = item.subject.round + 1;
  const deadlineAt = within(context, terms.policy.request.serviceDeadlineHours);
  updateItem(context, item, { round, missing: [] });
  Object.assign(registration, { state: "asked", missing: [], changed: true });
  scribe.moveItem(order, item, {
    state: "registering",
    reason,
    nextAction: "wait for the service server",
    // The call's own deadline comes first: then the item says what was met.
    deadlineAt: hoursAfter(deadlineAt, 1),
    detail: { service: registration.service, round },
  });
  ask(context, {
    kind: "service_registration",
    itemId: item.id,
    idempotencyKey: `${item.id}:${round}`,
    body: {
      action: "register",
      service: registration.service,
      registrationId: registration.id,
      remoteId: registration.remoteId ?? "",
      language: order.request.language,
    },
    secret: registration.data,
    deadlineAt,
  });
}

/**
 * What can be taken back comes first and what cannot comes last: the network's elements end it, then the service server
 * does, and only its own word makes it removed.
 */
export function removeService(context: RequestTurn, item: RequestItem): void {
  const { scribe, order, terms } = context;
  const waits = waitsForElements(item);
  const deadlineAt = within(context, terms.policy.request.serviceDeadlineHours);
  scribe.moveItem(order, item, {
    state: "registering",
    reason: waits
      ? "the network's elements end it first; then the service server is asked to end the registration"
      : "the service server is asked to end the registration",
    nextAction: waits ? "wait for the network's elements" : "wait for the service server",
    // The call's own deadline comes first: then the item says what was met.
    deadlineAt: hoursAfter(deadlineAt, 1),
    detail: { service: item.subject.service?.uri },
  });
  if (!waits) endRegistrations(context, item);
}

/** The last of the network's elements has ended it. */
export function elementsEnded(context: RequestTurn, item: RequestItem): void {
  const { scribe, order, terms } = context;
  if (!isRegistered(context, item)) return registrationUnknown(context, item);
  const deadlineAt = within(context, terms.policy.request.serviceDeadlineHours);
  scribe.moveItem(order, item, {
    state: "registering",
    reason: "the service server is asked to end the registration",
    nextAction: "wait for the service server",
    deadlineAt: hoursAfter(deadlineAt, 1),
  });
  endRegistrations(context, item);
}

function endRegistrations(context: RequestTurn, item: RequestItem): void {
  const deadlineAt = within(context, context.terms.policy.request.serviceDeadlineHours);
  for (const registration of registeredBefore(context, item))
    askRemoval(context, item, registration, deadlineAt);
}

/** What nobody was asked to end is not said to have ended. */
export function registrationUnknown({ scribe, order }: RequestTurn, item: RequestItem): void {
  failItem(scribe, order, item, {
    cause: "registration_unknown",
    reason:
      "no registration of this user at the service server is known here, so none was ended: a person has to see to it there",
  });
}

/** Where no id of the server's own is known, it finds the registration by ours. */
function askRemoval(
  context: RequestTurn,
  item: RequestItem,
  { id, service, remoteId }: Pick<RegistrationDraft, "id" | "service" | "remoteId">,
  deadlineAt: Date,
  dueAt: Date = context.scribe.now,
): void {
  ask(context, {
    dueAt,
    kind: "service_registration",
    itemId: item.id,
    idempotencyKey: `${item.id}:remove:${id}`,
    body: { action: "remove", service, registrationId: id, remoteId: remoteId ?? "" },
    deadlineAt,
  });
}

/** Taken back when its item came to nothing: half registered, refused afterwards, or registered whole. */
const TAKEN_BACK: readonly RegistrationDraft["state"][] = ["needs_information", "refused", "registered"];

/** What the service server holds of somebody for whom it came to nothing in the end. */
export function takeBackRegistration(context: RequestTurn, item: RequestItem): void {
  const registration = registrationOf(context, item);
  if (!registration?.remoteId || !TAKEN_BACK.includes(registration.state)) return;
  endRegistrationOf(context, item, context.scribe.now);
}

export function endRegistrationOf(context: RequestTurn, item: RequestItem, dueAt: Date): void {
  const registration = registrationOf(context, item);
  if (!registration) return;
  if (registration.access) wipeMessage(context, item);
  Object.assign(registration, { state: "removing", access: null, changed: true });
  touchRequest(context);
  context.scribe.note(context.order, {
    kind: "registration_taken_back",
    itemId: item.id,
    reason: "the service server is asked to end what it may have registered",
  });
  askRemoval(context, item, registration, within(context, NOTICE_DEADLINE_HOURS), dueAt);
}

export function serviceAnswered(context: RequestTurn, call: OutboundCall, answer: CallAnswer): void {
  const item = itemOf(context, call.itemId);
  if (!item) return;
  if (call.body.action === "remove") return removalAnswered(context, item, call, answer);
  const registration = registrationOf(context, item);
  if (!registration) return;
  // It is ended already by a call of its own, which comes after this answer and finds the registration by our id.
  if (registration.state === "removing" || registration.state === "removed") return;
  switch (answer.kind) {
    case "registered":
      return registered(context, item, registration, answer);
    case "needs_information":
      return needsInformation(context, item, registration, answer);
    case "refused":
    case "failed":
      Object.assign(registration, { state: "refused", changed: true });
      touchRequest(context);
      if (!isClosed(item)) {
        failItem(context.scribe, context.order, item, {
          cause: `service_${answer.cause}`,
          reason:
            answer.kind === "refused"
              ? `the service server refuses the registration: ${answer.cause}`
              : `the service server gave no answer in time: ${answer.cause}`,
        });
      }
      // Its answers may have been lost alone: what it may hold is ended, found by our id where its own is not known.
      if (answer.kind === "failed" && answer.cause !== NOT_CONFIGURED)
        endRegistrationOf(context, item, context.scribe.now);
      return;
    default:
      return;
  }
}

function registered(
  context: RequestTurn,
  item: RequestItem,
  registration: RegistrationDraft,
  { remoteId, accessData }: Extract<CallAnswer, { kind: "registered" }>,
): void {
  const { scribe, order, terms } = context;
  touchRequest(context);
  if (isClosed(item)) {
    // Nobody waits for it any more: what was registered too late is taken back.
    Object.assign(registration, { remoteId, changed: true });
    return endRegistrationOf(context, item, scribe.now);
  }
  const hasAccess = Object.keys(accessData).length > 0;
  Object.assign(registration, {
    state: "registered",
    remoteId,
    access: hasAccess ? accessData : null,
    changed: true,
  });
  scribe.moveItem(order, item, {
    state: "registered",
    reason: "the service server registered the user",
    nextAction: hasAccess ? "bring the access data to the device" : "nothing more is to be sent",
    deadlineAt: hoursAfter(scribe.now, terms.policy.proofDeadlineHours),
    evidence: "service_server",
  });
  if (!hasAccess) return accessDelivered(context, item, "the service gave no access data");
  try {
    item.message = tell(context, {
      kind: "access_data",
      text: "accessData",
      values: { item: nameOf(context, item), access: listed(accessData) },
      fields: accessData,
      item,
      rule: "access_data",
    });
  } catch (error) {
    if (!(error instanceof RangeError)) throw error;
    registration.access = null; // nothing will bring it there
    Object.assign(item, {
      cause: "access_data_too_large",
      reason: "registered, but its access data fits into no notice",
    });
    scribe.note(order, { kind: "access_data_too_large", itemId: item.id, reason: item.reason });
  }
}

const listed = (values: Readonly<Record<string, string>>): string =>
  Object.entries(values)
    .map(([name, value]) => `${name}: ${value}`)
    .join(", ");

/** Receipts for all parts, or the client's own word: from here on it is the device's alone. */
export function accessDelivered(context: RequestTurn, item: RequestItem, reason: string): void {
  if (item.state !== "registered") return;
  const { scribe, order, terms } = context;
  const registration = registrationOf(context, item);
  if (registration?.access) {
    Object.assign(registration, { access: null, changed: true });
    touchRequest(context);
  }
  wipeMessage(context, item);
  const waits = waitsForElements(item);
  scribe.moveItem(order, item, {
    state: "access_data_sent",
    reason,
    nextAction: waits ? "wait for the network's elements" : NO_ACTION,
    deadlineAt: hoursAfter(scribe.now, terms.policy.request.serviceDeadlineHours),
  });
  if (isRequestItemDone(item, terms.policy.doneAt)) waitNoMore(item);
}

/** Nobody tries any more, so it is kept nowhere; a late receipt still counts, and the user may ask for the service anew. */
export function accessLost(context: RequestTurn, item: RequestItem, why: string): void {
  const registration = registrationOf(context, item);
  if (item.state !== "registered" || !registration?.access) return;
  Object.assign(registration, { access: null, changed: true });
  wipeMessage(context, item);
  Object.assign(item, {
    cause: "access_data_lost",
    reason: `registered, but its access data did not reach the device: ${why}`,
    changed: true,
  });
  touchRequest(context);
}

function wipeMessage({ scribe, order }: RequestTurn, { message }: RequestItem): void {
  if (message) scribe.changes.wipedPayloads.push({ orderId: order.id, payloadId: message.payloadId });
}

function needsInformation(
  context: RequestTurn,
  item: RequestItem,
  registration: RegistrationDraft,
  { remoteId, fields }: Extract<CallAnswer, { kind: "needs_information" }>,
): void {
  const { scribe, order, terms } = context;
  const missing = fields.filter(({ name }) => FIELD_NAME.test(name)).slice(0, FIELDS_MAX);
  Object.assign(registration, {
    state: "needs_information",
    remoteId: remoteId ?? registration.remoteId,
    missing: missing.map(({ name }) => name),
    changed: true,
  });
  touchRequest(context);
  if (isClosed(item)) return;
  if (missing.length === 0) {
    return failItem(scribe, order, item, {
      cause: "service_bad_answer",
      reason: "the service server asks for information without saying which",
    });
  }
  updateItem(context, item, { missing });
  const names = missing.map(({ name }) => labelOf(context, item, name));
  scribe.moveItem(order, item, {
    state: "needs_information",
    reason: `the service server asks for: ${missing.map(({ name, problem }) => `${name} (${problem})`).join(", ")}`,
    nextAction: "the subscriber gives just these fields",
    deadlineAt: hoursAfter(scribe.now, terms.policy.request.choiceDeadlineHours),
    evidence: "service_server",
  });
  tell(context, {
    kind: "needs_information",
    text: "needsInformation",
    values: { item: nameOf(context, item), fields: names.join(", "), link: linkOf(context) },
    fields: Object.fromEntries(missing.map(({ name, problem }) => [name, problem])),
    item,
  });
}

export function labelOf(context: Pick<RequestTurn, "order">, item: RequestItem, name: string): string {
  const field = item.subject.service?.fields.find((one) => one.name === name);
  return field ? inLanguage(field.label, context.order.request.language) : name;
}

/** @throws TurnupError `nothing_to_answer`, `field_unknown` */
export function fieldsSupplied(
  context: RequestTurn,
  itemId: string,
  fields: Readonly<Record<string, string>>,
): void {
  const item = itemOf(context, itemId);
  const registration = item && registrationOf(context, item);
  if (item?.state !== "needs_information" || !registration) {
    throw new TurnupError(
      "nothing_to_answer",
      `no fields are asked for: the item is ${item?.state ?? "unknown"}`,
      {
        nextStep: "look at the request as it stands",
      },
    );
  }
  const names = item.subject.missing.map(({ name }) => name);
  const given = Object.entries(fields).filter(([, value]) => value.trim() !== "");
  const foreign = Object.keys(fields).find((name) => !names.includes(name));
  const tooLong = given.find(([, value]) => value.length > FIELD_CHARACTERS_MAX);
  if (foreign !== undefined || tooLong || given.length === 0) {
    throw new TurnupError("field_unknown", `just these fields are asked for: ${names.join(", ")}`, {
      nextStep: `give each of them a value of 1 to ${FIELD_CHARACTERS_MAX} characters`,
    });
  }
  const ofUser = given.filter(([name]) => USER_FIELDS.includes(name as UserField));
  const others = given.filter(([name]) => !USER_FIELDS.includes(name as UserField));
  const { data } = registration;
  registration.data = {
    user: { ...data.user, ...Object.fromEntries(ofUser) },
    fields: { ...data.fields, ...Object.fromEntries(others) },
  };
  context.scribe.note(context.order, {
    kind: "fields_supplied",
    itemId: item.id,
    reason: `the subscriber gave: ${given.map(([name]) => name).join(", ")}`,
  });
  callService(context, item, "the service server is asked again, with what was missing");
}

function removalAnswered(
  context: RequestTurn,
  item: RequestItem,
  call: OutboundCall,
  answer: CallAnswer,
): void {
  const { scribe, order } = context;
  const registration = order.request.registrations.find(({ id }) => id === call.body.registrationId);
  if (answer.kind === "done") {
    if (registration) Object.assign(registration, { state: "removed", changed: true });
    touchRequest(context);
    if (item.state !== "registering") {
      return scribe.note(order, {
        kind: "registration_removed",
        itemId: item.id,
        reason: "the service server ended a registration",
        evidence: "service_server",
      });
    }
    if (isRegistered(context, item)) return; // of another device; its answer is waited for
    scribe.moveItem(order, item, {
      state: "works",
      reason: "the service server ended the registration",
      nextAction: NO_ACTION,
      deadlineAt: null,
      evidence: "service_server",
    });
    return;
  }
  const cause = answer.kind === "refused" || answer.kind === "failed" ? answer.cause : "bad_answer";
  if (item.state !== "registering") {
    if (registration?.state === "removing")
      Object.assign(registration, { state: "not_removed", changed: true });
    touchRequest(context);
    return scribe.note(order, {
      kind: "registration_not_removed",
      itemId: item.id,
      reason: `a person has to see to the registration at the service server: ${cause}`,
    });
  }
  failItem(scribe, order, item, {
    cause: `service_${cause}`,
    reason: `the service server did not end the registration: ${cause}`,
  });
}
