/** POST /v1/data-sessions/disconnect: has the data sessions of a SIM ended. */
import Type from "typebox";
import { route } from "../../route.ts";
import { numberNamed, subscriberNumber } from "../subscribers/number.ts";
import { answerSessions, SessionsAskedOut, sessionReason } from "./asked.ts";

export const disconnectSessions = route({
  method: "POST",
  path: "/v1/data-sessions/disconnect",
  summary: "Have the data sessions of a SIM ended by their gateways",
  description:
    "By Disconnect-Request (RFC 5176). The handset opens new ones when it wants to, with the settings that it has then. What each gateway answered is told, and stands in the audit.",
  tag: "confirmations",
  roles: ["care", "engineer", "admin"],
  errors: ["imsi_malformed", "msisdn_malformed", "too_many_requests"],
  status: 200,
  body: Type.Object({ number: subscriberNumber, reason: sessionReason }, { additionalProperties: false }),
  answer: SessionsAskedOut,
  async handle({ dataSessions }, { body: { number, reason }, caller: { operatorId, label } }) {
    const request = { kind: "disconnect" } as const;
    return answerSessions(
      await dataSessions.ask({ operatorId, sim: numberNamed(number), request, reason, actor: label }),
    );
  },
});
