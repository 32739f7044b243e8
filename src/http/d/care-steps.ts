/** Help without a person: where somebody stands, and what they do about it (R23, R124). */
import {
  type CareOrder,
  type CareView,
  careScreen,
  giveUpScreen,
  helpScreen,
  idOf,
} from "../../kernel/dialog/care-screens.ts";
import type { OwnScope } from "../../kernel/order/self-care.ts";
import { keyOfPost, newState, once, type Shown, shown, Trouble } from "./portal-context.ts";
import { ownScopeOf } from "./visitor.ts";
import { at, channelOf, here, type Walk } from "./walk.ts";

const SIGN_IN = "/d/sign-in";

async function careView(walk: Walk): Promise<CareView> {
  const { context, visitor } = walk;
  const scope = ownScopeOf(walk.visitor);
  const [view, networkOrders] = await Promise.all([
    here(walk),
    scope ? context.deps.selfCare.networkOrdersOf(scope) : [],
  ]);
  const isStranger = visitor.door === "public" && visitor.who === undefined;
  return {
    ...view,
    networkOrders,
    hasNumber: Boolean(visitor.person?.msisdn),
    // Not by keys of a telephone call: it is chosen where whoever chooses it sees what they do.
    mayChoosePin: scope !== undefined && visitor.byKeys !== true,
    signIn: isStranger ? SIGN_IN : null,
  };
}

export async function help(walk: Walk): Promise<Shown> {
  return shown(helpScreen(await careView(walk)), at(walk, "/d/help"));
}

type Named = { readonly view: CareView; readonly one: CareOrder; readonly scope: OwnScope };

/** @throws Trouble `order_not_found`, `assurance_too_low` */
async function orderNamed(walk: Walk, id: string): Promise<Named> {
  const scope = ownScopeOf(walk.visitor);
  if (!scope)
    throw walk.visitor.who ? new Trouble("order_not_found", 404) : new Trouble("assurance_too_low", 403);
  const view = await careView(walk);
  const request = view.requests.find(({ orderId }) => orderId === id);
  const order = view.networkOrders.find(({ orderId }) => orderId === id);
  if (request) return { view, scope, one: { kind: "request", request } };
  if (order) return { view, scope, one: { kind: "network", order } };
  throw new Trouble("order_not_found", 404);
}

const purposeOf = (one: CareOrder): string => `care ${idOf(one)}`;

export async function careOrder(walk: Walk, id = ""): Promise<Shown> {
  const { view, one } = await orderNamed(walk, id);
  const state = newState(walk.context, walk.visitor, purposeOf(one));
  return shown(careScreen(view, one, { state }), at(walk, `/d/help/orders/${id}`));
}

export async function giveUp(walk: Walk, id = ""): Promise<Shown> {
  const { view, one } = await orderNamed(walk, id);
  const state = newState(walk.context, walk.visitor, purposeOf(one));
  const sure = giveUpScreen(view, one, state);
  return sure ? shown(sure, at(walk, `/d/help/orders/${id}/give-up`)) : careOrder(walk, id);
}

/** What was done is told as it stands then; what could not be done is told as that. */
export async function takeCare(walk: Walk, id = ""): Promise<Shown> {
  const { context, visitor, call } = walk;
  const { one, scope } = await orderNamed(walk, id);
  const choice = call.body.texts.get("choice");
  if (choice !== "resend" && choice !== "give_up") throw new Trouble("body_malformed", 400);
  const key = keyOfPost(context, visitor, call, purposeOf(one));
  const { selfCare } = context.deps;
  await once(context, visitor, { key, said: ["care", choice] }, async () => {
    await (choice === "resend" ? selfCare.resend : selfCare.giveUp)(scope, id, channelOf(visitor));
    return choice;
  });
  const now = await orderNamed(walk, id);
  const state = newState(context, visitor, purposeOf(one));
  const done = choice === "resend" ? "resent" : "given_up";
  return shown(careScreen(now.view, now.one, { state, done }), null);
}
