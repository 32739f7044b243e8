/** POST /v1/policy/replays: which past verdicts would be others under a change of the policy, and why, before it goes live. */
import Type from "typebox";
import { actingOf } from "../../../kernel/account/person.ts";
import { isCalendarDay } from "../../../term/calendar.ts";
import { InvalidRequest } from "../../problem.ts";
import { accepted, route } from "../../route.ts";
import { anything } from "../../schema.ts";
import { patchedPolicy, refuseContradictions } from "./policy-change.ts";

export const replayPolicy = route({
  method: "POST",
  path: "/v1/policy/replays",
  summary:
    "Replay past verdicts under a change of the policy: a job, whose rows say which would be others and why",
  description:
    "Nothing is put in force and no order is touched. GET /v1/jobs/{id} tells how far it is and the sums, GET /v1/jobs/{id}/rows each model with its former verdict and rule and the new ones: `verdict_changes`, `rule_changes`, and `changes_anyway` where data, deals or overrides, and not the policy, have changed since.",
  tag: "policy",
  roles: ["admin", "engineer"],
  errors: [],
  status: 202,
  once: "door",
  body: Type.Object(
    {
      since: Type.String({
        pattern: "^\\d{4}-\\d{2}-\\d{2}$",
        description: "Verdicts of orders that were opened from this day on, by UTC.",
        examples: ["2026-05-01"],
      }),
      policy: Type.Optional(
        anything(
          "Members of Policy to be changed, as PATCH /v1/policy takes them; left out: the policy in force, so that rows tell what has changed since.",
        ),
      ),
    },
    { additionalProperties: false },
  ),
  answer: Type.Object({ jobId: Type.String() }),
  async handle(deps, { body: { since, policy: patch }, caller, once: { subjectId: id } }) {
    if (!isCalendarDay(since))
      throw new InvalidRequest([{ at: "body/since", wanted: "a day of the calendar, YYYY-MM-DD" }]);
    const inForce = await deps.policies.current(caller.operatorId);
    const policy = patch === undefined ? inForce.body : patchedPolicy(inForce.body, patch);
    refuseContradictions(policy);
    const asked = { id, policy, since: new Date(`${since}T00:00:00Z`), fromVersion: inForce.version };
    return accepted({
      jobId: await deps.policyReplays.ask(caller.operatorId, { ...asked, askedBy: actingOf(caller) }),
    });
  },
});
