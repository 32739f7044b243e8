/** What every step of the dialog walks with: who asks, what was asked, and the request that an address names. */
import { statusScreen } from "../../kernel/dialog/request-screens.ts";
import type { PortalView } from "../../kernel/dialog/view.ts";
import type { RequestScope, RequestStatus } from "../../kernel/order/request.ts";
import {
  type PortalContext,
  type PortalRequest,
  type Shown,
  shown,
  Trouble,
  viewOf,
} from "./portal-context.ts";
import { scopeOf, type Visitor } from "./visitor.ts";

export type Walk = {
  readonly context: PortalContext;
  readonly visitor: Visitor;
  readonly call: PortalRequest;
};

type Step = (walk: Walk, ...parameters: string[]) => Promise<Shown>;
export type StepRow = readonly [method: "GET" | "POST", path: RegExp, step: Step];

export const here = ({ context, visitor }: Walk): Promise<PortalView> => viewOf(context, visitor);
export const at = ({ visitor }: Walk, path: string): string => visitor.at(path);

/** @throws Trouble `order_not_found`, `assurance_too_low` */
export async function requestNamed(
  walk: Walk,
  reference: string,
): Promise<{ readonly view: PortalView; readonly request: RequestStatus; readonly scope: RequestScope }> {
  const scope = scopeOf(walk.visitor);
  if (!scope) {
    throw walk.visitor.who ? new Trouble("order_not_found", 404) : new Trouble("assurance_too_low", 403);
  }
  const [view, request] = await Promise.all([here(walk), walk.context.deps.desk.find(scope, reference)]);
  if (!request) throw new Trouble("order_not_found", 404);
  return { view, request, scope };
}

export const channelOf = ({ door }: Visitor): string => (door === "land" ? "device" : "screen");
export async function status(walk: Walk, reference = ""): Promise<Shown> {
  const { request, view } = await requestNamed(walk, reference);
  return shown(statusScreen(view, request), at(walk, `/d/orders/${request.reference}`));
}
