/** Doubts whether handsets are what their IMEIs say, and the word of a person who looked. */
import Type from "typebox";
import { DOUBT_KINDS } from "../../../kernel/detection/doubts.ts";
import { answerPage, pageOf } from "../../page.ts";
import { ok, route } from "../../route.ts";
import {
  anything,
  id,
  instant,
  instantOrNull,
  named,
  page,
  pageQuery,
  text,
  textOrNull,
  words,
} from "../../schema.ts";

export const ImeiDoubtOut = named(
  "ImeiDoubt",
  Type.Object({
    id: Type.String(),
    deviceId: Type.String(),
    kind: words(
      DOUBT_KINDS,
      "`false_model`: it is of another model than its number says; `clone`: two handsets bear its number; `special`: its number names nobody, and many bear it.",
    ),
    reason: Type.String({ description: "A clause." }),
    detail: anything("The same for programs, by its kind."),
    foundAt: instant(),
    confirmedAt: instant("When it was last found again."),
    endedAt: instantOrNull(),
    endedBy: textOrNull({
      description: "A token's label, or `knowledge` where what it rested on holds no more.",
    }),
    endReason: textOrNull(),
  }),
);

const shared = { tag: "devices", status: 200 } as const;

export const listImeiDoubts = route({
  ...shared,
  method: "GET",
  path: "/v1/devices/doubts",
  summary: "Doubts whether handsets are what their IMEIs say, newest first",
  roles: ["admin", "engineer", "care"],
  errors: [],
  query: {
    ...pageQuery,
    kind: Type.Optional(words(DOUBT_KINDS)),
    open: Type.Optional(Type.Boolean({ description: "true: those that stand; false: those that ended." })),
  },
  answer: page(ImeiDoubtOut),
  async handle({ imeiDoubts }, { query, caller, request }) {
    const { kind, open } = query;
    const { rows, nextCursor } = await imeiDoubts.list(caller.operatorId, { kind, open }, pageOf(query));
    return answerPage({ rows: rows.map((row) => ({ ...row })), nextCursor }, request);
  },
});

export const endImeiDoubt = route({
  ...shared,
  method: "POST",
  path: "/v1/devices/doubts/:id/end",
  summary: "Say that a person has looked, and that the handset is what it says",
  description: "The same finding does not bring it back. An ended one is answered as it is.",
  roles: ["admin", "engineer"],
  errors: ["imei_doubt_not_found"],
  params: { id: id("Of the doubt.") },
  body: Type.Object({ reason: text("What was looked at.", 500) }, { additionalProperties: false }),
  answer: ImeiDoubtOut,
  async handle({ imeiDoubts }, { params, body: { reason }, caller: { operatorId, label } }) {
    return ok({ ...(await imeiDoubts.end(operatorId, params.id, { actor: label, reason })) });
  },
});
