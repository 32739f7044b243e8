/** Attempts of handsets' applications that did not reach their servers, reported. */
import Type from "typebox";
import { parseApn } from "../../term/apn.ts";
import { imeiFromNetwork } from "../../term/imei.ts";
import { ok, route } from "../route.ts";
import { instantIn, text, words } from "../schema.ts";
import { IMEI_ERRORS } from "./identifiers.ts";

const SYMPTOMS_MAX = 1_000;

const SymptomIn = Type.Object(
  {
    imei: text("15 digits, or the 14 that a network sends.", 16),
    application: Type.String({
      pattern: "^[a-z][a-z0-9_]{0,39}$",
      description:
        "Which application tried: mms, group_message, video_call, app_store ...; data for the data session itself.",
    }),
    server: Type.String({
      pattern: "^[A-Za-z0-9.-]{1,100}$",
      description: "Host that it could not reach.",
    }),
    apn: Type.Optional(text("Access point over which it tried.", 100)),
    cause: Type.String({
      pattern: "^[a-z][a-z0-9_]{0,39}$",
      description: "Why, in the network's word: no_route, unknown_apn, host_silent ...",
    }),
    seenAt: Type.Optional(instantIn("RFC 3339 time; when it was received unless given.")),
    source: text("Which probe saw it, such as gateway.", 40),
  },
  { additionalProperties: false },
);

export const reportSymptoms = route({
  method: "POST",
  path: "/v1/symptoms",
  summary: "Report attempts of a handset's applications that did not reach their server",
  description:
    "What the record of a handset that its maker left behind names as its symptoms. Kept 90 days, or until that application is seen to reach or to work with that server (traffic that names none ends the symptoms of `data` alone); a repeat moves its time. `noted`: it is the first of its kind, or adds to the record.",
  tag: "confirmations",
  roles: ["probe", "engineer", "admin"],
  errors: [...IMEI_ERRORS, "apn_malformed", "seen_in_future"],
  status: 200,
  bodyLimitOctets: 1_048_576,
  body: Type.Object(
    { symptoms: Type.Array(SymptomIn, { minItems: 1, maxItems: SYMPTOMS_MAX }) },
    { additionalProperties: false },
  ),
  answer: Type.Object({
    results: Type.Array(Type.Object({ outcome: words(["noted", "repeated"]) })),
  }),
  async handle({ symptoms, clock }, { body, caller }) {
    const seen = body.symptoms.map(({ imei, server, apn, seenAt, ...one }) => ({
      ...one,
      imei: imeiFromNetwork(imei),
      server: server.toLowerCase(),
      apn: apn === undefined ? null : parseApn(apn).toLowerCase(),
      seenAt: seenAt === undefined ? clock() : new Date(seenAt),
    }));
    return ok({ results: [...(await symptoms.accept(caller.operatorId, seen))] });
  },
});
