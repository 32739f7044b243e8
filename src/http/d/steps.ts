/**
 * The steps of the dialog, by address: which screen a GET shows, what a POST does and which screen follows it. One table for
 * both doors; who asks is known before (US 6,647,260 columns 4 to 6, Fig. 2).
 */

import { CATALOG_KINDS, type CatalogKind } from "../../kernel/catalog/catalog-item.ts";
import {
  canBeHad,
  isOrderedElsewhere,
  isOutOfReach,
  itemScreen,
  itemTermsScreen,
  listScreen,
  startScreen,
  termsWith,
} from "../../kernel/dialog/catalog-screens.ts";
import { mineScreen, removeScreen } from "../../kernel/dialog/held-screens.ts";
import {
  missingFieldName,
  orderScreen,
  PAYMENT_FIELD,
  PRICE_CHANGED,
} from "../../kernel/dialog/order-screen.ts";
import { quoteOf } from "../../kernel/dialog/price-lines.ts";
import {
  choiceScreen,
  fieldsScreen,
  ordersScreen,
  statusScreen,
  termsScreen,
} from "../../kernel/dialog/request-screens.ts";
import type { DeviceOutcome } from "../../kernel/order/request.ts";
import { membersOf } from "../../term/narrow.ts";
import { careOrder, giveUp, help, takeCare } from "./care-steps.ts";
import { details, giveDetails } from "./details-steps.ts";
import {
  faultsOf,
  givenOf,
  type Posted,
  readPostedOrder,
  selectionOf,
  typedOf,
  wrongFieldOf,
} from "./order-form.ts";
import { meansIn, otherMeansOf, tokenOf, withMeans } from "./order-payment.ts";
import { keepPin, pin } from "./pin-steps.ts";
import { keyOfPost, newState, once, type Shown, type ShownScreen, shown, Trouble } from "./portal-context.ts";
import { at, channelOf, here, requestNamed, type StepRow, status, type Walk } from "./walk.ts";

const REFERENCE = "([0-9A-Za-z-]{8,36})";
const ITEM = "([a-z0-9][a-z0-9-]{0,62})";
const ORDER_ITEM = "([0-9a-f-]{36})";

export const STEPS: readonly StepRow[] = [
  ["GET", /^\/d\/start$/, start],
  ["GET", new RegExp(`^/d/list/(${CATALOG_KINDS.join("|")})$`), list],
  ["GET", new RegExp(`^/d/items/${ITEM}$`), item],
  ["GET", new RegExp(`^/d/items/${ITEM}/terms/${ITEM}$`), itemTerms],
  ["GET", new RegExp(`^/d/items/${ITEM}/order$`), order],
  ["POST", /^\/d\/requests$/, submit],
  // A page that looks again by itself after the POST comes here where a phone drops the address of its form.
  ["GET", /^\/d\/requests$/, latest],
  ["GET", /^\/d\/orders$/, orders],
  ["GET", new RegExp(`^/d/orders/${REFERENCE}$`), status],
  ["GET", new RegExp(`^/d/orders/${REFERENCE}/terms$`), terms],
  ["POST", new RegExp(`^/d/orders/${REFERENCE}/terms$`), answerTerms],
  ["GET", new RegExp(`^/d/orders/${REFERENCE}/details$`), details],
  ["POST", new RegExp(`^/d/orders/${REFERENCE}/details$`), giveDetails],
  ["GET", new RegExp(`^/d/orders/${REFERENCE}/items/${ORDER_ITEM}/fields$`), fields],
  ["POST", new RegExp(`^/d/orders/${REFERENCE}/items/${ORDER_ITEM}/fields$`), supplyFields],
  ["GET", new RegExp(`^/d/orders/${REFERENCE}/items/${ORDER_ITEM}/choice$`), choice],
  ["POST", new RegExp(`^/d/orders/${REFERENCE}/items/${ORDER_ITEM}/choice$`), choose],
  ["GET", new RegExp(`^/d/orders/${REFERENCE}/items/${ORDER_ITEM}/content$`), content],
  ["POST", new RegExp(`^/d/orders/${REFERENCE}/items/${ORDER_ITEM}/report$`), report],
  ["GET", /^\/d\/mine$/, mine],
  ["GET", new RegExp(`^/d/mine/${ITEM}$`), remove],
  ["GET", /^\/d\/pin$/, pin],
  ["POST", /^\/d\/pin$/, keepPin],
  ["GET", /^\/d\/help$/, help],
  ["GET", new RegExp(`^/d/help/orders/${ORDER_ITEM}$`), careOrder],
  ["POST", new RegExp(`^/d/help/orders/${ORDER_ITEM}$`), takeCare],
  ["GET", new RegExp(`^/d/help/orders/${ORDER_ITEM}/give-up$`), giveUp],
];

