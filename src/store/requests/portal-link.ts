/**
 * Who comes to the portal: people by their numbers, and ways in by SMS (a link and a code, as hashes). Every statement
 * names the index that it runs on.
 */
import type { AccountFactsSource } from "../../kernel/account/account-facts.ts";
import type { KnownPerson, PortalPeople } from "../../kernel/dialog/people.ts";
import type { NewRequest } from "../../kernel/order/request.ts";
import { imei14Of, imeiFromNetwork } from "../../term/imei.ts";
import { parseImsi } from "../../term/imsi.ts";
import { parseMsisdn } from "../../term/msisdn.ts";
import type { Database } from "../database/database.ts";
import type { Sealer } from "../seal/seal.ts";
import { createAccounts } from "./account-store.ts";
import { recordFactsOf, recordOfNumbers } from "./record-rows.ts";

const FORGOTTEN_AT_ONCE = 1_000;

/** The device where the SIM is by the latest sighting; where nobody saw it, the one of its latest order. */
const DEVICE = `left join device d on d.id = coalesce($3::uuid,
  (select p.device_id from pairing p where p.subscriber_id = s.id and p.is_current limit 1),
  (select o.device_id from provisioning_order o where o.subscriber_id = s.id order by o.id desc limit 1))`;
const PERSON = `s.id as "subscriberId", s.msisdn_sealed, s.number_lost_at as "numberLostAt", d.id as "deviceId", d.tac`;
const BY_ID = {
  name: "portal_person_by_id", // subscriber_pkey, pairing_current, provisioning_order_of_subscriber
  text: `select ${PERSON} from subscriber s ${DEVICE} where s.operator_id = $1 and s.id = $2`,
};
const BY_IMSI = {
  name: "portal_person_by_imsi", // subscriber_operator_id_imsi_index_key
  text: `select ${PERSON} from subscriber s ${DEVICE} where s.operator_id = $1 and s.imsi_index = $2`,
};
const BY_MSISDN = {
  name: "portal_person_by_msisdn", // subscriber_by_msisdn; of a number that moved to another SIM, the SIM that was seen last
  text: `select ${PERSON} from subscriber s ${DEVICE}
           left join pairing q on q.subscriber_id = s.id and q.is_current
          where s.operator_id = $1 and s.msisdn_index = $2 order by q.last_seen_at desc nulls last, s.id desc limit 1`,
};
const DEVICE_BY_IMEI = {
  name: "portal_device_by_imei", // device_operator_id_imei_index_key
  text: "select id from device where operator_id = $1 and imei_index = $2",
};
const IN_DEVICE = {
  name: "portal_person_in_device", // pairing_of_device
  text: `select subscriber_id as id from pairing where device_id = $1 and is_current order by last_seen_at desc limit 1`,
};
const ADD_LINK = {
  name: "add_portal_link", // portal_link_pkey, portal_link_of_subscriber
  text: `insert into portal_link (token_hash, operator_id, subscriber_id, purpose, otp_hash, expires_at)
         select $1, $2::uuid, $3::uuid, 'portal', $4, $5
          where (select count(*) from portal_link
                  where subscriber_id = $3::uuid and purpose = 'portal' and expires_at > $6) < $7
            and exists (select from subscriber where id = $3::uuid and msisdn_index = $8)`,
};
const LOCK_SUBSCRIBER = {
  name: "lock_portal_subscriber", // subscriber_pkey
  text: "select id from subscriber where id = $1 for update",
};
const USE_LINK = {
  name: "use_portal_link", // portal_link_pkey
  text: `update portal_link set used_at = $3
          where token_hash = $2 and operator_id = $1 and purpose = 'portal' and used_at is null and expires_at > $3
         returning subscriber_id as "subscriberId"`,
};
const USE_CODE = {
  name: "use_portal_code", // portal_link_pkey
  text: `update portal_link set tries_left = tries_left - 1, used_at = case when otp_hash = $3 then $4::timestamptz end
          where token_hash = $2 and operator_id = $1 and purpose = 'portal' and used_at is null
            and tries_left > 0 and expires_at > $5
         returning case when used_at is not null then subscriber_id end as "subscriberId"`,
};
const FORGET = `delete from portal_link where token_hash in
  (select token_hash from portal_link where expires_at < $1 limit ${FORGOTTEN_AT_ONCE})`;

