/** SIMs that two sources see in two handsets at once. */
import Type from "typebox";
import { CONFLICT_RULES } from "../../../kernel/detection/conflict.ts";
import { SIGHTING_SOURCES } from "../../../kernel/detection/sighting.ts";
import { answerPage, pageOf } from "../../page.ts";
import { route } from "../../route.ts";
import { instant, named, page, pageQuery, words } from "../../schema.ts";

export const SightingConflictOut = named(
  "SightingConflict",
  Type.Object({
    id: Type.String(),
    subscriberId: Type.String(),
    imsiMasked: Type.String(),
    rule: words(
      CONFLICT_RULES,
      "`at_once`: two handsets within a minute; `between`: a source that tells of every session named the same handset before and behind.",
    ),
    source: words(SIGHTING_SOURCES),
    imeiMasked: Type.String({ description: "Where it sees the SIM." }),
    otherSource: words(SIGHTING_SOURCES),
    otherImeiMasked: Type.String(),
    foundAt: instant(),
    lastAt: instant(),
    times: Type.Integer({ description: "How often they disagreed so." }),
  }),
);

export const listSightingConflicts = route({
  method: "GET",
  path: "/v1/sightings/conflicts",
  tag: "sightings",
  roles: ["admin", "engineer", "care"],
  errors: [],
  status: 200,
  summary: "SIMs that two sources see in two handsets at once, newest first",
  description:
    "The newest true sighting counts all the same; a conflict tells that one of the two is wrong, or that two cards bear the number.",
  query: pageQuery,
  answer: page(SightingConflictOut),
  async handle({ sightingConflicts }, { query, caller, request }) {
    const { rows, nextCursor } = await sightingConflicts.list(caller.operatorId, pageOf(query));
    return answerPage({ rows: rows.map((row) => ({ ...row })), nextCursor }, request);
  },
});