/** @throws Trouble `not_found`; whatever the step throws */
export async function takeStep(walk: Walk, steps: readonly StepRow[] = STEPS): Promise<Shown> {
  const { method, path } = walk.call;
  for (const [wanted, pattern, step] of steps) {
    const match = wanted === method ? pattern.exec(path) : null;
    if (match) return step(walk, ...match.slice(1));
  }
  const isElsewhere = steps.some(([, pattern]) => pattern.test(path));
  throw isElsewhere ? new Trouble("method_not_allowed", 405) : new Trouble("not_found", 404);
}

async function start(walk: Walk): Promise<Shown> {
  return shown(startScreen(await here(walk)), at(walk, "/d/start"));
}

async function list(walk: Walk, kind = ""): Promise<Shown> {
  const from = Number(walk.call.query.get("from") ?? 0);
  const first = Number.isInteger(from) && from > 0 ? from : 0;
  const path = first > 0 ? `/d/list/${kind}?from=${first}` : `/d/list/${kind}`;
  return shown(listScreen(await here(walk), kind as CatalogKind, first), at(walk, path)); // any other lists nothing
}

async function item(walk: Walk, id = ""): Promise<Shown> {
  const view = await here(walk);
  const found = view.catalog.get(id);
  if (!found) throw new Trouble("catalog_item_unknown", 404);
  return shown(itemScreen(view, found), at(walk, `/d/items/${id}`));
}

/** Its own, or, of a package, a member's. */
async function itemTerms(walk: Walk, id = "", termsId = ""): Promise<Shown> {
  const { context, visitor } = walk;
  const view = await here(walk);
  const found = view.catalog.get(id);
  const inForce = await context.deps.catalog.currentTerms(visitor.operator.id);
  const isItsOwn =
    found !== undefined && termsWith(view.catalog, found).some(({ terms }) => terms === termsId);
  const texts = isItsOwn ? inForce.get(termsId)?.texts : undefined;
  if (!found || !texts) throw new Trouble("catalog_item_unknown", 404);
  return shown(itemTermsScreen(view, found, texts), at(walk, `/d/items/${id}/terms/${termsId}`));
}

async function order(walk: Walk, id = ""): Promise<Shown> {
  const { context, visitor, call } = walk;
  const view = await here(walk);
  const found = view.catalog.get(id);
  // Its page leads to its own server, or says that nothing here does.
  if (found && (isOrderedElsewhere(view, found) || isOutOfReach(view, found)))
    return { ...shown(itemScreen(view, found), null, 409), code: "item_elsewhere" };
  // An old address: its page says why it is not to be had.
  if (found && !canBeHad(view, found))
    return { ...shown(itemScreen(view, found), null, 409), code: "item_unavailable" };
  const wanted = meansIn(call.query.get(PAYMENT_FIELD));
  const { chosen, asked } = await selectionOf(context, visitor, view, { ids: [id], wanted });
  const state = newState(context, visitor, "order");
  const path = `/d/items/${id}/order`;
  const otherMeans = otherMeansOf(context, visitor, asked, path);
  const screen = orderScreen(view, { items: chosen, asked, state, otherMeans });
  return shown(screen, at(walk, wanted ? withMeans(path, wanted) : path));
}

/** Account data and selection in one (R5). Faults are told on the form; only then anything is written. */
async function submit(walk: Walk): Promise<Shown> {
  const { context, visitor, call } = walk;
  const key = keyOfPost(context, visitor, call, "order");
  const posted = readPostedOrder(call, visitor.operator.country, visitor.byKeys);
  if (posted.action === "remove") return submitRemoval(walk, key, posted.selection);
  const ordered = await submitOrder(walk, key, posted, { purpose: "order" });
  return typeof ordered === "string" ? statusOf(walk, ordered) : ordered;
}

/**
 * The reference of the request, or the form again with what is wrong with it.
 * @param purpose what a form that is drawn again is for
 * @param action where it is sent to, if not to where orders go
 */
