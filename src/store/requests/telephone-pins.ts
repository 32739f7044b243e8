/**
 * PINs for the telephone on PostgreSQL: salted scrypt (RFC 7914), and the hash sealed besides, since few digits are soon tried by
 * whoever has the table alone. A try is spent before it is looked at, so that many at once are no more tries than one by one.
 */
import { randomBytes, type ScryptOptions, scrypt, timingSafeEqual } from "node:crypto";
import {
  checkPin,
  PIN_DIGITS,
  PIN_LOCK,
  PIN_TRIES,
  type TelephonePins,
} from "../../kernel/account/telephone-pin.ts";
import type { Database } from "../database/database.ts";
import type { Sealer } from "../seal/seal.ts";

const DOMAIN = "telephone_pin";
const SALT_OCTETS = 16;
const HASH_OCTETS = 32;
/** N of new ones, as a power of 2: 32 MiB and about a tenth of a second each. */
const COST = 15;
const BLOCK = 8;

const IS_SET = {
  name: "telephone_pin_is_set", // telephone_pin_pkey
  text: "select true as is from telephone_pin where operator_id = $1 and subscriber_id = $2",
};
const PUT = {
  name: "put_telephone_pin", // telephone_pin_pkey, subscriber_pkey
  text: `insert into telephone_pin (operator_id, subscriber_id, salt, cost, hash_sealed, tries, set_at)
         select $1, id, $3, $4, $5, 0, $6 from subscriber where operator_id = $1 and id = $2
             on conflict (operator_id, subscriber_id) do update
            set salt = excluded.salt, cost = excluded.cost, hash_sealed = excluded.hash_sealed, tries = 0, locked_until = null,
                set_at = excluded.set_at`,
};
const REMOVE = "delete from telephone_pin where operator_id = $1 and subscriber_id = $2"; // telephone_pin_pkey
const SPEND_TRY = {
  name: "try_telephone_pin", // telephone_pin_pkey
  text: `update telephone_pin
            set tries = tries + 1,
                locked_until = case when tries + 1 >= $4 then $3::timestamptz
                  + least($6::float8, $5::float8 * power(2, least(tries + 1 - $4, 10))) * interval '1 hour' end
          where operator_id = $1 and subscriber_id = $2 and (locked_until is null or locked_until <= $3)
      returning salt, cost, hash_sealed as "hashSealed"`,
};
const GIVE_BACK = {
  name: "telephone_pin_was_right", // telephone_pin_pkey; not where another one was set meanwhile
  text: `update telephone_pin set tries = 0, locked_until = null
          where operator_id = $1 and subscriber_id = $2 and salt = $3`,
};

type Kept = { readonly salt: Buffer; readonly cost: number; readonly hashSealed: Buffer };

export function createTelephonePins(database: Database, sealer: Sealer, clock: () => Date): TelephonePins {
  return {
    isSet: async (operatorId, subscriberId) =>
      (await database.one(IS_SET, [operatorId, subscriberId])) !== undefined,
    async put(operatorId, subscriberId, pin) {
      checkPin(pin);
      const salt = randomBytes(SALT_OCTETS);
      const sealed = sealer.seal(DOMAIN, await hashOf(pin, { salt, cost: COST }));
      await database.run(PUT, [operatorId, subscriberId, salt, COST, sealed, clock()]);
    },
    remove: async (operatorId, subscriberId) => (await database.run(REMOVE, [operatorId, subscriberId])) > 0,
    async check(operatorId, subscriberId, pin) {
      if (!/^\d+$/.test(pin) || pin.length < PIN_DIGITS.min || pin.length > PIN_DIGITS.max) return "wrong";
      const { firstHours, longestHours } = PIN_LOCK;
      const values = [operatorId, subscriberId, clock(), PIN_TRIES, firstHours, longestHours];
      const kept = await database.one<Kept>(SPEND_TRY, values);
      if (!kept) return "locked";
      const hash = await hashOf(pin, kept);
      if (!timingSafeEqual(hash, sealer.openBytes(DOMAIN, kept.hashSealed))) return "wrong";
      await database.run(GIVE_BACK, [operatorId, subscriberId, kept.salt]);
      return "right";
    },
  };
}

function hashOf(pin: string, { salt, cost }: Pick<Kept, "salt" | "cost">): Promise<Buffer> {
  const N = 2 ** cost;
  const options: ScryptOptions = { N, r: BLOCK, p: 1, maxmem: 2 * 128 * N * BLOCK };
  return new Promise((resolve, reject) => {
    scrypt(pin, salt, HASH_OCTETS, options, (error, hash) => (error ? reject(error) : resolve(hash)));
  });
}
