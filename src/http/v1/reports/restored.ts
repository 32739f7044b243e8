/** GET /v1/reports/restored: handsets left behind by their makers that work again, by model and cause. */
import Type from "typebox";
import { ok, route } from "../../route.ts";
import { instantIn, named } from "../../schema.ts";

const Restored = named(
  "Restored",
  Type.Object({
    make: Type.Union([Type.String(), Type.Null()]),
    model: Type.Union([Type.String(), Type.Null()]),
    rule: Type.String({
      description: "The rule by which the handset counted as left behind by its maker.",
    }),
    handsets: Type.Integer({
      description: "Handsets that were seen to work again, by every item of their order.",
    }),
    withKey: Type.Integer({ description: "Of them, those that a device key brought back." }),
  }),
);

export const reportRestored = route({
  method: "GET",
  path: "/v1/reports/restored",
  summary:
    "Handsets left behind by their makers that work again, by model and cause: care calls that did not come",
  tag: "orders",
  roles: ["admin", "engineer", "care"],
  errors: [],
  status: 200,
  query: {
    from: Type.Optional(instantIn("RFC 3339 time; seen to work at this moment or later.")),
    to: Type.Optional(instantIn("RFC 3339 time; seen to work before this moment.")),
  },
  answer: Type.Object({
    handsets: Type.Integer({ description: "Of all rows." }),
    restored: Type.Array(Restored),
  }),
  async handle({ orders }, { query, caller }) {
    const restored = await orders.restored(caller.operatorId, query);
    return ok({ handsets: restored.reduce((sum, row) => sum + row.handsets, 0), restored: [...restored] });
  },
});
