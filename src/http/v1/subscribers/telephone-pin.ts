/** A subscriber's PIN for the telephone, set or taken away by those who care for them; nobody reads it (R69). */
import Type from "typebox";
import { PIN_DIGITS } from "../../../kernel/account/telephone-pin.ts";
import { ok, route } from "../../route.ts";
import { subscriberNamed, subscriberNumber } from "./number.ts";

const shared = {
  path: "/v1/subscribers/:number/telephone-pin",
  tag: "requests",
  roles: ["admin", "care"],
  status: 200,
  params: { number: subscriberNumber },
  answer: Type.Object({ subscriberId: Type.String(), isSet: Type.Boolean() }),
} as const;

export const putTelephonePin = route({
  ...shared,
  method: "PUT",
  summary: "Set a subscriber's PIN for the telephone, in place of the one before",
  description: "It is asked for beside the code by SMS. A new one also ends the lock of the one before.",
  errors: ["subscriber_not_found", "imsi_malformed", "msisdn_malformed", "telephone_pin_unfit"],
  body: Type.Object(
    {
      pin: Type.String({
        pattern: `^[0-9]{${PIN_DIGITS.min},${PIN_DIGITS.max}}$`,
        description: `${PIN_DIGITS.min} to ${PIN_DIGITS.max} digits, not one again and again and none in a row.`,
      }),
    },
    { additionalProperties: false },
  ),
  async handle({ requests, audit }, { params, body, caller: { operatorId, label } }) {
    const subscriberId = await subscriberNamed(requests, operatorId, params.number);
    await requests.pins.put(operatorId, subscriberId, body.pin);
    await audit.record(operatorId, { actor: label, action: "telephone_pin.put", subject: subscriberId });
    return ok({ subscriberId, isSet: true });
  },
});

export const deleteTelephonePin = route({
  ...shared,
  method: "DELETE",
  summary: "Take a subscriber's PIN for the telephone away: the code by SMS is enough again",
  errors: ["subscriber_not_found", "imsi_malformed", "msisdn_malformed"],
  async handle({ requests, audit }, { params, caller: { operatorId, label } }) {
    const subscriberId = await subscriberNamed(requests, operatorId, params.number);
    if (await requests.pins.remove(operatorId, subscriberId))
      await audit.record(operatorId, { actor: label, action: "telephone_pin.remove", subject: subscriberId });
    return ok({ subscriberId, isSet: false });
  },
});
