/**
 * A user at a service server (US 6,647,260, figure 7C): registered there in their name, completed with just the fields that it
 * asks for, and their access data brought to the device by SMS. The access data is nobody else's: it stands sealed beside the
 * registration until the device has it, and in no event, reason or call.
 */
import { TurnupError } from "../../term/error.ts";
import { hoursAfter } from "../../term/moment.ts";
import { assured, isOneOf } from "../../term/narrow.ts";
import { fieldNameIn } from "../account/field-names.ts";
import { USER_FIELDS } from "../account/user-data.ts";
import type { CallAnswer } from "../calls/answer.ts";
import { ask, NOT_CONFIGURED, NOTICE_DEADLINE_HOURS, within } from "../calls/ask.ts";
import { localized } from "../catalog/localized.ts";
import { linkOf, nameOf, tell } from "../notices/notices.ts";
import { change } from "../order/change.ts";
import { failItem, isClosed, waitNoMore } from "../order/ending.ts";
import { isRequestItemDone, waitsForElements } from "../order/item-done.ts";
import type { OutboundCall } from "../order/outbound-call.ts";
import type { RegistrationDraft } from "../order/request-draft.ts";
import { NO_ACTION } from "../order/scribe.ts";
import {
  itemOf,
  itemsOf,
  type RequestItem,
  type RequestTurn,
  touchRequest,
  updateItem,
} from "../order/turn.ts";
import { formerOf, isTakeOver, restoreAnswered, restoreFormer, takenOver } from "./take-over.ts";

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

export const isRegistered = (turn: RequestTurn, item: RequestItem): boolean =>
  registeredBefore(turn, item).length > 0;

export function registerService(turn: RequestTurn, item: RequestItem): void {
  const { scribe, order } = turn;
  const { catalogId } = item.subject;
  const { uri, fields } = assured(item.subject.service, "only items with a service are registered");
  const id = scribe.newId();
  const given = { user: order.request.user, fields: order.request.fields[catalogId] ?? {} };
  const asked = fields.map(({ name }) => name);
  order.request.registrations.push({
    id,
    itemId: item.id,
    catalogId,
    service: uri,
    ...takenOver(formerOf(turn, item), { id, service: uri }, given, asked),
    state: "asked",
    missing: [],
    access: null,
    isNew: true,
    changed: true,
  });
  touchRequest(turn);
  const isSame = order.request.registrations.some((one) => one.id === id && isTakeOver(one));
  callService(turn, item, `the service server is asked to ${isSame ? "change" : "register"} the user`);
}

