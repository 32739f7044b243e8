/** The operator's own lists of handsets: which are white, grey or black to cores that ask. */
import Type from "typebox";
import { EQUIPMENT_STATUSES } from "../../kernel/equipment/equipment-lists.ts";
import { created, gone, ok, route } from "../route.ts";
import { anything, id, instant, named, text, words } from "../schema.ts";

const PRIORITY_MAX = 1_000_000;

const shown = {
  name: Type.String({ pattern: "^[a-z0-9][a-z0-9._-]{0,63}$", description: "Small letters, digits, . _ -" }),
  status: words(EQUIPMENT_STATUSES, "What a core hears: admit, admit and observe, refuse."),
  priority: Type.Integer({
    ...{ minimum: 0, maximum: PRIORITY_MAX },
    description: "Higher counts before lower, among the lists of files too; no two have the same.",
  }),
  reason: text("Why a handset stands in it: lost or stolen, fraud, faulty.", 200),
};
const column = Type.Integer({ minimum: 0, maximum: 100 });
const word = (what: string) => text(what, 64);
const Exchange = Type.Object(
  {
    separator: words([",", ";", "\t", "|"]),
    header: Type.Object({ mark: word("What its column 0 holds."), organisation: column }),
    trailer: Type.Object({
      mark: word("What its column 0 holds."),
      count: Type.Optional(Type.Integer({ minimum: 1, maximum: 100 })),
    }),
    record: Type.Object({
      mark: Type.Optional(word("What column 0 of each record holds, where they have such.")),
      ...{ action: column, reason: column, from: column, to: column },
    }),
    insert: word("What the action column holds."),
    remove: word("What the action column holds."),
    reasons: Type.Record(Type.String({ pattern: "^[!-~]{1,16}$" }), word("What the code means."), {
      minProperties: 1,
      maxProperties: 100,
    }),
    organisations: Type.Array(word("As headers name it."), { minItems: 1, maxItems: 100 }),
  },
  {
    additionalProperties: false,
    description:
      "How the exchange files of the registry look that belong to this list, as its own document says; columns are counted from 0.",
  },
);
const EquipmentList = named(
  "EquipmentList",
  Type.Object({
    id: Type.String(),
    ...shown,
    entries: Type.Integer({ description: "Handsets, ranges and models." }),
    version: Type.Integer({ description: "Of its entries; each change makes one." }),
    exchange: anything("How the exchange files of its registry look, as it was given; null: it has none."),
    oldestVersion: Type.Integer({ description: "The first that can be put back." }),
    changedAt: instant(),
    changedBy: Type.String(),
  }),
);
export const LIST_ID = id("Of the list.");
const shared = { tag: "equipment", roles: ["admin", "engineer"] } as const;

export const listEquipmentLists = route({
  ...shared,
  method: "GET",
  path: "/v1/equipment-lists",
  summary: "The operator's own lists of handsets, highest priority first",
  roles: ["admin", "engineer", "care"],
  errors: [],
  status: 200,
  answer: Type.Object({ equipmentLists: Type.Array(EquipmentList) }),
  handle: async ({ equipmentLists }, { caller }) =>
    ok({ equipmentLists: [...(await equipmentLists.list(caller.operatorId))] }),
});

export const addEquipmentList = route({
  ...shared,
  method: "POST",
  path: "/v1/equipment-lists",
  summary: "Make a list of handsets; it is empty at first",
  errors: ["equipment_list_taken", "equipment_list_full"],
  status: 201,
  once: "door",
  body: Type.Object(shown, { additionalProperties: false }),
  answer: EquipmentList,
  handle: async ({ equipmentLists }, { body, caller, once }) =>
    created(await equipmentLists.make(caller.operatorId, once.subjectId, body, caller.label)),
});

export const alterEquipmentList = route({
  ...shared,
  method: "PATCH",
  path: "/v1/equipment-lists/:id",
  summary:
    "Give a list another priority or reason, or say how its registry's files look; its status stays what it is",
  errors: ["equipment_list_not_found", "equipment_list_taken"],
  status: 200,
  params: { id: LIST_ID },
  body: Type.Object(
    {
      priority: Type.Optional(shown.priority),
      reason: Type.Optional(shown.reason),
      exchange: Type.Optional(Exchange),
    },
    { additionalProperties: false, minProperties: 1 },
  ),
  answer: EquipmentList,
  handle: async ({ equipmentLists }, { params, body, caller }) =>
    ok(await equipmentLists.alter(caller.operatorId, params.id, body, caller.label)),
});

export const removeEquipmentList = route({
  ...shared,
  method: "DELETE",
  path: "/v1/equipment-lists/:id",
  summary: "Remove a list with its versions; a black one has to be nearly empty",
  errors: ["equipment_list_not_found", "equipment_change_too_large"],
  status: 204,
  params: { id: LIST_ID },
  async handle({ equipmentLists }, { params, caller }) {
    await equipmentLists.remove(caller.operatorId, params.id, caller.label);
    return gone();
  },
});
