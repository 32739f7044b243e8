/** POST /v1/subscribers/{number}/erase: a person's data goes, or it is told what would go and what holds it. */
import Type from "typebox";
import { HOLD_NAMES } from "../../../kernel/account/erasure.ts";
import { ok, route } from "../../route.ts";
import { instantOrNull, named, words } from "../../schema.ts";
import { subscriberNamed, subscriberNumber } from "./number.ts";

const Erasure = named(
  "Erasure",
  Type.Object({
    subscriberId: Type.String(),
    holds: Type.Array(words(HOLD_NAMES), {
      description: "What needs the data still: money that is due, what is under way. Empty: nothing.",
    }),
    erases: Type.Object(
      {
        messages: Type.Integer(),
        pairings: Type.Integer(),
        devices: Type.Integer({
          description: "Handsets that nobody else was seen with: their IMEIs go too.",
        }),
        requests: Type.Integer(),
        records: Type.Integer(),
      },
      { description: "What goes, or would. Orders, postings and counts stay, and name nobody any more." },
    ),
    erasedAt: instantOrNull(),
  }),
);

export const eraseSubscriber = route({
  method: "POST",
  path: "/v1/subscribers/:number/erase",
  summary: "Erase a person's data, or look beforehand what goes and what holds it",
  description:
    "Numbers, names, addresses, texts and handsets of one SIM go for good. Nothing is erased while money or an order needs them: the problem says what does. A SIM that the network sees again is a new one.",
  tag: "requests",
  roles: ["admin"],
  errors: ["subscriber_not_found", "subscriber_held", "imsi_malformed", "msisdn_malformed"],
  status: 200,
  params: { number: subscriberNumber },
  body: Type.Object(
    { dryRun: Type.Optional(Type.Boolean({ description: "True: nothing is erased." })) },
    { additionalProperties: false },
  ),
  answer: Erasure,
  async handle({ requests, erasure }, { params, body, caller: { operatorId, label } }) {
    const subscriberId = await subscriberNamed(requests, operatorId, params.number);
    const view = body.dryRun
      ? await erasure.look(operatorId, subscriberId)
      : await erasure.erase(operatorId, subscriberId, label);
    return ok({ ...view, holds: [...view.holds] });
  },
});
