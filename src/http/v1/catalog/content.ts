/** Octets of modules that this server holds itself, by their SHA-256. */
import Type from "typebox";
import { MODULE_OCTETS_MAX } from "../../../kernel/catalog/item-body.ts";
import { TurnupError } from "../../../term/error.ts";
import { ok, route } from "../../route.ts";

const OCTETS = "application/octet-stream";
const sha256 = Type.String({ pattern: "^[0-9a-f]{64}$", description: "64 lower-case hexadecimal digits." });

export const putContent = route({
  method: "PUT",
  path: "/v1/catalog/content/:sha256",
  summary: "Put the octets of a module; the same octets again change nothing",
  tag: "catalog",
  roles: ["admin", "engineer"],
  errors: ["content_mismatch"],
  status: 200,
  params: { sha256 },
  body: Type.Unsafe<unknown>({
    type: "string",
    format: "binary",
    description: `At most ${MODULE_OCTETS_MAX} octets.`,
  }),
  checksOwnBody: true,
  consumes: [OCTETS],
  takesNoJson: true,
  bodyLimitOctets: MODULE_OCTETS_MAX,
  answer: Type.Object({ sha256: Type.String(), octets: Type.Integer(), isNew: Type.Boolean() }),
  async handle({ catalog }, { params, body, caller }) {
    if (!Buffer.isBuffer(body)) {
      throw new TurnupError("media_type_unsupported", "The octets of a module are no JSON.", {
        nextStep: `Send them as ${OCTETS}.`,
      });
    }
    const isNew = await catalog.putContent(caller.operatorId, params.sha256, body, caller.label);
    return ok({ sha256: params.sha256, octets: body.length, isNew });
  },
});

export const getContent = route({
  method: "GET",
  path: "/v1/catalog/content/:sha256",
  summary: "The octets of a module that stand here",
  tag: "catalog",
  roles: ["admin", "engineer"],
  errors: ["content_not_found"],
  status: 200,
  params: { sha256 },
  produces: [OCTETS],
  async handle({ catalog }, { params, caller }) {
    const octets = await catalog.content(caller.operatorId, params.sha256);
    if (!octets) {
      throw new TurnupError("content_not_found", "There is no content with this SHA-256.", {
        nextStep: "PUT it at this address.",
      });
    }
    return ok<unknown>(Buffer.from(octets), { "content-type": OCTETS, etag: `"${params.sha256}"` });
  },
});
