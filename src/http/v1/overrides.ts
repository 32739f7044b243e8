/** The operator's word about a device, a TAC or a model: it stands above all data. */
import Type from "typebox";
import { OVERRIDE_SCOPES } from "../../kernel/account/registry.ts";
import { SETTINGS_FORMS } from "../../kernel/devices/form-names.ts";
import { TurnupError } from "../../term/error.ts";
import { parseImei, parseTac } from "../../term/imei.ts";
import { answerPage, pageOf } from "../page.ts";
import { InvalidRequest } from "../problem.ts";
import { gone, ok, route } from "../route.ts";
import { anything, id, instant, named, page, pageQuery, text, words } from "../schema.ts";
import { IMEI_ERRORS } from "./identifiers.ts";

const Override = named(
  "Override",
  Type.Object({
    id: Type.String(),
    scope: words(OVERRIDE_SCOPES),
    key: Type.String({
      description: "TAC, or make/model; of one device not its number but the hex of its blind index.",
    }),
    body: anything("Verdict, when support ends, whether it takes a key."),
    why: Type.String(),
    madeBy: Type.String(),
    madeAt: instant(),
  }),
);

const OverrideIn = Type.Object(
  {
    scope: words(OVERRIDE_SCOPES),
    key: text("IMEI, TAC, or make/model, as the scope says.", 210),
    body: Type.Object(
      {
        verdict: Type.Optional(words(["ended", "supported", "unknown"])),
        supportEnds: Type.Optional(
          Type.String({ pattern: "^\\d{4}-\\d{2}-\\d{2}$", description: "Date, YYYY-MM-DD." }),
        ),
        takesKey: Type.Optional(
          Type.Boolean({ description: "Whether its client runs a device key that comes over the air." }),
        ),
        settingsForm: Type.Optional(
          words(SETTINGS_FORMS, "The form in which it gets access points (docs/settings-formats.md)."),
        ),
        blockedUses: Type.Optional(
          Type.Array(words(["internet", "mms", "wap"]), {
            maxItems: 3,
            description:
              "Access points that its maker lets nobody set on it; empty: none, whatever the data says.",
          }),
        ),
      },
      { additionalProperties: false, minProperties: 1, description: "At least one word." },
    ),
    why: text("The reason, for whoever asks later.", 500),
  },
  { additionalProperties: false },
);

export const listOverrides = route({
  method: "GET",
  path: "/v1/overrides",
  summary: "What the operator says of devices above all data",
  tag: "devices",
  roles: ["admin", "engineer", "care"],
  errors: [],
  status: 200,
  query: pageQuery,
  answer: page(Override),
  async handle({ overrides }, { query, caller, request }) {
    return answerPage(await overrides.list(caller.operatorId, pageOf(query)), request);
  },
});

export const putOverride = route({
  method: "PUT",
  path: "/v1/overrides",
  summary: "Say something of one IMEI, a TAC or a model; a later word replaces the earlier",
  tag: "devices",
  roles: ["admin", "engineer"],
  errors: IMEI_ERRORS,
  status: 200,
  body: OverrideIn,
  answer: Override,
  async handle({ overrides }, { body, caller }) {
    return ok(await overrides.put(caller.operatorId, { ...body, key: keyOf(body) }, caller.label));
  },
});

function keyOf({ scope, key }: { readonly scope: "imei" | "tac" | "model"; readonly key: string }): string {
  switch (scope) {
    case "imei":
      return parseImei(key);
    case "tac":
      return parseTac(key);
    case "model":
      if (!/^[^/]+\/.+$/.test(key))
        throw new InvalidRequest([{ at: "body/key", wanted: "make/model is wanted" }]);
      return key.toLowerCase();
  }
}

export const removeOverride = route({
  method: "DELETE",
  path: "/v1/overrides/:id",
  summary: "Take back what was said of a device",
  tag: "devices",
  roles: ["admin", "engineer"],
  errors: ["override_not_found"],
  status: 204,
  params: { id: id("Of the override.") },
  async handle({ overrides }, { params, caller }) {
    if (!(await overrides.remove(caller.operatorId, params.id, caller.label))) {
      throw new TurnupError("override_not_found", "There is no such override.", {
        nextStep: "GET /v1/overrides lists them.",
      });
    }
    return gone();
  },
});
