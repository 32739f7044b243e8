/** What a subscriber has now: before somebody changes it for them. */
import Type from "typebox";
import { ok, route } from "../../route.ts";
import { instant } from "../../schema.ts";
import { STAFF } from "../requests.ts";
import { subscriberNamed, subscriberNumber } from "./number.ts";

export const Provisioned = Type.Object({
  itemId: Type.String(),
  name: Type.String(),
  kind: Type.String(),
  since: instant(),
  version: Type.Integer({ description: "Of the catalog, as it was provisioned." }),
  isOutdated: Type.Boolean({
    description: "Another version is on offer, which would replace it when it is asked for.",
  }),
});

export const listServices = route({
  method: "GET",
  path: "/v1/subscribers/:number/services",
  summary: "The features and services that a subscriber has",
  tag: "requests",
  roles: STAFF,
  errors: ["subscriber_not_found", "imsi_malformed", "msisdn_malformed"],
  status: 200,
  params: { number: subscriberNumber },
  answer: Type.Object({ subscriberId: Type.String(), services: Type.Array(Provisioned) }),
  async handle({ requests }, { params, caller: { operatorId } }) {
    const subscriberId = await subscriberNamed(requests, operatorId, params.number);
    const services = await requests.desk.provisioned({ operatorId, subscriberId });
    return ok({ subscriberId, services: services.map((one) => ({ ...one })) });
  },
});
