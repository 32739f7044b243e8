/** What is known of one person, opened, for whoever asks for their own data: table by table, the newest rows first. */
import type { PersonData } from "../../kernel/account/erasure.ts";
import type { Tx } from "../database/database.ts";
import type { Sealer } from "../seal/seal.ts";

/** Of each table; more than any person has. */
const ROWS_MAX = 10_000;

type Part = {
  readonly table: string;
  /** `$1` the subscriber; a sealed column is named as it is opened: its name, `__` and its domain. */
  readonly text: string;
};

/** Sealed under a domain: numbers, or JSON (`json`). Content of a notice is for the device alone, and stays closed. */
const OPENED: Readonly<Record<string, "text" | "json">> = {
  imsi: "text",
  msisdn: "text",
  iccid: "text",
  imei: "text",
  locked_device: "text",
  billing_account: "text",
  text_reply: "text",
  payload: "text",
  user: "json",
  contact: "json",
  request_user: "json",
  registration_data: "json",
  subscriber_record: "json",
};

const ORDERS = "(select id from provisioning_order where subscriber_id = $1)";
const NUMBERS = `(select operator_id, msisdn_index as index from subscriber where id = $1 and msisdn_index is not null
                   union select operator_id, msisdn_index from former_number where subscriber_id = $1)`;
const messagesOf = (table: string, body: string): string => `
  select m.id, m.order_id as "orderId", m.kind, m.state, m.reason, m.created_at as "createdAt",
         m.destination_sealed as number__msisdn, ${body} as text__payload
    from ${table} m where m.subscriber_id = $1 or m.order_id in ${ORDERS} or (m.operator_id, m.destination_index) in ${NUMBERS}
   order by m.id desc`;

