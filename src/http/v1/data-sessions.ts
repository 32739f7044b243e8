/** GET /v1/data-sessions: data sessions of one SIM that a gateway can be asked to end or to change. */
import Type from "typebox";
import { ok, route } from "../route.ts";
import { instant, named, text, textOrNull } from "../schema.ts";
import { numberNamed, subscriberNumber } from "./subscribers/number.ts";

export const liveSession = {
  gateway: text("Name of the gateway in `radius.clients_file`.", 64),
  apn: textOrNull({ description: "Access point, as the gateway told it." }),
  since: instant("When this server first heard of it."),
  heardAt: instant("When it last heard of it."),
};

export const listDataSessions = route({
  method: "GET",
  path: "/v1/data-sessions",
  summary: "List the data sessions of a SIM that may be ended here",
  description:
    "As packet gateways told of them by RADIUS accounting, of gateways that have `disconnect` in `radius.clients_file`. Each server knows those that it heard of itself, for a day after the last word.",
  tag: "confirmations",
  roles: ["care", "engineer", "admin"],
  errors: ["imsi_malformed", "msisdn_malformed"],
  status: 200,
  query: { number: subscriberNumber },
  answer: named("LiveSessions", Type.Object({ rows: Type.Array(Type.Object(liveSession)) })),
  async handle({ dataSessions }, { query, caller: { operatorId } }) {
    const rows = await dataSessions.of(operatorId, numberNamed(query.number));
    return ok({
      rows: rows.map(({ since, heardAt, ...one }) => ({
        ...one,
        ...{ since: since.toISOString(), heardAt: heardAt.toISOString() },
      })),
    });
  },
});
