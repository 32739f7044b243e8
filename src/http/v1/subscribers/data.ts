/** GET /v1/subscribers/{number}/data: what is known of one person, opened, for whoever asks for their own data. */
import Type from "typebox";
import { ok, route } from "../../route.ts";
import { instant, named } from "../../schema.ts";
import { subscriberNamed, subscriberNumber } from "./number.ts";

const PersonData = named(
  "PersonData",
  Type.Object({
    subscriberId: Type.String(),
    madeAt: instant(),
    tables: Type.Record(Type.String(), Type.Array(Type.Record(Type.String(), Type.Unknown())), {
      description: "By table, each with its rows, the newest first.",
    }),
  }),
);

export const getSubscriberData = route({
  method: "GET",
  path: "/v1/subscribers/:number/data",
  summary: "All that is known of one person, with numbers and names in clear",
  description: "For whoever asks for their own data. Each call stands in the audit.",
  tag: "requests",
  roles: ["admin"],
  errors: ["subscriber_not_found", "imsi_malformed", "msisdn_malformed"],
  status: 200,
  params: { number: subscriberNumber },
  answer: PersonData,
  async handle({ requests, erasure }, { params, caller: { operatorId, label } }) {
    const subscriberId = await subscriberNamed(requests, operatorId, params.number);
    const { tables, ...data } = await erasure.exportOf(operatorId, subscriberId, label);
    return ok({
      ...data,
      tables: Object.fromEntries(
        Object.entries(tables).map(([name, rows]) => [name, rows.map((row) => ({ ...row }))]),
      ),
    });
  },
});
