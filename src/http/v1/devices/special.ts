/** Numbers that name no handset and came all the same. */
import Type from "typebox";
import { SIGHTING_SOURCES } from "../../../kernel/detection/sighting.ts";
import { IMEI_CLASSES } from "../../../kernel/detection/special-imei.ts";
import { ok, route } from "../../route.ts";
import { instant, named, words } from "../../schema.ts";

const SpecialImeis = named(
  "SpecialImeis",
  Type.Object({
    class: words(
      IMEI_CLASSES,
      "`zeros`; `run`: one digit over and over, or a count; `test`: of a reporting body for tests; `blank_serial`: one that repair tools write.",
    ),
    source: words(SIGHTING_SOURCES),
    times: Type.Integer({ description: "Sightings." }),
    lastAt: instant(),
  }),
);

export const listSpecialImeis = route({
  method: "GET",
  path: "/v1/devices/special",
  tag: "devices",
  roles: ["admin", "engineer", "care"],
  errors: [],
  status: 200,
  summary:
    "How often numbers came that name no handset: zeros, runs and numbers for tests, which are refused",
  description: "Of the last 30 days, by class and source.",
  answer: Type.Object({ special: Type.Array(SpecialImeis) }),
  async handle({ sightingSources }, { caller }) {
    const special = await sightingSources.special(caller.operatorId);
    return ok({ special: special.map((one) => ({ ...one })) });
  },
});