export async function submitOrder(
  walk: Walk,
  key: string,
  posted: Posted,
  { purpose, action }: { readonly purpose: string; readonly action?: string },
): Promise<string | ShownScreen> {
  const { context, visitor } = walk;
  const { deps } = context;
  const view = await here(walk);
  const { payment } = posted;
  const selection = await selectionOf(context, visitor, view, {
    ids: posted.selection,
    wanted: payment.means,
  });
  const again = (faults: Readonly<Record<string, string>>): ShownScreen => {
    const { chosen, asked } = selection;
    const state = newState(context, visitor, purpose);
    const offer = {
      ...(posted.offerId === null ? {} : { offerId: posted.offerId }),
      ...(action === undefined ? {} : { action }),
      otherMeans: otherMeansOf(context, visitor, asked, action ?? `/d/items/${chosen[0]?.id}/order`),
    };
    const screen = orderScreen(view, { items: chosen, asked, state, ...offer }, typedOf(posted, faults));
    return { ...shown(screen, null, 422), wrongFields: Object.keys(faults) };
  };
  const faults = faultsOf(selection, posted, deps.clock());
  if (Object.keys(faults).length > 0) return again(faults);
  const card = await tokenOf(context, visitor, selection.asked, { payment, key });
  if (card && "fault" in card) return again({ [card.field]: card.fault });
  let isOtherPrice = false;
  const order = async (): Promise<string> => {
    // Only here: the same form again gets its first outcome, whatever things cost since.
    isOtherPrice = posted.quote !== null && posted.quote !== quoteOf(view, selection.chosen);
    if (isOtherPrice) throw new Trouble(PRICE_CHANGED, 409);
    const done = await deps.desk.submit(visitor.operator.id, {
      ...requestOf(walk, key),
      action: "add",
      channel: posted.offerId === null ? "self_service" : "offer",
      offerId: posted.offerId,
      selection: posted.selection,
      ...givenOf(selection, posted),
      card,
    });
    return done.reference;
  };
  try {
    return await once(context, visitor, { key, said: ["add", ...posted.selection] }, order);
  } catch (error) {
    if (isOtherPrice) return again({ [PRICE_CHANGED]: PRICE_CHANGED });
    const wrong = wrongFieldOf(error);
    if (wrong === undefined) throw error;
    return again({ [wrong]: "field_invalid" });
  }
}

async function submitRemoval(walk: Walk, key: string, selection: readonly string[]): Promise<Shown> {
  const { context, visitor } = walk;
  const reference = await once(context, visitor, { key, said: ["remove", ...selection] }, async () => {
    const request = { ...requestOf(walk, key), action: "remove" as const, selection };
    return (await context.deps.desk.submit(visitor.operator.id, request)).reference;
  });
  return statusOf(walk, reference);
}

/** @throws Trouble `assurance_too_low` */
function requestOf({ visitor, call }: Walk, key: string) {
  if (!visitor.who) throw new Trouble("assurance_too_low", 403);
  return {
    channel: "self_service" as const,
    who: visitor.who,
    user: {},
    fields: {},
    card: null,
    assurance: visitor.assurance,
    actor: visitor.door === "land" ? "device" : "portal",
    language: visitor.language,
    bearer: visitor.bearer,
    noticeKey: visitor.door === "land" ? call.noticeKey : null,
    agreed: [],
    offerId: null,
    idempotencyKey: key,
  };
}

/** Read anew: a first request makes its subscriber. */
export async function statusOf(walk: Walk, reference: string): Promise<Shown> {
  const { context, visitor } = walk;
  const { who, operator } = visitor;
  const person = visitor.person ?? (who && (await context.deps.people.find(operator.id, who)));
  const known: Walk = { ...walk, visitor: { ...visitor, person } };
  return status(known, reference);
}

async function latest(walk: Walk): Promise<Shown> {
  const view = await here(walk);
  const [newest] = view.requests;
  if (!newest) return shown(ordersScreen(view), at(walk, "/d/orders"));
  return shown(statusScreen(view, newest), at(walk, `/d/orders/${newest.reference}`));
}

async function orders(walk: Walk): Promise<Shown> {
  return shown(ordersScreen(await here(walk)), at(walk, "/d/orders"));
}

async function terms(walk: Walk, reference = ""): Promise<Shown> {
  const { view, request } = await requestNamed(walk, reference);
  if (request.terms.length === 0) return status(walk, reference);
  const part = Number(walk.call.query.get("part") ?? 0);
  const state = newState(walk.context, walk.visitor, `terms ${request.orderId}`);
  const path = `/d/orders/${request.reference}/terms`;
  return shown(termsScreen(view, request, state, part), at(walk, part > 0 ? `${path}?part=${part}` : path));
}

async function answerTerms(walk: Walk, reference = ""): Promise<Shown> {
  const { context, visitor, call } = walk;
  const { request, scope } = await requestNamed(walk, reference);
  const answer = call.body.texts.get("answer");
  if (answer !== "accept" && answer !== "decline") throw new Trouble("body_malformed", 400);
  const key = keyOfPost(context, visitor, call, `terms ${request.orderId}`);
  await once(context, visitor, { key, said: ["terms", answer] }, async () => {
    await context.deps.desk.answerTerms(scope, request.orderId, answer, channelOf(visitor));
    return answer;
  });
  return status(walk, reference);
}

async function fields(walk: Walk, reference = "", itemId = ""): Promise<Shown> {
  const { view, request } = await requestNamed(walk, reference);
  const state = newState(walk.context, walk.visitor, `fields ${itemId}`);
  const screen = fieldsScreen(view, request, itemId, state);
  const path = `/d/orders/${request.reference}/items/${itemId}/fields`;
  return screen ? shown(screen, at(walk, path)) : status(walk, reference);
}

