/** POST /v1/data-sessions/change: has the data sessions of a SIM treated otherwise from now on. */
import Type from "typebox";
import { route } from "../../route.ts";
import { text } from "../../schema.ts";
import { numberNamed, subscriberNumber } from "../subscribers/number.ts";
import { answerSessions, SessionsAskedOut, sessionReason } from "./asked.ts";

const SECONDS_MAX = 86_400 * 365;

export const changeSessions = route({
  method: "POST",
  path: "/v1/data-sessions/change",
  summary: "Have the data sessions of a SIM changed by their gateways",
  description:
    "By CoA-Request (RFC 5176): another set of rules by its name, an end after some time, or both. Without either it is asked for nothing, which some gateways take as a word to look the subscriber up again.",
  tag: "confirmations",
  roles: ["engineer", "admin"],
  errors: ["imsi_malformed", "msisdn_malformed", "too_many_requests"],
  status: 200,
  body: Type.Object(
    {
      number: subscriberNumber,
      reason: sessionReason,
      filterId: Type.Optional(text("Filter-Id: a set of rules that the gateway knows by this name.", 200)),
      sessionTimeoutSeconds: Type.Optional(
        Type.Integer({ minimum: 1, maximum: SECONDS_MAX, description: "Session-Timeout." }),
      ),
    },
    { additionalProperties: false },
  ),
  answer: SessionsAskedOut,
  async handle({ dataSessions }, { body: { number, reason, ...changes }, caller: { operatorId, label } }) {
    const request = { kind: "change", ...changes } as const;
    return answerSessions(
      await dataSessions.ask({ operatorId, sim: numberNamed(number), request, reason, actor: label }),
    );
  },
});
