/** The switch that lets every handset in, whatever lists say. */
import Type from "typebox";
import { ok, route } from "../route.ts";
import { named, text, textOrNull } from "../schema.ts";

const shared = { tag: "equipment", errors: [], status: 200 } as const;

const Switch = named(
  "EquipmentSwitch",
  Type.Object({
    answersBlack: Type.Boolean({ description: "False: no core hears that a handset is black." }),
    reason: textOrNull(),
    changedBy: textOrNull(),
    changedAt: textOrNull({ format: "date-time", description: "Null: never." }),
  }),
);

export const getEquipmentSwitch = route({
  ...shared,
  method: "GET",
  path: "/v1/equipment-switch",
  summary: "Whether cores hear that handsets are black",
  roles: ["admin", "engineer", "care"],
  answer: Switch,
  handle: async ({ equipmentLists }, { caller }) => ok(await equipmentLists.switchOf(caller.operatorId)),
});

export const putEquipmentSwitch = route({
  ...shared,
  method: "PUT",
  path: "/v1/equipment-switch",
  summary: "Turn all black answers off, or on again: on every server within a second",
  roles: ["admin", "engineer"],
  body: Type.Object(
    { answersBlack: Type.Boolean(), reason: text("Why; it stands in the audit.", 200) },
    { additionalProperties: false },
  ),
  answer: Switch,
  async handle({ equipmentLists }, { body, caller }) {
    const said = { actor: caller.label, reason: body.reason };
    return ok(await equipmentLists.setSwitch(caller.operatorId, body.answersBlack, said));
  },
});