/** Just what was asked for; names come from the request, never from the form. */
async function supplyFields(walk: Walk, reference = "", itemId = ""): Promise<Shown> {
  const { context, visitor, call } = walk;
  const { request, scope } = await requestNamed(walk, reference);
  const key = keyOfPost(context, visitor, call, `fields ${itemId}`);
  const found = request.items.find(({ id }) => id === itemId);
  const json = call.body.json?.fields;
  const told = (name: string): unknown =>
    call.body.json ? membersOf(json)[name] : call.body.texts.get(missingFieldName(name));
  const given = Object.fromEntries(
    (found?.missing ?? []).flatMap(({ name }) => {
      const value = told(name);
      return typeof value === "string" && value.trim() !== "" ? [[name, value.trim()]] : [];
    }),
  );
  await once(context, visitor, { key, said: ["fields"] }, async () => {
    await context.deps.desk.supplyFields(scope, request.orderId, itemId, given);
    return itemId;
  });
  return status(walk, reference);
}

async function choice(walk: Walk, reference = "", itemId = ""): Promise<Shown> {
  const { view, request } = await requestNamed(walk, reference);
  const state = newState(walk.context, walk.visitor, `choice ${itemId}`);
  const screen = choiceScreen(view, request, itemId, state);
  const path = `/d/orders/${request.reference}/items/${itemId}/choice`;
  return screen ? shown(screen, at(walk, path)) : status(walk, reference);
}

async function choose(walk: Walk, reference = "", itemId = ""): Promise<Shown> {
  const { context, visitor, call } = walk;
  const { request, scope } = await requestNamed(walk, reference);
  const chosen = call.body.texts.get("choice");
  if (chosen !== "retransmit" && chosen !== "give_up") throw new Trouble("body_malformed", 400);
  const key = keyOfPost(context, visitor, call, `choice ${itemId}`);
  await once(context, visitor, { key, said: ["choice", chosen] }, async () => {
    await context.deps.desk.chooseRetransmission(
      scope,
      { orderId: request.orderId, itemId },
      chosen,
      channelOf(visitor),
    );
    return chosen;
  });
  return status(walk, reference);
}

async function content(walk: Walk, reference = "", itemId = ""): Promise<Shown> {
  const { request, scope } = await requestNamed(walk, reference);
  const { bearer, airOctets = null } = walk.visitor;
  const item = { orderId: request.orderId, itemId };
  const found = await walk.context.deps.desk.content(scope, item, { bearer, octetsMax: airOctets });
  if (!found) throw new Trouble("content_not_found", 404);
  return { kind: "content", status: 200, contentType: found.contentType, body: found.bytes };
}

const MODULES_TOLD_MAX = 32;
const MODULE = /^[A-Za-z][A-Za-z0-9._-]{0,63} [0-9A-Za-z][0-9A-Za-z.+_-]{0,31}$/;
const CAUSE = /^[A-Za-z][A-Za-z0-9_.-]{0,63}$/;

/** The device's own word (R55): a client module's, never a form's. */
async function report(walk: Walk, reference = "", itemId = ""): Promise<Shown> {
  const { context, visitor, call } = walk;
  const { request, scope } = await requestNamed(walk, reference);
  if (call.idempotencyKey === null) throw new Trouble("form_foreign", 403);
  const outcome = outcomeOf(call.body.texts);
  if (!outcome) throw new Trouble("body_malformed", 400);
  const item = { orderId: request.orderId, itemId };
  await context.deps.desk.deviceReports(scope, item, outcome, channelOf(visitor));
  return status(walk, reference);
}

/** `modules`: what the device has now, `Name version` parted by commas; a client module of the release before leaves it out. */
function outcomeOf(texts: ReadonlyMap<string, string>): DeviceOutcome | undefined {
  const outcome = texts.get("outcome");
  const cause = texts.get("cause") ?? "unknown";
  const told = texts.get("modules");
  const modules = told === undefined ? undefined : told.split(",").filter((one) => one !== "");
  if (modules && (modules.length > MODULES_TOLD_MAX || !modules.every((one) => MODULE.test(one))))
    return undefined;
  const known = modules && { modules };
  if (outcome === "installed") return { kind: "installed", ...known };
  return outcome === "failed" && CAUSE.test(cause) ? { kind: "failed", cause, ...known } : undefined;
}

async function mine(walk: Walk): Promise<Shown> {
  return shown(mineScreen(await here(walk)), at(walk, "/d/mine"));
}

async function remove(walk: Walk, id = ""): Promise<Shown> {
  const screen = removeScreen(await here(walk), id, newState(walk.context, walk.visitor, "order"));
  if (!screen) throw new Trouble("catalog_item_unknown", 404);
  return shown(screen, at(walk, `/d/mine/${id}`));
}
