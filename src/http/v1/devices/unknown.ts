/** The queue of models to review (R77): what was seen and is named by no list. */
import Type from "typebox";
import { answerPage } from "../../page.ts";
import { route } from "../../route.ts";
import { instant, named, PAGE_ROWS_DEFAULT, PAGE_ROWS_MAX, page } from "../../schema.ts";

const UnknownModel = named(
  "UnknownModel",
  Type.Object({
    tac: Type.String(),
    handsets: Type.Integer({ description: "Seen on the operator's network; counted up to 10,000." }),
    subscribers: Type.Integer({ description: "Whose SIMs were in them." }),
    firstSeenAt: instant(),
    lastSeenAt: instant(),
  }),
);

export const listUnknownDevices = route({
  method: "GET",
  path: "/v1/devices/unknown",
  summary: "TACs that were seen and that no list names, to be reviewed",
  description:
    "In the order of the TACs. One leaves the queue when `turnup import tac` names it, or `PUT /v1/overrides` says something of it (`scope` `tac`).",
  tag: "devices",
  roles: ["admin", "engineer", "care"],
  errors: [],
  status: 200,
  query: {
    limit: Type.Optional(
      Type.Integer({
        minimum: 1,
        maximum: PAGE_ROWS_MAX,
        description: `Rows of one page; ${PAGE_ROWS_DEFAULT} unless given.`,
      }),
    ),
    cursor: Type.Optional(
      Type.String({ pattern: "^\\d{8}$", description: "`nextCursor` of the page before: a TAC." }),
    ),
  },
  answer: page(UnknownModel),
  async handle({ unknownModels }, { query, caller, request }) {
    const { limit = PAGE_ROWS_DEFAULT, cursor } = query;
    return answerPage(await unknownModels.list(caller.operatorId, { limit, cursor }), request);
  },
});
