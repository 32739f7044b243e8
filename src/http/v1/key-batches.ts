/** Makers' keys that are stored beforehand: batches in, what is left of them, batches withdrawn. */
import Type from "typebox";
import { importBatch } from "../../kernel/keys/import-batch.ts";
import { TurnupError } from "../../term/error.ts";
import {
  MAX_BATCH_KEYS,
  MAX_BATCH_MODELS,
  MAX_BATCH_OCTETS,
  MAX_MODEL_PATTERN_CHARACTERS,
} from "../../wire/message/maker-api.ts";
import { created, ok, route } from "../route.ts";
import { integerOrNull, named, text, textOrNull, words } from "../schema.ts";

const BATCH_ID = Type.String({
  pattern: "^[A-Za-z0-9._:-]{1,64}$",
  description: "The maker's own name of the batch.",
});
const count = (description: string) => Type.Integer({ minimum: 0, description });

const KeyBatchIn = named(
  "KeyBatchIn",
  Type.Object(
    {
      batchId: BATCH_ID,
      make: text("As its relation names it; * for every make without one of its own.", 80),
      models: Type.Optional(
        Type.Array(text("make/model or make/prefix*.", MAX_MODEL_PATTERN_CHARACTERS), {
          minItems: 1,
          maxItems: MAX_BATCH_MODELS,
          description: "For these models alone; a handset gets what is for its model before what is for all.",
        }),
      ),
      keys: Type.Array(
        Type.String({
          pattern: "^[A-Za-z0-9+/]{4,1336}={0,2}$",
          description: "A device key in base64 that names this installation as its binder.",
        }),
        { minItems: 1, maxItems: MAX_BATCH_KEYS },
      ),
    },
    { additionalProperties: false },
  ),
);
const KeyBatchOut = named(
  "KeyBatch",
  Type.Object({
    id: Type.String(),
    make: Type.String(),
    models: Type.Array(Type.String(), { description: "For these models alone; empty is for all." }),
    issuer: Type.String({ description: "Who signed its keys." }),
    keys: count("Each is in one of the five states that follow."),
    free: count("Nobody has them yet."),
    bound: count("Given to a handset, and not sent to it yet."),
    sent: count("Sent, or on their way."),
    expired: count("Nobody had them in time."),
    withdrawn: count("Given to nobody any more."),
    importedBy: Type.String(),
    importedAt: Type.String(),
    withdrawnAt: textOrNull(),
  }),
);
const KeyStock = Type.Object({
  make: Type.String({ description: "As the relation names it." }),
  models: Type.Array(Type.String(), {
    description: "For handsets of these, what is for all models included; empty: what is for all models.",
  }),
  free: count("Counted up to 10,000."),
  low: integerOrNull(),
  nextExpiryAt: textOrNull({ description: "When the first of the free ones is of no use any more." }),
  state: words(["enough", "low", "empty"], "`low` from the relation's `keyStockLow` on."),
  nextAction: Type.String(),
});

export const importKeyBatch = route({
  method: "POST",
  path: "/v1/key-batches",
  summary: "Store a maker's batch of keys, whole or not at all",
  description:
    "Each key is signed by an issuer of the relation, names this installation (`raw` of GET /v1/issuer) as its binder, and no handset. " +
    "The same batch again changes nothing. Orders that wait for a key of stock go on at once.",
  tag: "policy",
  roles: ["admin", "engineer", "maker"],
  errors: ["relation_not_found", "key_batch_invalid", "key_batch_conflict"],
  status: 201,
  bodyLimitOctets: MAX_BATCH_OCTETS,
  body: KeyBatchIn,
  answer: KeyBatchOut,
  async handle({ relations, keyBatches, issuer, clock }, { body, caller }) {
    const keys = body.keys.map((key) => Uint8Array.from(Buffer.from(key, "base64")));
    const { batch } = await importBatch(
      {
        relationOf: (operatorId, make) => relations.find(operatorId, make),
        keyBatches,
        binder: Uint8Array.from(Buffer.from(issuer.raw, "hex")),
        now: clock(),
      },
      caller.operatorId,
      { ...body, keys },
      caller.label,
    );
    return created(shown(batch));
  },
});

export const listKeyBatches = route({
  method: "GET",
  path: "/v1/key-batches",
  summary: "Makers' batches of keys, newest first, and what is left in stock by make",
  tag: "policy",
  roles: ["admin", "engineer", "care"],
  errors: [],
  status: 200,
  answer: Type.Object({ batches: Type.Array(KeyBatchOut), stocks: Type.Array(KeyStock) }),
  async handle({ keyBatches }, { caller }) {
    const batches = await keyBatches.list(caller.operatorId);
    const stocks = await keyBatches.stocks(caller.operatorId);
    return ok({ batches: batches.map(shown), stocks: stocks.map(shown) });
  },
});

export const withdrawKeyBatch = route({
  method: "DELETE",
  path: "/v1/key-batches/:batchId",
  summary: "Give nobody a key of this batch any more",
  description: "Keys that handsets have already stay theirs. Twice is once.",
  tag: "policy",
  roles: ["admin", "engineer"],
  errors: ["key_batch_not_found"],
  status: 200,
  params: { batchId: BATCH_ID },
  answer: KeyBatchOut,
  async handle({ keyBatches }, { params, caller }) {
    const batch = await keyBatches.withdraw(caller.operatorId, params.batchId, caller.label);
    if (!batch) throw keyBatchNotFound(params.batchId);
    return ok(shown(batch));
  },
});

export const keyBatchNotFound = (batchId: string): TurnupError =>
  new TurnupError("key_batch_not_found", `There is no batch ${batchId}.`, {
    nextStep: "GET /v1/key-batches lists them.",
  });

const shown = <View extends { readonly models: readonly string[] }>(view: View) => ({
  ...view,
  models: [...view.models],
});
