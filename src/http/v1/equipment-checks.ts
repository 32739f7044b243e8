/** What a core would be answered about a handset. */
import Type from "typebox";
import { ok, route } from "../route.ts";
import { textOrNull, words } from "../schema.ts";

export const checkEquipment = route({
  method: "POST",
  path: "/v1/equipment-checks",
  summary: "What a core would be answered about a handset, and by which list",
  tag: "equipment",
  roles: ["admin", "engineer", "care"],
  errors: [],
  status: 200,
  body: Type.Object(
    {
      imei: Type.String({
        pattern: "^[0-9]{14,16}$",
        description: "14 to 16 digits; two more than 14 are the software version.",
      }),
      imsi: Type.Optional(Type.String({ pattern: "^[0-9]{6,15}$" })),
      softwareVersion: Type.Optional(Type.String({ pattern: "^[0-9]{2}$" })),
    },
    { additionalProperties: false },
  ),
  answer: Type.Object({
    answer: words(["white", "grey", "black", "unknown"]),
    list: textOrNull({ description: "Null: none says so." }),
    isSpecial: Type.Boolean({ description: "Zeros and test numbers, which no sold handset has." }),
  }),
  async handle({ equipmentChecks }, { body, caller }) {
    const { imei, imsi, softwareVersion } = body;
    const verdict = equipmentChecks.verdictOf(caller.operatorId, { imei, imsi, softwareVersion });
    return ok({ ...verdict, list: verdict.list ?? null });
  },
});
