/** Versions of what a list of handsets holds, and one put back. */
import Type from "typebox";
import { ok, route } from "../../route.ts";
import { instant, named, text } from "../../schema.ts";
import { LIST_ID } from "../equipment-lists.ts";
import { EquipmentChanged } from "./entries.ts";

const EquipmentVersion = named(
  "EquipmentVersion",
  Type.Object({
    version: Type.Integer(),
    madeAt: instant(),
    madeBy: Type.String(),
    reason: Type.String(),
    added: Type.Integer(),
    changed: Type.Integer(),
    removed: Type.Integer(),
    entries: Type.Integer({ description: "Afterwards." }),
  }),
);
const shared = { tag: "equipment", roles: ["admin", "engineer"], params: { id: LIST_ID } } as const;

export const listEquipmentVersions = route({
  ...shared,
  method: "GET",
  path: "/v1/equipment-lists/:id/versions",
  summary: "The versions of a list of handsets, newest first, at most 200",
  errors: ["equipment_list_not_found"],
  status: 200,
  answer: Type.Object({ versions: Type.Array(EquipmentVersion) }),
  handle: async ({ equipmentLists }, { params, caller }) =>
    ok({ versions: [...(await equipmentLists.versions(caller.operatorId, params.id))] }),
});

export const restoreEquipmentList = route({
  ...shared,
  method: "POST",
  path: "/v1/equipment-lists/:id/restore",
  summary: "Put a former version of a list of handsets back in force, as a new one",
  errors: ["equipment_list_not_found", "equipment_version_gone"],
  status: 200,
  body: Type.Object(
    { version: Type.Integer({ minimum: 0 }), reason: text("Why; it stands in the audit.", 200) },
    { additionalProperties: false },
  ),
  answer: EquipmentChanged,
  async handle({ equipmentLists }, { params, body, caller }) {
    const said = { actor: caller.label, reason: body.reason };
    return ok(await equipmentLists.restore(caller.operatorId, params.id, body.version, said));
  },
});
