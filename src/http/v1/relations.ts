/** What the operator agreed with each manufacturer. `*` stands for all that have no row of their own. */
import Type, { type Static } from "typebox";
import {
  DEFAULT_KEY_TERMS,
  KEY_REQUESTS,
  PORTION_PAID_BY,
  type Relation,
} from "../../kernel/operator/operator-terms.ts";
import { LEVELS } from "../../kernel/operator/policy.ts";
import { checkFeeLevel } from "../../kernel/proof/fee.ts";
import { TurnupError } from "../../term/error.ts";
import { changedMeanwhile, contentEtag, ifMatchOf, isAmong } from "../etag.ts";
import { redactSecrets } from "../redact.ts";
import { gone, ok, route } from "../route.ts";
import { currency, named, text, textOrNull, words } from "../schema.ts";

const ACCESS_POINTS_MAX = 8;
const FEE_MINOR_MAX = 1_000_000_000;

const KeyPoint = Type.Object(
  {
    use: words(["internet", "mms", "maker"], "What it carries; `maker` is the manufacturer's own servers."),
    apn: text("Access point name.", 100),
    authType: words(["none", "pap", "chap"]),
    user: Type.Optional(text("Login.", 100)),
    password: Type.Optional(text("Reads *** unless the role is admin.", 100)),
    mmsc: Type.Optional(text("URL of the picture message centre.", 200)),
    mmsProxy: Type.Optional(text("Host or address.", 100)),
    port: Type.Optional(Type.Integer({ minimum: 1, maximum: 65_535 })),
  },
  { additionalProperties: false },
);

const agreed = {
  deal: Type.Boolean({ description: "False: even a new device of this make counts as left behind." }),
  keySource: words(
    ["own", "maker", "stock", "none"],
    "Where keys come from: made here, asked for at the maker, taken from the maker's batches that were imported, or nowhere.",
  ),
  keyServer: textOrNull({
    maxLength: 300,
    pattern: "^https://[^\\s\\u0000-\\u001f]+$",
    description: "An https URL of the manufacturer's key server, or null.",
  }),
  accessPoints: Type.Array(KeyPoint, {
    maxItems: ACCESS_POINTS_MAX,
    description: "For keys of the own store.",
  }),
  appHosts: Type.Array(text("Host name of a server that the make's applications must reach.", 253), {
    maxItems: 32,
  }),
  keyIssuers: Type.Record(
    Type.String({ pattern: "^[^\\u0000-\\u001f]{1,80}$" }),
    Type.String({
      pattern: "^[A-Za-z0-9+/]{40,200}={0,2}$",
      description: "Ed25519 public key, SPKI in base64.",
    }),
    { description: "Issuer's name -> its public key." },
  ),
  feeMinor: Type.Integer({
    minimum: 0,
    maximum: FEE_MINOR_MAX,
    description: "Fee for one device, in minor units.",
  }),
  currency: currency(),
  feeLevel: words(
    LEVELS,
    "The proof after which the fee is asked for. `delivered` only where all models of the make are said to run keys.",
  ),
  portionBasisPoints: Type.Integer({
    minimum: 0,
    maximum: 10_000,
    description: "The manufacturer's part of the fee; 10,000 is all.",
  }),
};
/** What a caller of the release before leaves out, and what that means. */
const keyTerms = {
  keyRequestBy: words(
    KEY_REQUESTS,
    "By what the maker is asked for a key. A key for a model alone is bound to its handset here.",
  ),
  deleteAfterUse: Type.Boolean({
    description:
      "Keys made here delete themselves from the handset once they worked; makers are asked for such.",
  }),
  keyApnsAsSettings: Type.Boolean({
    description:
      "A key's access points may go as ordinary settings to a handset whose model runs no key, as the maker agreed.",
  }),
  keyStockLow: Type.Integer({
    minimum: 0,
    maximum: 1_000_000,
    description: "So many keys left in stock are told as few.",
  }),
};
const portionPaidBy = words(
  PORTION_PAID_BY,
  "How the portion is paid: at once by the payment system, or with others by a payment file.",
);
const make = text("Manufacturer as the catalog spells it, letter case ignored; * for every other.", 80);

