/** The queue of models to review (R77): what was seen and is named by no list, and the rows that name it once a person approves. */
import Type, { type Static } from "typebox";
import { actingOf } from "../../../kernel/account/person.ts";
import type { ProposedModel } from "../../../kernel/detection/propose-model.ts";
import { RADIO_TYPES } from "../../../kernel/detection/radio-type.ts";
import { SAID_SOURCES } from "../../../kernel/detection/said-of-device.ts";
import type { UnknownModel } from "../../../kernel/detection/unknown-model.ts";
import { PROPOSED_ROWS_MAX } from "../../../kernel/jobs/model-proposals.ts";
import { parseTac } from "../../../term/imei.ts";
import { keysOf } from "../../../term/record.ts";
import { answerPage } from "../../page.ts";
import { accepted, route } from "../../route.ts";
import { instant, named, PAGE_ROWS_DEFAULT, PAGE_ROWS_MAX, page, text, words } from "../../schema.ts";

const Proposal = {
  make: Type.String(),
  model: Type.String({ description: "As the handsets write it: a name or a code." }),
  handsets: Type.Integer({ description: "That say so." }),
  ofHandsets: Type.Integer({ description: "That name a model at all." }),
  sources: Type.Array(words(SAID_SOURCES)),
};

const UnknownDevice = named(
  "UnknownModel",
  Type.Object({
    tac: Type.String(),
    handsets: Type.Integer({ description: "Seen on the operator's network; counted up to 10,000." }),
    subscribers: Type.Integer({ description: "Whose SIMs were in them." }),
    firstSeenAt: instant(),
    lastSeenAt: instant(),
    ageWindows: Type.Array(Type.Object({ from: Type.Integer(), to: Type.Integer() }), {
      description:
        "Years in which such numbers were given out: two where the numbering was used twice, none where the range is not known.",
    }),
    isSpecial: Type.Boolean({ description: "Numbers for tests, runs and the like: no model has them." }),
    radios: Type.Array(words(keysOf(RADIO_TYPES)), { description: "On which its handsets were seen." }),
    said: Type.Array(
      Type.Object({ source: words(SAID_SOURCES), value: Type.String(), handsets: Type.Integer() }),
      { description: "What its handsets say of themselves, what most say first; at most 5." },
    ),
    proposal: Type.Unsafe<ProposedModel | null>({
      type: ["object", "null"],
      properties: Proposal,
      required: Object.keys(Proposal),
      description:
        "The row that they make likely, where two at least agree; null: they do not, or say too little.",
    }),
  }),
);
const written = ({
  ageWindows,
  radios,
  said,
  proposal,
  ...row
}: UnknownModel): Static<typeof UnknownDevice> => ({
  ...row,
  ageWindows: [...ageWindows],
  radios: [...radios],
  said: [...said],
  proposal,
});

export const listUnknownDevices = route({
  method: "GET",
  path: "/v1/devices/unknown",
  summary: "TACs that were seen and that no list names, to be reviewed",
  description:
    "In the order of the TACs, each with what its handsets say of themselves. One leaves the queue when a proposal that names it is approved, `turnup import tac` names it, or `PUT /v1/overrides` says something of it (`scope` `tac`).",
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
  answer: page(UnknownDevice),
  async handle({ unknownModels }, { query, caller, request }) {
    const { limit = PAGE_ROWS_DEFAULT, cursor } = query;
    const { rows, nextCursor } = await unknownModels.list(caller.operatorId, { limit, cursor });
    return answerPage({ rows: rows.map(written), nextCursor }, request);
  },
});

const ProposedRow = Type.Object(
  {
    tac: Type.String({ pattern: "^\\d{8}$", description: "8 digits." }),
    make: text("As the TAC list spells it.", 80),
    model: text("As the TAC list spells it.", 120),
    modelCodes: Type.Optional(
      Type.Array(Type.String({ pattern: "^[^|\\u0000-\\u001f]{1,120}$", description: "One of them." }), {
        maxItems: 50,
        description: "Codes of the model.",
      }),
    ),
    releasedYear: Type.Optional(Type.Integer({ minimum: 1985, maximum: 2100 })),
  },
  { additionalProperties: false },
);

export const proposeModels = route({
  method: "POST",
  path: "/v1/devices/unknown/proposals",
  summary: "Propose rows that name models which no list names",
  description: `They count from the moment in which the approval that is asked for is given (\`POST /v1/approvals/:id\`): as the operator's own data set \`reviewed\` of kind \`tac\`, of which each approval makes a new version. At most ${PROPOSED_ROWS_MAX} rows.`,
  tag: "devices",
  roles: ["admin", "engineer"],
  errors: ["dataset_malformed"],
  status: 202,
  once: "door",
  body: Type.Object(
    {
      rows: Type.Array(ProposedRow, { minItems: 1, maxItems: PROPOSED_ROWS_MAX }),
      reason: text("For whoever decides: where it is known from.", 500),
    },
    { additionalProperties: false },
  ),
  answer: Type.Object({
    approvalId: Type.String(),
    expiresAt: instant("Until when somebody can decide."),
  }),
  async handle({ modelProposals }, { body: { rows, reason }, caller }) {
    const given = rows.map(({ tac, make, model, modelCodes = [], releasedYear = null }) => ({
      ...{ tac: parseTac(tac), make, model, modelCodes, releasedYear },
    }));
    const asked = { rows: given, reason, askedBy: actingOf(caller) };
    return accepted(await modelProposals.ask(caller.operatorId, asked));
  },
});
