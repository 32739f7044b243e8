/** Models and their hardware, as the operator knows them: above the shipped list. */
import Type from "typebox";
import { MODEL_CLASSES } from "../../kernel/devices/device-class.ts";
import { ok, route } from "../route.ts";
import { text, words } from "../schema.ts";

const MODELS_MAX = 5_000;
const BODY_OCTETS_MAX = 8 * 1_024 * 1_024;
const list = (description: string) =>
  Type.Optional(Type.Array(text("One of them.", 120), { maxItems: 200, description }));

const Model = Type.Object(
  {
    make: text("As the TAC list spells it.", 80),
    name: text("As the TAC list spells it.", 120),
    model_codes: list("Codes of the model."),
    released: Type.Optional(text("YYYY, YYYY-MM or YYYY-MM-DD.", 10)),
    form: Type.Optional(words(MODEL_CLASSES)),
    networks: list("Generations: `2G GSM`, `4G LTE`."),
    bands: list("Radio bands: `GSM 900`, `LTE 1800`."),
    soc: Type.Optional(text("The chipset.", 120)),
    camera: Type.Optional(text("Type and capability: `5 MP, autofocus`.", 120)),
    screen_px: Type.Optional(text("WIDTHxHEIGHT in pixels.", 11)),
    screen_inch: Type.Optional(text("The diagonal.", 5)),
    blocked_access_points: Type.Optional(
      Type.Array(words(["internet", "mms", "wap"]), {
        maxItems: 3,
        description: "Access points that its maker lets nobody set.",
      }),
    ),
    blocked_source: Type.Optional(text("Who says so: needed with the above.", 300)),
  },
  { additionalProperties: false },
);

export const putModels = route({
  method: "PUT",
  path: "/v1/models/:name",
  summary: "Import models with their hardware: camera, screen, bands, chipset, class, blocked access points",
  description:
    "Takes the place of the list imported before under this name, by this call or `turnup import models`. A bad row is told with its place, the rest is taken. A list that would lose much of the one before is refused: `POST /v1/imports` asks a second person for it.",
  tag: "devices",
  roles: ["admin", "engineer"],
  errors: ["dataset_malformed", "import_loses_much"],
  status: 200,
  bodyLimitOctets: BODY_OCTETS_MAX,
  params: { name: text("What answers call this source.", 80) },
  body: Type.Object(
    { models: Type.Array(Model, { minItems: 1, maxItems: MODELS_MAX }) },
    { additionalProperties: false },
  ),
  answer: Type.Object({
    imported: Type.Integer(),
    refusedCount: Type.Integer(),
    refused: Type.Array(Type.Object({ at: Type.Integer(), reason: Type.String() }), {
      description: "Rows that were not taken, by their place in the list, from 0; at most 100.",
    }),
  }),
  async handle({ models }, { params, body, caller }) {
    const asked = { name: params.name, models: body.models, actor: caller.label };
    const { refused, ...counts } = await models.put(caller.operatorId, asked);
    return ok({ ...counts, refused: [...refused] });
  },
});
