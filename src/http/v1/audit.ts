/** Who changed what, read. */
import Type from "typebox";
import { answerPage, pageOf } from "../page.ts";
import { route } from "../route.ts";
import { anything, instant, named, page, pageQuery } from "../schema.ts";

const AuditEntry = named(
  "AuditEntry",
  Type.Object({
    id: Type.String(),
    actor: Type.String({ description: "Label of the token, or `cli` or `system`." }),
    action: Type.String(),
    subject: Type.String(),
    detail: anything("What was changed."),
    at: instant(),
  }),
);

export const listAudit = route({
  method: "GET",
  path: "/v1/audit",
  summary: "Who changed what, newest first",
  tag: "tokens",
  roles: ["admin"],
  errors: [],
  status: 200,
  query: pageQuery,
  answer: page(AuditEntry),
  async handle({ audit }, { query, caller, request }) {
    return answerPage(await audit.list(caller.operatorId, pageOf(query)), request);
  },
});
