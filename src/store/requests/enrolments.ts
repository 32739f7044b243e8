/** Enrolment tokens as hashes, beside the portal's ways in (`portal_link`). Every statement names its index. */
import type { Enrolments } from "../../kernel/account/enrolment.ts";
import type { PortalPeople } from "../../kernel/dialog/people.ts";
import { imei14Of, imeiFromNetwork } from "../../term/imei.ts";
import type { Database } from "../database/database.ts";
import { the } from "../database/driver.ts";
import type { Sealer } from "../seal/seal.ts";

const ADD = {
  name: "add_enrolment",
  text: `insert into portal_link (token_hash, operator_id, subscriber_id, device_id, purpose, expires_at)
         values ($1, $2, $3, $4, 'enrol', $5)`,
};
const ENSURE_DEVICE = {
  name: "ensure_enrolment_device", // device_operator_id_imei_index_key
  text: `insert into device (id, operator_id, imei_index, imei_sealed, tac) values ($1, $2, $3, $4, $5)
             on conflict (operator_id, imei_index) do update set tac = excluded.tac
         returning id`,
};
const SPEND = {
  name: "spend_enrolment", // portal_link_pkey, subscriber_pkey, device_pkey
  text: `with spent as (
           update portal_link set used_at = $2
            where operator_id = $1 and token_hash = $3 and purpose = 'enrol' and used_at is null and expires_at > $2
           returning subscriber_id, device_id)
         select s.imsi_sealed, s.msisdn_sealed, d.imei_sealed
           from spent join subscriber s on s.id = spent.subscriber_id left join device d on d.id = spent.device_id`,
};
const LOOK = {
  name: "look_at_enrolment", // portal_link_pkey, subscriber_pkey, device_pkey
  text: `select s.imsi_sealed, s.msisdn_sealed, d.imei_sealed
           from portal_link l join subscriber s on s.id = l.subscriber_id left join device d on d.id = l.device_id
          where l.operator_id = $1 and l.token_hash = $3 and l.purpose = 'enrol' and l.used_at is null and l.expires_at > $2`,
};
type Found = {
  readonly imsi_sealed: Buffer;
  readonly msisdn_sealed: Buffer | null;
  readonly imei_sealed: Buffer | null;
};

export function createEnrolments(
  database: Database,
  sealer: Sealer,
  people: Pick<PortalPeople, "find">,
  newId: () => string,
): Enrolments {
  async function deviceOf(operatorId: string, imei: string): Promise<string> {
    const whole = imeiFromNetwork(imei);
    const rows = await database.rows<{ id: string }>(ENSURE_DEVICE, [
      newId(),
      operatorId,
      sealer.blindIndex("imei", operatorId, imei14Of(whole)),
      sealer.seal("imei", whole),
      whole.slice(0, 8),
    ]);
    return the(rows).id;
  }
  async function foundBy(
    statement: typeof LOOK,
    operatorId: string,
    tokenHash: Uint8Array,
    now: Date,
  ): ReturnType<Enrolments["look"]> {
    const row = await database.one<Found>(statement, [operatorId, now, Buffer.from(tokenHash)]);
    if (!row) return undefined;
    return {
      imsi: sealer.open("imsi", row.imsi_sealed),
      msisdn: row.msisdn_sealed && sealer.open("msisdn", row.msisdn_sealed),
      imei: row.imei_sealed && sealer.open("imei", row.imei_sealed),
    };
  }
  return {
    async issue(operatorId, { who, imei, tokenHash, expiresAt }) {
      const person = await people.find(operatorId, who);
      if (!person?.msisdn) return undefined;
      const deviceId = imei === null ? null : await deviceOf(operatorId, imei);
      await database.run(ADD, [Buffer.from(tokenHash), operatorId, person.subscriberId, deviceId, expiresAt]);
      return { msisdn: person.msisdn };
    },
    look: (...given) => foundBy(LOOK, ...given),
    spend: (...given) => foundBy(SPEND, ...given),
  };
}
