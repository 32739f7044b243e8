/**
 * Access points that nobody confirmed: who may send them. The rule is asked when settings are chosen, when a person has
 * them sent again, when a message leaves the outbox and when a page behind a link is opened: what was judged before the
 * rule or the policy changed does not go out after it.
 */
import { TurnupError } from "../../term/error.ts";
import { sendsUnconfirmed } from "../settings/settings-for.ts";
import type { NetworkKind, OperatorTerms } from "./operator-terms.ts";
import type { OrderPolicy } from "./policy.ts";

/** The stable code of what is not sent for it: of a waiting order, a failed item, a failed message, a refused resend. */
export const SETTINGS_UNCONFIRMED = "settings_unconfirmed";

/** An operator whose SIMs are of a network that it runs itself. */
export const isHost = (kind: NetworkKind): boolean => kind === "mno";

export const maySendUnconfirmed = ({ kind, policy }: Pick<OperatorTerms, "kind" | "policy">): boolean =>
  sendsUnconfirmed({ isHost: isHost(kind), sendUnconfirmed: policy.sendUnconfirmed });

/** @throws TurnupError `unconfirmed_not_allowed`: a switch that would have no effect for this operator */
export function checkPolicy(kind: NetworkKind, policy: Pick<OrderPolicy, "sendUnconfirmed">): void {
  if (!policy.sendUnconfirmed || isHost(kind)) return;
  throw new TurnupError(
    "unconfirmed_not_allowed",
    `An operator of kind ${kind} sends access points of its own only: sendUnconfirmed has to be false.`,
    { nextStep: "Add its access points: POST /v1/access-points, or `turnup import apn FILE`." },
  );
}

/** What an item that was not sent for it failed of. */
export const WITHHELD_REASON =
  "its access points are suggestions that nobody confirmed, and the operator sends none such now";
