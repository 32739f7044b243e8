/** GET /v1/reports/retained-counts: what retention put away, still counted by month. It names nobody. */
import Type from "typebox";
import { RETAINED_KINDS } from "../../../kernel/operator/retention.ts";
import { ok, route } from "../../route.ts";
import { named, words } from "../../schema.ts";

const month = (description: string) =>
  Type.Optional(
    Type.String({ pattern: "^20[0-9]{2}-(?:0[1-9]|1[0-2])$", examples: ["2026-05"], description }),
  );

const RetainedCount = named(
  "RetainedCount",
  Type.Object({
    month: Type.String({ examples: ["2026-05"] }),
    what: Type.Array(Type.String(), {
      description:
        "Sightings: outcome, source, serving network. Events: kind, state. Audit: action. Messages: kind, state. People: home network.",
    }),
    count: Type.Integer(),
  }),
);

export const reportRetainedCounts = route({
  method: "GET",
  path: "/v1/reports/retained-counts",
  summary: "What was put away by the policy's retention, still counted by month",
  tag: "policy",
  roles: ["admin", "engineer"],
  errors: [],
  status: 200,
  query: {
    kind: words(RETAINED_KINDS, "Of which kind."),
    from: month("First month, by UTC."),
    to: month("Last month, by UTC."),
  },
  answer: Type.Object({ counts: Type.Array(RetainedCount) }),
  async handle({ retention }, { query, caller }) {
    const counts = await retention.statistics(caller.operatorId, query);
    return ok({ counts: counts.map((one) => ({ ...one, what: [...one.what] })) });
  },
});