/** The last moment that there is: nothing is counted since. */
const NEVER = new Date(8_640_000_000_000_000);

type PersonRow = Omit<KnownPerson, "msisdn"> & { readonly msisdn_sealed: Buffer | null };

export function createPortalPeople(database: Database, sealer: Sealer): PortalPeople {
  const accounts: AccountFactsSource = createAccounts(database, sealer);
  const index = (operatorId: string, domain: string, text: string): Buffer =>
    sealer.blindIndex(domain, operatorId, text);

  async function deviceOf(operatorId: string, imei: string | undefined): Promise<string | null> {
    if (imei === undefined) return null;
    const known = [operatorId, index(operatorId, "imei", imei14Of(imeiFromNetwork(imei)))];
    return (await database.one<{ id: string }>(DEVICE_BY_IMEI, known))?.id ?? null;
  }

  async function rowOf(operatorId: string, who: NewRequest["who"]): Promise<PersonRow | undefined> {
    const { subscriberId, imsi, msisdn, imei } = who;
    const deviceId = await deviceOf(operatorId, imei);
    if (subscriberId !== undefined) return database.one(BY_ID, [operatorId, subscriberId, deviceId]);
    if (imsi !== undefined)
      return database.one(BY_IMSI, [operatorId, index(operatorId, "imsi", parseImsi(imsi)), deviceId]);
    if (msisdn !== undefined)
      return database.one(BY_MSISDN, [
        operatorId,
        index(operatorId, "msisdn", parseMsisdn(msisdn)),
        deviceId,
      ]);
    const inside = deviceId === null ? undefined : await database.one<{ id: string }>(IN_DEVICE, [deviceId]);
    return inside && database.one(BY_ID, [operatorId, inside.id, deviceId]);
  }

  return {
    async find(operatorId, who) {
      const row = await rowOf(operatorId, who);
      if (!row) return undefined;
      const { msisdn_sealed, ...person } = row;
      return { ...person, msisdn: msisdn_sealed && sealer.open("msisdn", msisdn_sealed) };
    },
    async known(operatorId, { subscriberId, deviceId }) {
      if (deviceId === null) {
        const { record } = await recordFactsOf(
          database,
          sealer,
          { operatorId, subscriberId, deviceId: subscriberId },
          NEVER,
        );
        return { isKnownDevice: false, account: null, record };
      }
      // Only these two are asked for, so nothing is counted over a time.
      const window = { seenSince: NEVER, requestsSince: NEVER, cardsSince: NEVER, recordTriesSince: NEVER };
      const asked = { operatorId, subscriberId, deviceId, cardIndex: null, idDocument: null, ...window };
      const { isKnownDevice, account, record } = await accounts.factsOf(asked);
      return { isKnownDevice, account, record };
    },
    recordOf: (operatorId, { imsi, msisdn }) =>
      recordOfNumbers(database, sealer, operatorId, {
        imsi: imsi === undefined ? null : parseImsi(imsi),
        msisdn: msisdn === undefined ? null : parseMsisdn(msisdn),
      }),
    addLink: ({ operatorId, subscriberId, msisdn, tokenHash, codeHash, expiresAt }, now, most) =>
      database.transaction(async (tx) => {
        await tx.rows(LOCK_SUBSCRIBER, [subscriberId]); // two at once must not both be the last that is allowed
        const link = [Buffer.from(tokenHash), operatorId, subscriberId, Buffer.from(codeHash), expiresAt];
        const number = index(operatorId, "msisdn", msisdn);
        return (await tx.run(ADD_LINK, [...link, now, most, number])) === 1;
      }),
    useLink: async (operatorId, tokenHash, now) =>
      (await database.one<Spent>(USE_LINK, [operatorId, Buffer.from(tokenHash), now]))?.subscriberId ??
      undefined,
    async useCode(operatorId, { tokenHash, codeHash }, now, validAfter) {
      const hashes = [Buffer.from(tokenHash), Buffer.from(codeHash)];
      const spent = await database.one<Spent>(USE_CODE, [operatorId, ...hashes, now, validAfter]);
      return spent?.subscriberId ?? undefined;
    },
    forgetLinks: (before) => database.run(FORGET, [before]),
  };
}

type Spent = { readonly subscriberId: string | null };
