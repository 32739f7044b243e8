/** Traffic that the network saw, as evidence that settings work. */
import Type from "typebox";
import { parseApn } from "../../term/apn.ts";
import { parseImsi } from "../../term/imsi.ts";
import { ok, route } from "../route.ts";
import { instantIn, text, words } from "../schema.ts";

const CONFIRMATIONS_MAX = 1_000;

const TrafficIn = Type.Object(
  {
    imsi: text("6 to 15 digits.", 15),
    apn: text("Access point name on which it was seen.", 100),
    application: Type.Optional(
      Type.String({
        pattern: "^[a-z][a-z0-9_]{0,39}$",
        description:
          "Which application of the handset was seen to do its work over it: mms, group_message, video_call ...",
      }),
    ),
    server: Type.Optional(
      Type.String({
        pattern: "^[A-Za-z0-9.-]{1,100}$",
        description: "Host with which that application did its work.",
      }),
    ),
    seenAt: Type.Optional(instantIn("RFC 3339 time; when it was received unless given.")),
    source: text("Which probe saw it, such as radius.", 40),
  },
  { additionalProperties: false },
);

export const reportConfirmations = route({
  method: "POST",
  path: "/v1/confirmations",
  summary: "Report traffic that was seen on an access point: the proof that settings work",
  description:
    "A repeat books nothing twice. With an application it also says that this one works: such a line comes from the application's own server (an MMSC's or a call server's record) or from a probe that saw the whole exchange, never from an attempt.",
  tag: "confirmations",
  roles: ["probe", "engineer", "admin"],
  errors: ["imsi_malformed", "apn_malformed", "books_full"],
  status: 200,
  bodyLimitOctets: 1_048_576,
  body: Type.Object(
    { confirmations: Type.Array(TrafficIn, { minItems: 1, maxItems: CONFIRMATIONS_MAX }) },
    { additionalProperties: false },
  ),
  answer: Type.Object({
    results: Type.Array(
      Type.Object({
        outcome: words(["booked", "repeated", "no_order", "refused"]),
        reason: Type.Optional(Type.String()),
      }),
    ),
  }),
  async handle({ confirmations }, { body, caller }) {
    const traffic = body.confirmations.map(({ imsi, apn, application, server, seenAt, source }) => ({
      kind: "traffic" as const,
      application,
      server: server?.toLowerCase(),
      imsi: parseImsi(imsi),
      apn: parseApn(apn),
      seenAt,
      source,
    }));
    return ok({ results: await confirmations.accept(caller.operatorId, traffic) });
  },
});
