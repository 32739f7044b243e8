/** POST /v1/access-points/test: what a SIM would get now, by which rule, and why each other access point is passed over. */
import Type from "typebox";
import { USES } from "../../../kernel/settings/access-point.ts";
import { TurnupError } from "../../../term/error.ts";
import { imeiFromNetwork } from "../../../term/imei.ts";
import { parseImsi } from "../../../term/imsi.ts";
import { InvalidRequest } from "../../problem.ts";
import { passwordFor } from "../../redact.ts";
import { ok, route } from "../../route.ts";
import { id, named, text, textOrNull, words } from "../../schema.ts";
import { IMEI_ERRORS } from "../identifiers.ts";
import { Match } from "../settings/find.ts";
import { subscriberNamed } from "../subscribers/number.ts";

const Tested = named(
  "AccessPointTest",
  Type.Object({
    subscriberId: textOrNull({
      description: "Null: the SIM was not seen yet, and its number alone is known.",
    }),
    uses: Type.Array(
      Type.Object({
        use: words(USES),
        chosen: Type.Union([Type.Null(), Match]),
        rule: Type.String({ description: "By what it was let in, or why nothing is sent." }),
        nextAction: textOrNull(),
        passedOver: Type.Array(
          Type.Object({
            accessPointId: Type.String(),
            apn: Type.String(),
            source: Type.String(),
            reason: Type.String(),
          }),
        ),
      }),
    ),
    unchecked: textOrNull({
      description: "What was not looked at before the SIM was taken for the network's own.",
    }),
    device: Type.Union([
      Type.Null(),
      Type.Object({
        make: textOrNull(),
        model: textOrNull(),
        form: textOrNull({ description: "In which its model takes settings." }),
        protocol: Type.String(),
        blockedUses: Type.Array(Type.String()),
      }),
    ]),
  }),
);

export const testAccessPoints = route({
  method: "POST",
  path: "/v1/access-points/test",
  summary:
    "What a SIM would get now, by which rule, in which form, and why other access points are passed over",
  description:
    "Named by IMSI, phone number or id, in the body, so that no number stands in an address. With an IMEI it is tried in that handset. Nothing is sent.",
  tag: "settings",
  roles: ["admin", "engineer", "care"],
  errors: ["subscriber_not_found", "imsi_malformed", "msisdn_malformed", ...IMEI_ERRORS],
  status: 200,
  body: Type.Object(
    {
      imsi: Type.Optional(text("14 or 15 digits.", 15)),
      msisdn: Type.Optional(Type.String({ pattern: "^\\+?[0-9]{6,15}$", description: "In E.164." })),
      subscriberId: Type.Optional(id("Of the SIM.")),
      imei: Type.Optional(text("Of a handset to try it in.", 16)),
    },
    { additionalProperties: false },
  ),
  answer: Tested,
  async handle({ settings, requests }, { body, caller: { operatorId, role } }) {
    const { imsi, msisdn, subscriberId, imei } = body;
    const [number, ...more] = [imsi, msisdn, subscriberId].filter((one) => one !== undefined);
    if (number === undefined || more.length > 0)
      throw new InvalidRequest([{ at: "body", wanted: "one of imsi, msisdn and subscriberId" }]);
    const known = subscriberId ?? (await knownAs(requests, operatorId, { imsi, msisdn }));
    const sim = known === undefined ? { imsi: parseImsi(number) } : { subscriberId: known };
    const held = imei === undefined ? undefined : imeiFromNetwork(imei);
    const tried = await settings.tryOut(operatorId, sim, held);
    if (!tried)
      throw new TurnupError("subscriber_not_found", "No SIM of this operator has this id.", {
        nextStep: "Name it by its IMSI or phone number.",
      });
    return ok({
      subscriberId: known ?? null,
      unchecked: tried.unchecked,
      device: tried.device && { ...tried.device, blockedUses: [...tried.device.blockedUses] },
      uses: tried.uses.map((one) => ({
        ...one,
        chosen: one.chosen && {
          ...one.chosen,
          password: passwordFor(one.chosen.password, role === "admin"),
          agreeing: [...one.chosen.agreeing],
        },
        passedOver: [...one.passedOver],
      })),
    });
  },
});

/** Undefined: an IMSI that nobody saw yet. @throws TurnupError `subscriber_not_found`, of a phone number alone */
async function knownAs(
  requests: Parameters<typeof subscriberNamed>[0],
  operatorId: string,
  { imsi, msisdn }: { readonly imsi: string | undefined; readonly msisdn: string | undefined },
): Promise<string | undefined> {
  if (imsi !== undefined) return await requests.reader.subscriberOf(operatorId, { imsi: parseImsi(imsi) });
  const plus = msisdn?.startsWith("+") ? msisdn : `+${msisdn}`;
  return await subscriberNamed(requests, operatorId, plus);
}
