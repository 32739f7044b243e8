/** The operator's own account number of a subscriber: what the billing centre knows the subscriber by (R119). */
import Type from "typebox";
import { ok, route } from "../../route.ts";
import { accountNumberOrNull } from "../requests/schema.ts";
import { subscriberNamed, subscriberNumber } from "./number.ts";

export const putBillingAccount = route({
  method: "PUT",
  path: "/v1/subscribers/:number/billing-account",
  summary: "Give a subscriber the operator's own account number, or take it away with null",
  description: "The billing centre hears of it with the next change of what the subscriber has.",
  tag: "requests",
  roles: ["admin", "engineer", "care"],
  errors: ["subscriber_not_found", "imsi_malformed", "msisdn_malformed"],
  status: 200,
  params: { number: subscriberNumber },
  body: Type.Object({ accountNumber: accountNumberOrNull }, { additionalProperties: false }),
  answer: Type.Object({ subscriberId: Type.String(), isSet: Type.Boolean() }),
  async handle({ requests, audit }, { params, body, caller: { operatorId, label } }) {
    const subscriberId = await subscriberNamed(requests, operatorId, params.number);
    await requests.putAccountNumber({ operatorId, subscriberId, number: body.accountNumber });
    const isSet = body.accountNumber !== null;
    const detail = { isSet };
    await audit.record(operatorId, {
      actor: label,
      action: "billing_account.put",
      subject: subscriberId,
      detail,
    });
    return ok({ subscriberId, isSet });
  },
});
