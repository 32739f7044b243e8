/** A maker's batch comes in, by the API, its maker's own call or a file: checked against what is agreed with that make, and stored. */
import { TurnupError } from "../../term/error.ts";
import type { KeyBatch } from "../../wire/message/maker-api.ts";
import { publicKeyOf } from "./issuer-keys.ts";
import { type BatchView, checkBatch, type KeyBatches } from "./key-batches.ts";

type Import = {
  /** What is agreed with just this make: whose signature counts. */
  readonly relationOf: (
    operatorId: string,
    make: string,
  ) => Promise<{ readonly keyIssuers: Readonly<Record<string, string>> } | undefined>;
  readonly keyBatches: KeyBatches;
  /** Our issuer's public key, 32 octets. */
  readonly binder: Uint8Array;
  readonly now: Date;
};

/** @throws TurnupError `relation_not_found`, `key_batch_invalid`, `key_batch_conflict` */
export async function importBatch(
  { relationOf, keyBatches, binder, now }: Import,
  operatorId: string,
  batch: KeyBatch,
  actor: string,
): Promise<{ readonly created: boolean; readonly batch: BatchView }> {
  const relation = await relationOf(operatorId, batch.make);
  if (!relation) {
    throw new TurnupError("relation_not_found", `Nothing was agreed with ${batch.make}.`, {
      nextStep: "Write the relation first, with the maker's keyIssuers; GET /v1/relations lists them.",
    });
  }
  const { keyIssuers } = relation;
  const checked = checkBatch(batch, {
    publicKeyOf: (issuer) => publicKeyOf(keyIssuers[issuer]),
    binder,
    now,
  });
  return await keyBatches.put(operatorId, checked, actor);
}