function callService(turn: RequestTurn, item: RequestItem, reason: string): void {
  const { scribe, order, terms } = turn;
  const registration = assured(registrationOf(turn, item), "it is registered before it is called");
  const round = item.subject.round + 1;
  const deadlineAt = within(turn, terms.policy.request.serviceDeadlineHours);
  updateItem(turn, item, { round, missing: [] });
  change(registration, { state: "asked", missing: [] });
  scribe.moveItem(order, item, {
    state: "registering",
    reason,
    nextAction: "wait for the service server",
    // The call's own deadline comes first: then the item says what was met.
    deadlineAt: hoursAfter(deadlineAt, 1),
    detail: { service: registration.service, round },
  });
  ask(turn, {
    kind: "service_registration",
    itemId: item.id,
    idempotencyKey: `${item.id}:${round}`,
    body: {
      action: isTakeOver(registration) ? "change" : "register",
      service: registration.service,
      registrationId: registration.registeredAs,
      remoteId: registration.remoteId,
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
export function removeService(turn: RequestTurn, item: RequestItem): void {
  const { scribe, order, terms } = turn;
  const waits = waitsForElements(item);
  const deadlineAt = within(turn, terms.policy.request.serviceDeadlineHours);
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
  if (!waits) endRegistrations(turn, item);
}

/** The last of the network's elements has ended it. */
export function elementsEnded(turn: RequestTurn, item: RequestItem): void {
  const { scribe, order, terms } = turn;
  if (!isRegistered(turn, item)) return registrationUnknown(turn, item);
  const deadlineAt = within(turn, terms.policy.request.serviceDeadlineHours);
  scribe.moveItem(order, item, {
    state: "registering",
    reason: "the service server is asked to end the registration",
    nextAction: "wait for the service server",
    deadlineAt: hoursAfter(deadlineAt, 1),
  });
  endRegistrations(turn, item);
}

function endRegistrations(turn: RequestTurn, item: RequestItem): void {
  const deadlineAt = within(turn, turn.terms.policy.request.serviceDeadlineHours);
  for (const registration of registeredBefore(turn, item))
    askRemoval(turn, item, registration, { deadlineAt });
}

/** What nobody was asked to end is not said to have ended. */
export function registrationUnknown(turn: RequestTurn, item: RequestItem): void {
  failItem(turn, item, {
    cause: "registration_unknown",
    reason:
      "no registration of this user at the service server is known here, so none was ended: a person has to see to it there",
  });
}

/** Where no id of the server's own is known, it finds the registration by ours. */
function askRemoval(
  turn: RequestTurn,
  item: RequestItem,
  { id, registeredAs, service, remoteId }: RegistrationDraft,
  { deadlineAt, dueAt = turn.scribe.now }: { readonly deadlineAt: Date; readonly dueAt?: Date },
): void {
  ask(turn, {
    dueAt,
    kind: "service_registration",
    itemId: item.id,
    idempotencyKey: `${item.id}:remove:${id}`,
    body: { action: "remove", service, registrationId: registeredAs, remoteId, language: null },
    deadlineAt,
  });
}

/** Taken back when its item came to nothing: half registered, refused afterwards, or registered whole. */
const TAKEN_BACK: readonly RegistrationDraft["state"][] = ["needs_information", "refused", "registered"];

/** What the service server holds of somebody for whom it came to nothing in the end. */
export function takeBackRegistration(turn: RequestTurn, item: RequestItem): void {
  const registration = registrationOf(turn, item);
  if (!registration?.remoteId || !TAKEN_BACK.includes(registration.state)) return;
  endRegistrationOf(turn, item, turn.scribe.now);
}

export function endRegistrationOf(turn: RequestTurn, item: RequestItem, dueAt: Date): void {
  const registration = registrationOf(turn, item);
  if (!registration) return;
  if (registration.access) wipeMessage(turn, item);
  if (isTakeOver(registration)) return restoreFormer(turn, item, registration, dueAt);
  change(registration, { state: "removing", access: null });
  touchRequest(turn);
  turn.scribe.note(turn.order, {
    kind: "registration_taken_back",
    itemId: item.id,
    reason: "the service server is asked to end what it may have registered",
  });
  askRemoval(turn, item, registration, { deadlineAt: within(turn, NOTICE_DEADLINE_HOURS), dueAt });
}

export function serviceAnswered(
  turn: RequestTurn,
  call: OutboundCall<"service_registration">,
  answer: CallAnswer,
): void {
  const item = itemOf(turn, call.itemId);
  if (!item) return;
  if (call.body.action === "remove") return removalAnswered(turn, item, call, answer);
  const registration = registrationOf(turn, item);
  if (!registration) return;
  if (call.body.action === "restore") return restoreAnswered(turn, item, registration, answer);
  // It is ended already by a call of its own, which comes after this answer and finds the registration by our id.
  if (registration.state === "removing" || registration.state === "removed") return;
  switch (answer.kind) {
    case "registered":
      return registered(turn, item, registration, answer);
    case "needs_information":
      return needsInformation(turn, item, registration, answer);
    case "refused":
    case "failed":
      change(registration, { state: "refused" });
      touchRequest(turn);
      if (!isClosed(item)) {
        failItem(turn, item, {
          cause: `service_${answer.cause}`,
          reason:
            answer.kind === "refused"
              ? `the service server refuses the registration: ${answer.cause}`
              : `the service server gave no answer in time: ${answer.cause}`,
        });
      }
      // Its answers may have been lost alone: what it may hold is ended, found by our id where its own is not known.
      if (answer.kind === "failed" && answer.cause !== NOT_CONFIGURED)
        endRegistrationOf(turn, item, turn.scribe.now);
      return;
    default:
      return;
  }
}

function registered(
  turn: RequestTurn,
  item: RequestItem,
  registration: RegistrationDraft,
  { remoteId, accessData }: Extract<CallAnswer, { kind: "registered" }>,
): void {
  const { scribe, order, terms } = turn;
  touchRequest(turn);
  if (isClosed(item)) {
    // Nobody waits for it any more: what was registered too late is taken back.
    change(registration, { remoteId });
    return endRegistrationOf(turn, item, scribe.now);
  }
  const hasAccess = Object.keys(accessData).length > 0;
  const isFirst = waitsForModule(turn, item);
  change(registration, {
    state: "registered",
    remoteId,
    access: hasAccess ? accessData : null,
  });
  scribe.moveItem(order, item, {
    state: "registered",
    reason: `the service server ${isTakeOver(registration) ? "changed" : "registered"} the user`,
    nextAction: isFirst
      ? "bring what its new version needs to the device first"
      : hasAccess
        ? "bring the access data to the device"
        : "nothing more is to be sent",
    // Its module's own deadline comes first: then the item says what was met.
    deadlineAt: hoursAfter(scribe.now, terms.policy.proofDeadlineHours * (isFirst ? 2 : 1)),
    evidence: "service_server",
  });
  if (!isFirst) bringAccess(turn, item);
}

/** Of a version that replaces another: what it needs on the device is not there yet, and what it has registered can be taken back. */
const waitsForModule = (turn: RequestTurn, item: RequestItem): boolean =>
  item.subject.replaces !== undefined &&
  itemsOf(turn).some(
    ({ subject, state }) => subject.moduleOf === item.id && subject.action === "add" && state !== "works",
  );

export function bringAccess(turn: RequestTurn, item: RequestItem): void {
  const { scribe, order } = turn;
  const registration = registrationOf(turn, item);
  const accessData = registration?.access;
  if (!registration || !accessData) return accessDelivered(turn, item, "the service gave no access data");
  try {
    const message = tell(turn, {
      kind: "access_data",
      text: "accessData",
      values: { item: nameOf(turn, item), access: listed(accessData) },
      fields: accessData,
      item,
      rule: "access_data",
    });
    change(item, { message, nextAction: "bring the access data to the device" });
  } catch (error) {
    if (!(error instanceof RangeError)) throw error;
    registration.access = null; // nothing will bring it there
    change(item, {
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
export function accessDelivered(turn: RequestTurn, item: RequestItem, reason: string): void {
  if (item.state !== "registered") return;
  const { scribe, order, terms } = turn;
  const registration = registrationOf(turn, item);
  if (registration?.access) {
    change(registration, { access: null });
    touchRequest(turn);
  }
  wipeMessage(turn, item);
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
export function accessLost(turn: RequestTurn, item: RequestItem, why: string): void {
  const registration = registrationOf(turn, item);
  if (item.state !== "registered" || !registration?.access) return;
  change(registration, { access: null });
  wipeMessage(turn, item);
  change(item, {
    cause: "access_data_lost",
    reason: `registered, but its access data did not reach the device: ${why}`,
  });
  touchRequest(turn);
}

function wipeMessage({ scribe, order }: RequestTurn, { message }: RequestItem): void {
  if (message) scribe.changes.wipedPayloads.push({ orderId: order.id, payloadId: message.payloadId });
}

function needsInformation(
  turn: RequestTurn,
  item: RequestItem,
  registration: RegistrationDraft,
  { remoteId, fields }: Extract<CallAnswer, { kind: "needs_information" }>,
): void {
  const { scribe, order, terms } = turn;
  const missing = fields.filter(({ name }) => FIELD_NAME.test(name)).slice(0, FIELDS_MAX);
  change(registration, {
    state: "needs_information",
    remoteId: remoteId ?? registration.remoteId,
    missing: missing.map(({ name }) => name),
  });
  touchRequest(turn);
  if (isClosed(item)) return;
  if (missing.length === 0) {
    return failItem(turn, item, {
      cause: "service_bad_answer",
      reason: "the service server asks for information without saying which",
    });
  }
  updateItem(turn, item, { missing });
  const names = missing.map(({ name }) => labelOf(turn, item, name));
  scribe.moveItem(order, item, {
    state: "needs_information",
    reason: `the service server asks for: ${missing.map(({ name, problem }) => `${name} (${problem})`).join(", ")}`,
    nextAction: "the subscriber gives just these fields",
    deadlineAt: hoursAfter(scribe.now, terms.policy.request.choiceDeadlineHours),
    evidence: "service_server",
  });
  tell(turn, {
    kind: "needs_information",
    text: "needsInformation",
    values: { item: nameOf(turn, item), fields: names.join(", "), link: linkOf(turn) },
    fields: Object.fromEntries(missing.map(({ name, problem }) => [name, problem])),
    item,
  });
}

export function labelOf(turn: Pick<RequestTurn, "order">, item: RequestItem, name: string): string {
  const field = item.subject.service?.fields.find((one) => one.name === name);
  const { language } = turn.order.request;
  if (field) return localized(field.label, language);
  return isOneOf(USER_FIELDS, name) ? fieldNameIn(name, language) : name;
}

/** @throws TurnupError `nothing_to_answer`, `field_unknown` */
export function fieldsSupplied(
  turn: RequestTurn,
  itemId: string,
  fields: Readonly<Record<string, string>>,
): void {
  const item = itemOf(turn, itemId);
  const registration = item && registrationOf(turn, item);
  if (item?.state !== "needs_information" || !registration) {
    throw new TurnupError(
      "nothing_to_answer",
      `No fields are asked for: the item is ${item?.state ?? "unknown"}.`,
      {
        nextStep: "Look at the request as it stands.",
      },
    );
  }
  const names = item.subject.missing.map(({ name }) => name);
  const given = Object.entries(fields).filter(([, value]) => value.trim() !== "");
  const foreign = Object.keys(fields).find((name) => !names.includes(name));
  const tooLong = given.find(([, value]) => value.length > FIELD_CHARACTERS_MAX);
  if (foreign !== undefined || tooLong || given.length === 0) {
    throw new TurnupError("field_unknown", `Just these fields are asked for: ${names.join(", ")}.`, {
      nextStep: `Give each of them a value of 1 to ${FIELD_CHARACTERS_MAX} characters.`,
    });
  }
  const ofUser = given.filter(([name]) => isOneOf(USER_FIELDS, name));
  const others = given.filter(([name]) => !isOneOf(USER_FIELDS, name));
  const { data } = registration;
  registration.data = {
    user: { ...data.user, ...Object.fromEntries(ofUser) },
    fields: { ...data.fields, ...Object.fromEntries(others) },
  };
  turn.scribe.note(turn.order, {
    kind: "fields_supplied",
    itemId: item.id,
    reason: `the subscriber gave: ${given.map(([name]) => name).join(", ")}`,
  });
  callService(turn, item, "the service server is asked again, with what was missing");
}

function removalAnswered(
  turn: RequestTurn,
  item: RequestItem,
  call: OutboundCall<"service_registration">,
  answer: CallAnswer,
): void {
  const { scribe, order } = turn;
  const registration = order.request.registrations.find(
    ({ registeredAs, state, service }) =>
      registeredAs === call.body.registrationId && service === call.body.service && state !== "replaced",
  );
  if (answer.kind === "done") {
    if (registration) change(registration, { state: "removed" });
    touchRequest(turn);
    if (item.state !== "registering") {
      return scribe.note(order, {
        kind: "registration_removed",
        itemId: item.id,
        reason: "the service server ended a registration",
        evidence: "service_server",
      });
    }
    if (isRegistered(turn, item)) return; // of another device; its answer is waited for
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
    if (registration?.state === "removing") change(registration, { state: "not_removed" });
    touchRequest(turn);
    return scribe.note(order, {
      kind: "registration_not_removed",
      itemId: item.id,
      reason: `a person has to see to the registration at the service server: ${cause}`,
    });
  }
  failItem(turn, item, {
    cause: `service_${cause}`,
    reason: `the service server did not end the registration: ${cause}`,
  });
}
