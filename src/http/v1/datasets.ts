/** The sets of data in force: shipped and imported, with source and version. */
import Type from "typebox";
import { ok, route } from "../route.ts";
import { instant, instantOrNull, named } from "../schema.ts";

const Dataset = named(
  "Dataset",
  Type.Object({
    id: Type.String(),
    own: Type.Boolean({ description: "The operator's own; else shipped with the product." }),
    kind: Type.String(),
    name: Type.String(),
    version: Type.String(),
    sha256: Type.String(),
    licence: Type.String(),
    rowCount: Type.Integer(),
    refused: Type.Integer({ description: "Rows that were not taken." }),
    loadedAt: instant(),
    retiredAt: instantOrNull(),
  }),
);

export const listDatasets = route({
  method: "GET",
  path: "/v1/datasets",
  summary: "The data in use about devices and networks: shipped and the operator's own",
  tag: "devices",
  roles: ["admin", "engineer", "care"],
  errors: [],
  status: 200,
  query: {
    retired: Type.Optional(Type.Boolean({ description: "Those too whose place a newer import took." })),
  },
  answer: Type.Object({ datasets: Type.Array(Dataset) }),
  handle: async ({ datasets }, { query, caller }) =>
    ok({ datasets: [...(await datasets.list(caller.operatorId, { retired: query.retired === true }))] }),
});
