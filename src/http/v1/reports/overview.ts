/** GET /v1/reports/overview: where orders of the last hours stand, how many come, what fails, and the message centres. */
import Type from "typebox";
import { ORDER_STATES } from "../../../kernel/order/order.ts";
import { STATIONS } from "../../../kernel/order/overview.ts";
import { hoursAfter } from "../../../term/moment.ts";
import { recordOf } from "../../../term/record.ts";
import { ok, route } from "../../route.ts";
import { instant, named, textOrNull, words } from "../../schema.ts";

const HOURS_DEFAULT = 24;
const HOURS_MAX = 168;
/** Points of the rate: as many as a chart of a page's width can tell apart. */
const STEPS = 60;

const Failure = named(
  "FailureGroup",
  Type.Object({
    state: words(ORDER_STATES, "Of the orders: all of each failed, or a part."),
    kind: Type.String(),
    cause: textOrNull({ description: "Stable; null where nobody said one." }),
    reason: Type.String({ description: "Of the newest of them." }),
    make: textOrNull(),
    model: textOrNull(),
    orders: Type.Integer(),
    firstAt: instant(),
    lastAt: instant(),
  }),
);
const Overview = named(
  "Overview",
  Type.Object({
    since: instant("Orders opened at this moment and later are counted."),
    orders: Type.Integer({ description: "Looked at." }),
    isWhole: Type.Boolean({ description: "False: there are more, and the oldest were left out." }),
    stations: Type.Object(
      recordOf(STATIONS, () => Type.Integer()),
      {
        description: "How many orders reached each station of the line with at least one item.",
      },
    ),
    states: Type.Object(recordOf(ORDER_STATES, () => Type.Integer())),
    rate: Type.Array(
      Type.Object({ at: instant(), seen: Type.Integer(), done: Type.Integer(), failed: Type.Integer() }),
    ),
    stepSeconds: Type.Integer({ description: "Length of an interval of `rate`." }),
    failures: Type.Array(Failure, {
      description: "Grouped by state, item, cause and model; most orders first, at most 20.",
    }),
    centres: Type.Array(Type.Object({ name: Type.String(), bound: Type.Boolean() })),
  }),
);

export const reportOverview = route({
  method: "GET",
  path: "/v1/reports/overview",
  summary:
    "Where the orders of the last hours stand, how many come, what fails of what, and which message centres are bound",
  tag: "orders",
  roles: ["admin", "engineer", "care"],
  errors: [],
  status: 200,
  query: {
    hours: Type.Optional(
      Type.Integer({
        minimum: 1,
        maximum: HOURS_MAX,
        description: `Back from now; ${HOURS_DEFAULT} unless given.`,
      }),
    ),
  },
  answer: Overview,
  async handle({ overviews, clock, messageCentres }, { query: { hours = HOURS_DEFAULT }, caller }) {
    const since = hoursAfter(clock(), -hours);
    const stepSeconds = (hours * 3_600) / STEPS;
    const { states, rate, failures, ...overview } = await overviews.overview(
      caller.operatorId,
      since,
      stepSeconds,
    );
    return ok({
      ...overview,
      since: since.toISOString(),
      states: recordOf(ORDER_STATES, (state) => states[state] ?? 0),
      rate: [...rate],
      stepSeconds,
      failures: [...failures],
      centres: [...(messageCentres?.() ?? [])],
    });
  },
});
