/**
 * All of an operator's subscriber records at once: what of them is new, changed, the same, and no more in the customer system,
 * where it is erased here too. Compared by blind indexes, a page at a time; what changed meanwhile by another road stays.
 */
import type {
  RecordNumber,
  SubscriberRecord,
  WholeGiven,
  WholePlan,
} from "../../kernel/account/own-records.ts";
import { canonical } from "../../kernel/catalog/item-body.ts";
import { assured } from "../../term/narrow.ts";
import type { Database } from "../database/database.ts";
import { START_OF_ORDER } from "../database/page.ts";
import { RECORD_DOMAIN } from "../requests/record-rows.ts";
import type { Sealer } from "../seal/seal.ts";
import { INSERT_AUDIT, type RegistryDeps } from "./audited.ts";

const PAGE_ROWS = 1_000;

const INDEXED = {
  name: "records_indexed", // subscriber_record_by_id
  text: `select id, imsi_index, msisdn_index, user_sealed from subscriber_record
          where operator_id = $1 and id > $2 order by id limit ${PAGE_ROWS}`,
};
/** What was written since it was looked at is another word than the one that lacks it. */
const ERASE_ABSENT = {
  name: "erase_absent_records", // subscriber_record_by_id
  text: "delete from subscriber_record where operator_id = $1 and id = any($2::uuid[]) and updated_at <= $3",
};

type Row = {
  readonly id: string;
  readonly imsi_index: Buffer | null;
  readonly msisdn_index: Buffer | null;
  readonly user_sealed: Buffer;
};

/** What is to be written and erased, and the counts that are told. */
type Whole = {
  readonly plan: WholePlan;
  readonly news: readonly SubscriberRecord[];
  readonly absent: readonly string[];
  readonly lookedAt: Date;
};

type Given = { readonly at: number; readonly record: SubscriberRecord };
type Found = { same: boolean; rows: number };

/** By blind index: what is given, and whose record stays as it is. */
function indexOf(sealer: Sealer, operatorId: string, { records, kept }: WholeGiven) {
  const key = (domain: "imsi" | "msisdn", text: string): string =>
    sealer.blindIndex(domain, operatorId, text).toString("base64");
  const byImsi = new Map<string, Given>();
  const byMsisdn = new Map<string, Given>();
  for (const [at, record] of records.entries()) {
    if (record.imsi !== null) byImsi.set(key("imsi", record.imsi), { at, record });
    if (record.msisdn !== null) byMsisdn.set(key("msisdn", record.msisdn), { at, record });
  }
  const keyOf = (number: RecordNumber): string =>
    "imsi" in number ? key("imsi", number.imsi) : key("msisdn", number.msisdn);
  return { byImsi, byMsisdn, kept: new Set(kept.map(keyOf)) };
}

/** The given record that takes a row's place, by the rules of `put`: a SIM goes before a number. */
function placeOf(row: Row, { byImsi, byMsisdn }: ReturnType<typeof indexOf>): Given | undefined {
  const bySim = row.imsi_index ? byImsi.get(row.imsi_index.toString("base64")) : undefined;
  if (bySim) return bySim;
  const byNumber = row.msisdn_index ? byMsisdn.get(row.msisdn_index.toString("base64")) : undefined;
  // A number that another SIM has now is taken from this one, which is looked for by its own.
  return byNumber && (row.imsi_index === null || byNumber.record.imsi === null) ? byNumber : undefined;
}

const isSame = (sealer: Sealer, row: Row, { record }: Given): boolean =>
  (row.imsi_index === null) === (record.imsi === null) &&
  (row.msisdn_index === null) === (record.msisdn === null) &&
  canonical(JSON.parse(sealer.open(RECORD_DOMAIN, row.user_sealed))) === canonical(record.user);

/** Reads all that is there, and says what the whole comes to. Writes nothing. */
export async function compareWhole(
  { database, sealer, clock }: Pick<RegistryDeps, "sealer" | "clock"> & { readonly database: Database },
  operatorId: string,
  given: WholeGiven,
): Promise<Whole> {
  const lookedAt = clock();
  const index = indexOf(sealer, operatorId, given);
  const isKept = (row: Row): boolean =>
    [row.imsi_index, row.msisdn_index].some((one) => one && index.kept.has(one.toString("base64")));
  const found = new Map<number, Found>();
  const absent: string[] = [];
  let there = 0;
  for (let after = START_OF_ORDER; ; ) {
    const rows = await database.rows<Row>(INDEXED, [operatorId, after]);
    there += rows.length;
    for (const row of rows) {
      const place = placeOf(row, index);
      if (place) {
        const before = found.get(place.at);
        const same = before === undefined && hasItsNumbers(row, place, index) && isSame(sealer, row, place);
        found.set(place.at, { same, rows: (before?.rows ?? 0) + 1 });
      } else if (!isKept(row)) absent.push(row.id);
    }
    if (rows.length < PAGE_ROWS) break;
    after = assured(rows.at(-1), "a full page has a last row").id;
  }
  const same = [...found.values()].filter((one) => one.same).length;
  const plan = {
    there,
    added: given.records.length - found.size,
    changed: found.size - same,
    unchanged: same,
    removed: absent.length,
  };
  return { plan, news: given.records.filter((_, at) => !found.get(at)?.same), absent, lookedAt };
}

/** Each number that the row has is the given record's. */
const hasItsNumbers = (row: Row, { at }: Given, { byImsi, byMsisdn }: ReturnType<typeof indexOf>): boolean =>
  (row.imsi_index === null || byImsi.get(row.imsi_index.toString("base64"))?.at === at) &&
  (row.msisdn_index === null || byMsisdn.get(row.msisdn_index.toString("base64"))?.at === at);

/** Erases for good what the whole lacks; the audit keeps how many, by whom and for which file, and nobody's name. */
export async function eraseAbsent(
  { database, newId, clock }: Omit<RegistryDeps, "changes">,
  operatorId: string,
  { absent, lookedAt }: Pick<Whole, "absent" | "lookedAt">,
  { source, actor }: Pick<WholeGiven, "source" | "actor">,
): Promise<number> {
  let removed = 0;
  for (let at = 0; at < absent.length; at += PAGE_ROWS) {
    const ids = absent.slice(at, at + PAGE_ROWS);
    removed += await database.transaction(async (tx) => {
      const erased = await tx.run(ERASE_ABSENT, [operatorId, ids, lookedAt]);
      const detail = { removed: erased, source };
      const audit = [newId(), operatorId, actor, "subscriber_records.erase_absent", source, detail, clock()];
      await tx.run(INSERT_AUDIT, audit);
      return erased;
    });
  }
  return removed;
}
