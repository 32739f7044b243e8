/** GET /v1/settings/find: the access points for one SIM. */
import Type, { type Static } from "typebox";
import { PDN_PROTOCOLS, type SettingsQuery, USES } from "../../../kernel/settings/access-point.ts";
import { redactSecrets } from "../../redact.ts";
import { ok, route } from "../../route.ts";
import { integerOrNull, named, text, textOrNull, words, wordsOrNull } from "../../schema.ts";

export const Match = named(
  "SettingsMatch",
  Type.Object({
    use: words(USES),
    apn: Type.String(),
    name: Type.String(),
    provider: textOrNull(),
    protocol: wordsOrNull(PDN_PROTOCOLS),
    authType: textOrNull(),
    user: textOrNull(),
    password: textOrNull({ description: "*** unless the role is admin." }),
    mmsc: textOrNull(),
    mmsProxy: textOrNull(),
    mmsPort: integerOrNull(),
    proxy: textOrNull(),
    port: integerOrNull(),
    homepage: textOrNull(),
    confirmed: Type.Boolean({
      description: "The operator's own word; false is a suggestion that nobody confirmed.",
    }),
    source: Type.Object({ name: Type.String(), version: Type.String(), licence: Type.String() }),
    agreeing: Type.Array(Type.String(), { description: "Other sets that name the same access point." }),
    match: Type.String({ description: "The criterion that let it in." }),
    matchValue: Type.String(),
    accessPointId: Type.String(),
  }),
);
const SettingsFound = named(
  "SettingsFound",
  Type.Object({
    matches: Type.Array(Match, { description: "Best first." }),
    refused: Type.Optional(Type.Object({ code: Type.String(), reason: Type.String() })),
    unchecked: Type.Optional(
      Type.Object(
        {
          code: Type.String(),
          reason: Type.String(),
          signs: Type.Array(Type.String(), { description: "spn, gid1, gid2, imsi or iccid." }),
        },
        {
          description:
            "There where neither SPN nor GID1 was given: the SIM may be a virtual operator's, and nothing of it could tell.",
        },
      ),
    ),
  }),
);

export const findSettings = route({
  method: "GET",
  path: "/v1/settings/find",
  summary: "The access points for one SIM, best first",
  description:
    "The operator's own before shipped suggestions. A virtual operator's SIM never silently gets its host's. An answer is what is known, not what is sent: `confirmed` false goes out only for hosts whose policy says so.",
  tag: "settings",
  roles: ["admin", "engineer", "care"],
  errors: [],
  status: 200,
  query: {
    mcc: Type.String({ pattern: "^[0-9]{3}$", description: "3 digits." }),
    mnc: Type.String({ pattern: "^[0-9]{2,3}$", description: "2 or 3 digits; 01 is not 001." }),
    gid1: Type.Optional(Type.String({ pattern: "^[0-9A-Fa-f]{0,40}$", description: "Hexadecimal." })),
    spn: Type.Optional(text("Service provider name.", 40, 0)),
    imsi: Type.Optional(Type.String({ pattern: "^[0-9]{6,15}$", description: "6 to 15 digits." })),
    iccid: Type.Optional(Type.String({ pattern: "^[0-9]{6,20}$", description: "6 to 20 digits." })),
  },
  answer: SettingsFound,
  async handle({ settings }, { query, caller }) {
    const found = await settings.find(caller.operatorId, query as SettingsQuery); // what is absent stays absent: a query knows no undefined
    return ok(redactSecrets(found, caller.role === "admin") as Static<typeof SettingsFound>); // texts alone were redacted
  },
});
