/** Sources of sightings: how much each tells, how late, and how it fares. */
import Type from "typebox";
import { SIGHTING_SOURCES } from "../../kernel/detection/sighting.ts";
import { SOURCE_STATES } from "../../kernel/detection/source-health.ts";
import { SOURCES_TELL } from "../../kernel/detection/sources.ts";
import { ok, route } from "../route.ts";
import { instant, instantOrNull, named, words } from "../schema.ts";

const Source = named(
  "SightingSource",
  Type.Object({
    source: words(SIGHTING_SOURCES),
    state: words(
      SOURCE_STATES,
      "`silent`: for ten times as long as it usually is; `refused`: most of the last hour was; `late`: what tells as it sees is minutes late.",
    ),
    reason: Type.String({ description: "A clause." }),
    tells: words(
      SOURCES_TELL,
      "`presence`: sessions from their beginning to their end; `questions`: asks at times and keeps the answer; `changes`: speaks when a handset changes; `reports`: what somebody chose to report.",
    ),
    silenceProves: Type.Boolean({
      description: "Whether a handset that it names no more is there no more: of `presence` alone.",
    }),
    firstReceivedAt: instant(),
    lastReceivedAt: instant(),
    lastSeenAt: instantOrNull(),
    perMinute: Type.Number({ description: "Sightings a minute, of the last five minutes." }),
    lastHour: Type.Object({
      received: Type.Integer(),
      changed: Type.Integer({ description: "Of which orders were opened." }),
      refused: Type.Integer(),
      lagMs: Type.Unsafe<number | null>({
        type: ["number", "null"],
        description: "Between what was seen and its arrival, on average; null: nothing came with a time.",
      }),
      lagMsMax: Type.Unsafe<number | null>({ type: ["number", "null"] }),
    }),
  }),
);

export const listSources = route({
  method: "GET",
  path: "/v1/sources",
  tag: "sightings",
  roles: ["admin", "engineer", "care"],
  errors: [],
  status: 200,
  summary: "Sources of sightings: how much each tells, how late, and how it fares",
  description:
    "Of all servers, as of a few seconds ago. Those that never told this operator anything are not in it.",
  answer: Type.Object({ sources: Type.Array(Source) }),
  async handle({ sightingSources }, { caller }) {
    const sources = await sightingSources.sources(caller.operatorId);
    return ok({ sources: sources.map((one) => ({ ...one })) });
  },
});
