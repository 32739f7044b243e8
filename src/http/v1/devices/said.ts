/** What handsets say of themselves, as a message centre, a gateway or a device manager heard it. */
import Type from "typebox";
import { SAID_CHARACTERS_MAX, SAID_SOURCES } from "../../../kernel/detection/said-of-device.ts";
import { imeiFromNetwork } from "../../../term/imei.ts";
import { accepted, route } from "../../route.ts";
import { instantIn, text, words } from "../../schema.ts";
import { IMEI_ERRORS } from "../identifiers.ts";

const ROWS_MAX = 1_000;

const SaidIn = Type.Object(
  {
    imei: text("15 digits, or the 14 that a network sends.", 16),
    source: words(
      SAID_SOURCES,
      "`ua_profile`: X-Wap-Profile of an MMS or WAP request; `terminal_profile`: in hexadecimal; `apple_product`: `iPhone14,2`; `user_agent`: of its browser.",
    ),
    value: text("As it came.", SAID_CHARACTERS_MAX),
    saidAt: Type.Optional(instantIn("RFC 3339 time; when it was received unless given.")),
  },
  { additionalProperties: false },
);

export const reportSaid = route({
  method: "POST",
  path: "/v1/devices/said",
  summary: "Report what handsets said of themselves",
  description:
    "Of each handset the last word of each source is kept, where the operator has seen the handset. It helps to name models that no list names (`GET /v1/devices/unknown`), and marks a handset whose IMEI is of another model (`GET /v1/devices/doubts`). Written within seconds.",
  tag: "devices",
  roles: ["probe", "engineer", "admin"],
  errors: IMEI_ERRORS,
  status: 202,
  bodyLimitOctets: 1_048_576,
  body: Type.Object(
    { said: Type.Array(SaidIn, { minItems: 1, maxItems: ROWS_MAX }) },
    { additionalProperties: false },
  ),
  answer: Type.Object({ taken: Type.Integer() }),
  async handle({ heardOfDevice, clock }, { body, caller: { operatorId } }) {
    const now = clock();
    const heard = body.said.map(({ imei, source, value, saidAt }) => {
      const at = saidAt === undefined ? now : new Date(saidAt);
      return { operatorId, device: { imei: imeiFromNetwork(imei) }, source, value, at: at > now ? now : at };
    });
    for (const one of heard) heardOfDevice(one);
    return accepted({ taken: heard.length });
  },
});
