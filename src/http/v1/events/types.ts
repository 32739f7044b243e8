/** Which events there are, and the shape of their data. */
import Type from "typebox";
import { EVENT_TYPES, SUBJECTS, schemaOfData } from "../../../kernel/events/event-types.ts";
import { ok, route } from "../../route.ts";
import { anything, named, words } from "../../schema.ts";

const EventTypeView = named(
  "EventType",
  Type.Object({
    type: Type.String(),
    subject: words(SUBJECTS),
    says: Type.String(),
    dataSchema: anything("JSON Schema of `data`."),
  }),
);

export const listEventTypes = route({
  method: "GET",
  path: "/v1/events/types",
  summary: "Every type of event, what it says, and the JSON Schema of its data",
  tag: "events",
  roles: ["admin", "engineer"],
  errors: [],
  status: 200,
  answer: Type.Object({ types: Type.Array(EventTypeView) }),
  async handle() {
    return ok({ types: EVENT_TYPES.map((one) => ({ ...one, dataSchema: schemaOfData(one.subject) })) });
  },
});
