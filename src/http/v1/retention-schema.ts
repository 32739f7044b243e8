/** How long an operator keeps what grows, as the policy holds it. */
import Type from "typebox";
import { LEAST_MONTHS, MOST_MONTHS } from "../../kernel/operator/retention.ts";
import { integerOrNull } from "../schema.ts";

const monthsKept = (least: number, of: string) =>
  integerOrNull({
    minimum: least,
    maximum: MOST_MONTHS,
    "x-unit": "months",
    description: `Whole months of ${of}; null: for ever.`,
  });

export const RetentionSchema = Type.Object(
  {
    sightings: monthsKept(LEAST_MONTHS.sightings, "sightings that changed something"),
    events: monthsKept(LEAST_MONTHS.events, "the histories of orders that have ended"),
    audit: monthsKept(LEAST_MONTHS.audit, "who changed what"),
    messages: monthsKept(LEAST_MONTHS.messages, "SMS that have ended, with what was in them"),
    people: monthsKept(
      LEAST_MONTHS.people,
      "people whose SIM no network has seen since, and whom nothing holds",
    ),
  },
  {
    additionalProperties: false,
    description:
      "How long is kept what grows with every phone, behind the present month. What goes is still counted (GET /v1/reports/retained-counts). Only an admin changes it.",
  },
);
