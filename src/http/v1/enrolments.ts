/** A one-time token for a device that has no factory certificate, sent to its SIM: the proxy enrols the device's own key. */
import { createHash } from "node:crypto";
import Type from "typebox";
import { TurnupError } from "../../term/error.ts";
import { parseImei } from "../../term/imei.ts";
import { maskIdentifier } from "../../term/mask.ts";
import { InvalidRequest } from "../problem.ts";
import { accepted, route } from "../route.ts";
import { instant, text } from "../schema.ts";
import { IDENTIFIER_ERRORS, identifiersIn } from "./identifiers.ts";
import { STAFF } from "./requests.ts";

const TOKEN_OCTETS = 16;
const TOKEN_MINUTES = 60;

export const issueEnrolment = route({
  method: "POST",
  path: "/v1/enrolments",
  summary: "Send a subscriber the one-time token by which the device enrols at the proxy",
  description:
    "The token goes to the SIM by SMS and is never shown here. It is spent when a certificate is issued for it.",
  tag: "requests",
  roles: STAFF,
  errors: ["subscriber_not_found", ...IDENTIFIER_ERRORS],
  status: 202,
  once: "door",
  body: Type.Object(
    {
      msisdn: Type.Optional(text("E.164.", 40)),
      imsi: Type.Optional(text("6 to 15 digits.", 15)),
      imei: Type.Optional(text("The only device that may use it: 15 digits.", 20)),
    },
    { additionalProperties: false },
  ),
  answer: Type.Object({ sentTo: Type.String({ description: "Masked." }), expiresAt: instant() }),
  async handle({ enrolments, texts, audit, requests, clock }, { body, caller: { operatorId, label }, once }) {
    if (body.imsi === undefined && body.msisdn === undefined)
      throw new InvalidRequest([{ at: "body", wanted: "msisdn or imsi" }]);
    const token = Buffer.from(requests.freshOctets(TOKEN_OCTETS)).toString("base64url");
    const expiresAt = new Date(clock().getTime() + TOKEN_MINUTES * 60_000);
    const issued = await enrolments.issue(operatorId, {
      who: identifiersIn({ imsi: body.imsi, msisdn: body.msisdn }),
      imei: body.imei === undefined ? null : parseImei(body.imei),
      tokenHash: createHash("sha256").update(token).digest(),
      expiresAt,
    });
    if (!issued)
      throw new TurnupError(
        "subscriber_not_found",
        "Nobody with a phone number is known by what was given.",
        {
          nextStep: "Send a sighting with IMSI and MSISDN first.",
        },
      );
    const { name } = await requests.operatorOf(operatorId);
    await texts.send(operatorId, [
      {
        to: issued.msisdn,
        text: `${name}: the code that sets up your device is ${token}. It is valid for ${TOKEN_MINUTES} minutes.`,
        idempotencyKey: `enrolment:${once.subjectId}`,
      },
    ]);
    const sentTo = maskIdentifier(issued.msisdn, "msisdn");
    await audit.record(operatorId, { actor: label, action: "enrolment.issue", subject: sentTo, detail: {} });
    return accepted({ sentTo, expiresAt: expiresAt.toISOString() });
  },
});
