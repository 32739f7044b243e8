/** Details of the user that are asked for again, since they agree with the operator's record in part (R38). */
import { userFieldName } from "../../kernel/dialog/order-screen.ts";
import { detailsScreen } from "../../kernel/dialog/request-screens.ts";
import { checkUserData, tidyUserData } from "../../kernel/registration/check-user-data.ts";
import type { PostedBody } from "./body.ts";
import { readPostedOrder } from "./order-form.ts";
import { keyOfPost, newState, once, type Shown, shown } from "./portal-context.ts";
import { at, channelOf, requestNamed, status, type Walk } from "./walk.ts";

const DETAILS = "details";

export async function details(walk: Walk, reference = ""): Promise<Shown> {
  const { view, request } = await requestNamed(walk, reference);
  const state = newState(walk.context, walk.visitor, `${DETAILS} ${request.orderId}`);
  const screen = detailsScreen(view, request, state);
  return screen ? shown(screen, at(walk, `/d/orders/${request.reference}/details`)) : status(walk, reference);
}

/** Just the details that were asked for again. */
export async function giveDetails(walk: Walk, reference = ""): Promise<Shown> {
  const { context, visitor, call } = walk;
  const { view, request, scope } = await requestNamed(walk, reference);
  const purpose = `${DETAILS} ${request.orderId}`;
  const key = keyOfPost(context, visitor, call, purpose);
  const { user: typed, values } = readPostedOrder({ ...call, body: withoutSelection(call.body) });
  const given = Object.fromEntries(request.askAgain.map((field) => [field, typed[field] ?? ""]));
  const now = context.deps.clock();
  const faults = checkUserData(tidyUserData(given), request.askAgain, { now, minimumAgeYears: null });
  const again = detailsScreen(view, request, newState(context, visitor, purpose), {
    values,
    faults: Object.fromEntries(faults.map(({ field, code }) => [userFieldName(field), code])),
  });
  if (faults.length > 0 && again)
    return { ...shown(again, null, 422), wrongFields: faults.map(({ field }) => field) };
  await once(context, visitor, { key, said: [DETAILS] }, async () => {
    await context.deps.desk.giveDetails(scope, request.orderId, tidyUserData(given), channelOf(visitor));
    return DETAILS;
  });
  return status(walk, reference);
}

/** A client module sends `{user: {}}` alone. */
const withoutSelection = (body: PostedBody): PostedBody =>
  body.json ? { ...body, json: { ...body.json, selection: [] } } : body;