const { keyRequestBy, deleteAfterUse, keyApnsAsSettings, keyStockLow } = keyTerms;
export const RelationIn = named(
  "RelationTerms",
  Type.Object(
    {
      ...agreed,
      keyRequestBy: Type.Optional(keyRequestBy),
      deleteAfterUse: Type.Optional(deleteAfterUse),
      keyApnsAsSettings: Type.Optional(keyApnsAsSettings),
      keyStockLow: Type.Optional(keyStockLow),
      portionPaidBy: Type.Optional(portionPaidBy),
    },
    { additionalProperties: false },
  ),
);
const RelationOut = named(
  "Relation",
  Type.Object({ make: Type.String(), ...agreed, ...keyTerms, portionPaidBy }),
);

const written = (relation: Relation, seesSecrets: boolean): Static<typeof RelationOut> =>
  redactSecrets({ ...relation, feeMinor: Number(relation.feeMinor) }, seesSecrets) as Static<
    // texts alone were redacted
    typeof RelationOut
  >;

const notFound = (): TurnupError =>
  new TurnupError("relation_not_found", "Nothing was agreed with this make.", {
    nextStep: "GET /v1/relations lists them.",
  });

export const listRelations = route({
  method: "GET",
  path: "/v1/relations",
  summary: "What is agreed with each manufacturer",
  tag: "policy",
  roles: ["admin", "engineer", "care"],
  errors: [],
  status: 200,
  answer: Type.Object({ relations: Type.Array(RelationOut) }),
  async handle({ relations }, { caller }) {
    const found = await relations.list(caller.operatorId);
    return ok({ relations: found.map((one) => written(one, caller.role === "admin")) });
  },
});

export const getRelation = route({
  method: "GET",
  path: "/v1/relations/:make",
  summary: "What is agreed with one manufacturer, with its ETag",
  tag: "policy",
  roles: ["admin", "engineer", "care"],
  errors: ["relation_not_found"],
  status: 200,
  params: { make },
  answer: RelationOut,
  async handle({ relations }, { params, caller }) {
    const found = await relations.find(caller.operatorId, params.make);
    if (!found) throw notFound();
    return ok(written(found, caller.role === "admin"), { etag: contentEtag(found) });
  },
});

export const putRelation = route({
  method: "PUT",
  path: "/v1/relations/:make",
  summary: "Write what is agreed with a manufacturer",
  description:
    "With If-Match it changes only what you read; with If-None-Match: * only what is not there yet.",
  tag: "policy",
  roles: ["admin", "engineer"],
  errors: ["precondition_failed", "fee_level_unproved"],
  status: 200,
  params: { make },
  body: RelationIn,
  answer: RelationOut,
  async handle({ relations, devices }, { params, body, caller, request }) {
    const relation: Relation = {
      ...DEFAULT_KEY_TERMS,
      portionPaidBy: "payment_system",
      ...body,
      feeMinor: BigInt(body.feeMinor),
      make: params.make,
    };
    checkFeeLevel(relation, await devices.runsKeys(caller.operatorId, params.make));
    const tags = ifMatchOf(request);
    const onlyNew = request.headers["if-none-match"] === "*";
    const put = await relations.put(
      caller.operatorId,
      relation,
      (current) =>
        (!tags || isAmong(tags, current && contentEtag(current))) && !(onlyNew && current !== undefined),
      caller.label,
    );
    if (put === "changed") throw changedMeanwhile();
    const now = (await relations.find(caller.operatorId, params.make)) ?? relation;
    return ok(written(now, caller.role === "admin"), { etag: contentEtag(now) });
  },
});

export const removeRelation = route({
  method: "DELETE",
  path: "/v1/relations/:make",
  summary: "Remove what is agreed with a manufacturer",
  tag: "policy",
  roles: ["admin", "engineer"],
  errors: ["relation_not_found"],
  status: 204,
  params: { make },
  async handle({ relations }, { params, caller }) {
    if (!(await relations.remove(caller.operatorId, params.make, caller.label))) throw notFound();
    return gone();
  },
});