const PARTS: readonly Part[] = [
  {
    table: "subscriber",
    text: `select imsi_sealed as imsi__imsi, msisdn_sealed as msisdn__msisdn, iccid_sealed as iccid__iccid, home_plmn as "homePlmn", gid1, spn,
                  billing_account_sealed as account__billing_account, created_at as "createdAt" from subscriber where id = $1`,
  },
  {
    table: "formerNumbers",
    text: `select msisdn_sealed as msisdn__msisdn, lost_at as "lostAt" from former_number where subscriber_id = $1 order by lost_at desc`,
  },
  {
    table: "handsets",
    text: `select d.imei_sealed as imei__imei, d.tac, d.software_version as "softwareVersion", p.first_seen_at as "firstSeenAt",
                  p.last_seen_at as "lastSeenAt", p.serving_plmn as "servingPlmn", p.is_current as "isCurrent"
             from pairing p join device d on d.id = p.device_id where p.subscriber_id = $1 order by p.last_seen_at desc`,
  },
  {
    table: "simLock",
    text: `select l.state, l.scope, l.expected_sealed as expected__locked_device, l.received_sealed as received__locked_device,
                  l.foreign_since as "foreignSince", l.changed_at as "changedAt"
             from subscriber s join sim_lock l on l.operator_id = s.operator_id and l.imsi_index = s.imsi_index where s.id = $1`,
  },
  {
    table: "simLockEvents",
    text: `select e.kind, e.at, e.expected_sealed as expected__locked_device, e.received_sealed as received__locked_device, e.source
             from subscriber s join sim_lock l on l.operator_id = s.operator_id and l.imsi_index = s.imsi_index
             join sim_lock_event e on e.lock_id = l.id where s.id = $1 order by e.id desc`,
  },
  {
    table: "handsetsSaid",
    text: `select d.tac, t.source, t.value, t.days, t.first_said_at as "firstSaidAt", t.said_at as "saidAt"
             from pairing p join device d on d.id = p.device_id join device_statement t on t.device_id = d.id
            where p.subscriber_id = $1 and p.is_current order by t.said_at desc`,
  },
  {
    table: "handsetDoubts",
    text: `select d.tac, i.kind, i.reason, i.found_at as "foundAt", i.ended_at as "endedAt", i.end_reason as "endReason"
             from pairing p join device d on d.id = p.device_id join imei_doubt i on i.device_id = d.id
            where p.subscriber_id = $1 and p.is_current order by i.id desc`,
  },
  {
    table: "sightingConflicts",
    text: `select source, other_source as "otherSource", rule, found_at as "foundAt", last_at as "lastAt", times
             from sighting_conflict where subscriber_id = $1 order by id desc`,
  },
  {
    table: "sightings",
    text: `select serving_plmn as "servingPlmn", source, outcome, seen_at as "seenAt" from sighting g
            where g.operator_id = (select operator_id from subscriber where id = $1) and g.subscriber_id = $1 order by seen_at desc`,
  },
  {
    table: "orders",
    text: `select id, cause, state, reason, make, model, created_at as "createdAt", updated_at as "updatedAt", ended_at as "endedAt"
             from provisioning_order where subscriber_id = $1 order by id desc`,
  },
  {
    table: "requests",
    text: `select reference, action, selection, language, user_sealed as user__request_user, card_digits as "cardDigits",
                  mandate_reference as "mandateReference", created_at as "createdAt" from request where order_id in ${ORDERS} order by created_at desc`,
  },
  {
    table: "consents",
    text: `select terms_id as "termsId", terms_version as "termsVersion", text, answer, asked_at as "askedAt", answered_at as "answeredAt"
             from consent where order_id in ${ORDERS} order by id desc`,
  },
  {
    table: "account",
    text: `select user_sealed as user__user, contact_sealed as contact__contact, language, card_digits as "cardDigits", state,
                  created_at as "createdAt" from user_account where subscriber_id = $1`,
  },
  {
    table: "ownRecords",
    text: `select r.user_sealed as user__subscriber_record, r.source, r.updated_at as "updatedAt" from subscriber_record r join subscriber s
               on s.id = $1 and r.operator_id = s.operator_id and (r.imsi_index = s.imsi_index or r.msisdn_index = s.msisdn_index)`,
  },
  {
    table: "services",
    text: `select item_id as "itemId", version, since, ended_at as "endedAt" from provisioned_item where subscriber_id = $1 order by id desc`,
  },
  {
    table: "registrations",
    text: `select service, state, data_sealed as data__registration_data, created_at as "createdAt"
             from registration where subscriber_id = $1 order by id desc`,
  },
  {
    table: "collections",
    text: `select amount_minor::text as "amountMinor", currency, state, reason, means_masked as "means", created_at as "createdAt"
             from collection where subscriber_id = $1 order by id desc`,
  },
  {
    table: "offers",
    text: `select item_id as "itemId", state, created_at as "createdAt" from offer where subscriber_id = $1 order by id desc`,
  },
  {
    table: "replies",
    text: `select text_sealed as text__text_reply, read_as as "readAs", received_at as "receivedAt"
             from text_reply where subscriber_id = $1 order by received_at desc`,
  },
  {
    table: "messages",
    text: messagesOf(
      "message",
      "case when m.kind = 'text' then coalesce(m.sealed, (select sealed from payload where id = m.payload_id)) end",
    ),
  },
  { table: "pastMessages", text: messagesOf("past_message", "case when m.kind = 'text' then m.sealed end") },
];

export async function personData(
  tx: Tx,
  sealer: Sealer,
  subscriberId: string,
  now: Date,
): Promise<PersonData> {
  const tables: Record<string, Record<string, unknown>[]> = {};
  for (const { table, text } of PARTS) {
    const rows = await tx.rows<Record<string, unknown>>(`${text} limit ${ROWS_MAX}`, [subscriberId]);
    tables[table] = rows.map((row) => opened(sealer, row));
  }
  return { subscriberId, madeAt: now.toISOString(), tables };
}

const opened = (sealer: Sealer, row: Readonly<Record<string, unknown>>): Record<string, unknown> =>
  Object.fromEntries(
    Object.entries(row).map(([column, value]) => {
      const [name = column, domain] = column.split("__");
      if (domain === undefined) return [name, value instanceof Date ? value.toISOString() : value];
      if (!(value instanceof Uint8Array)) return [name, null];
      const text = sealer.open(domain, value);
      return [name, OPENED[domain] === "json" ? JSON.parse(text) : text];
    }),
  );
