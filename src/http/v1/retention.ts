/** GET /v1/retention: what the policy puts away, or what another one would. Nothing is changed by looking. */
import Type from "typebox";
import {
  LEAST_MONTHS,
  MOST_MONTHS,
  RETAINED_KINDS,
  type RetainedKind,
} from "../../kernel/operator/retention.ts";
import { ok, route } from "../route.ts";
import { instantOrNull, integerOrNull, named, words } from "../schema.ts";

const Retained = named(
  "Retained",
  Type.Object({
    kind: words(RETAINED_KINDS),
    months: integerOrNull({ description: "Whole months that the policy in force keeps; null: for ever." }),
    askedMonths: integerOrNull({ description: "As was asked for this look, or else the policy's." }),
    keptFrom: instantOrNull(),
    over: Type.Array(
      Type.Object({
        month: Type.String({ description: "By UTC.", examples: ["2026-05"] }),
        entries: Type.Integer(),
      }),
      { description: "What goes, or would, by month. Histories of orders under way are not among it." },
    ),
    sweptAt: instantOrNull(),
  }),
);

const months = (kind: RetainedKind) =>
  Type.Optional(
    Type.Integer({
      minimum: LEAST_MONTHS[kind],
      maximum: MOST_MONTHS,
      description: `Look as if the policy kept ${kind} for so many months.`,
    }),
  );

export const getRetention = route({
  method: "GET",
  path: "/v1/retention",
  summary: "What the policy puts away, or what another one would: by kind and month",
  tag: "policy",
  roles: ["admin", "engineer"],
  errors: [],
  status: 200,
  query: {
    sightings: months("sightings"),
    events: months("events"),
    audit: months("audit"),
    messages: months("messages"),
    people: months("people"),
  },
  answer: Type.Object({ kinds: Type.Array(Retained) }),
  async handle({ retention }, { query, caller }) {
    const kinds = await retention.look(caller.operatorId, query);
    return ok({ kinds: kinds.map((one) => ({ ...one, over: [...one.over] })) });
  },
});
