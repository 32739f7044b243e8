/** Device keys as they were issued, with their octets: looked for by their id, or by the reference that a handset reports. */
import type { IssuedKey } from "../../kernel/order/device-key.ts";
import type { OrderStore } from "../../kernel/order/order-store.ts";
import type { Db } from "../database/database.ts";
import type { Sealer } from "../seal/seal.ts";

const KEY = `k.id as "keyId", k.operator_id as "operatorId", k.order_id as "orderId", i.id as "itemId", k.sealed`;
const KEYS_BY_ID = {
  name: "keys_by_id", // device_key_pkey, order_item_of_key
  text: `select ${KEY} from device_key k left join order_item i on i.key_id = k.id
          where k.operator_id = $1 and k.id = any($2::uuid[])`,
};
const KEYS_BY_REFERENCE = {
  name: "keys_by_reference", // device_key_by_reference, order_item_of_key
  text: `select ${KEY} from device_key k left join order_item i on i.key_id = k.id where k.reference = any($1::bytea[])`,
};
type SealedKey = Omit<IssuedKey, "bytes"> & { readonly sealed: Buffer };
const unsealedKey = ({ sealed, ...row }: SealedKey, sealer: Sealer): IssuedKey => ({
  ...row,
  bytes: sealer.openBytes("device_key", sealed),
});

export const issuedKeys = (
  database: Db,
  sealer: Sealer,
): Pick<OrderStore, "keysById" | "keysByReference"> => ({
  async keysById(operatorId, keyIds) {
    const rows = await database.rows<SealedKey>(KEYS_BY_ID, [operatorId, keyIds]);
    return new Map(rows.map((row) => [row.keyId, unsealedKey(row, sealer)]));
  },
  async keysByReference(references) {
    const rows = await database.rows<SealedKey>(KEYS_BY_REFERENCE, [
      references.map((one) => Buffer.from(one)),
    ]);
    return rows.map((row) => unsealedKey(row, sealer));
  },
});
