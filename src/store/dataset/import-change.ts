/** What a staged data set would change: its rows against those in use under its name, told row by row and counted, by the database itself. */
import type { ImportChange } from "../../kernel/devices/import-guard.ts";
import type { Db, Tx } from "../database/database.ts";
import type { OwnKind } from "./own-devices.ts";

/** Outcomes of one kind that are told row by row; the others are counted. */
export const TOLD_MAX = 10_000;

/** What a row is about: two versions that say something of the same are compared there. */
const text = (name: string): string => `lower(coalesce(body->>'${name}', ''))`;
const ABOUT: Readonly<Record<OwnKind, string>> = {
  tac: "coalesce(body->>'tac', '')",
  lifecycle: `${text("make")} || ' ' || ${text("label")}`,
  capability: `${text("make")} || ' ' || ${text("os")} || ' ' || ${text("chipset")} || ' ' || ${text("from_year")}`,
  device_facts: `${text("make")} || ' ' || ${text("name")}`,
  mcc_mnc: `coalesce(body->>'mcc', '') || '-' || coalesce(body->>'mnc', '') || ' ' || ${text("country")}`,
  // One carrier has many rows, each with other signs.
  carrier_id: ["name", "mccmnc", "spn", "imsi_prefix", "gid1", "gid2", "iccid_prefix", "preferred_apn"]
    .map(text)
    .join(" || ' ' || "),
  menus: `${text("system")} || ' ' || ${text("make")} || ' ' || ${text("from")} || ' ' || ${text("to")}`,
};

/** Of rows about one thing the first counts, as in the catalog. */
const COMPARED = (kind: OwnKind): string => `
  with old as (select distinct on (about) about, line, body
                 from (select ${ABOUT[kind]} as about, line, body from dataset_row where dataset_id = $1) r order by about, line),
       new as (select distinct on (about) about, line, body
                 from (select ${ABOUT[kind]} as about, line, body from dataset_row where dataset_id = $2) r order by about, line)`;

/** Null: nothing is in use, and all of it is added. */
export async function changeOf(
  db: Db,
  kind: OwnKind,
  currentId: string | null,
  stagedId: string,
): Promise<ImportChange> {
  const found = await db.one<ImportChange>(
    `${COMPARED(kind)}
     select count(old.about)::int as before,
            count(*) filter (where old.about is null)::int as added,
            count(*) filter (where old.body <> new.body)::int as changed,
            count(*) filter (where new.about is null)::int as removed,
            coalesce(sum(cardinality(akeys)) filter (where new.about is not null), 0)::int as "cellsBefore",
            coalesce(sum(case when old.body <> new.body then (select count(*) from unnest(akeys) k where not new.body ? k) else 0 end), 0)::int as emptied
       from old full join new using (about)
       left join lateral (select array(select jsonb_object_keys(old.body)) as akeys) a on old.about is not null`,
    [currentId, stagedId],
  );
  return found ?? { before: 0, added: 0, changed: 0, removed: 0, cellsBefore: 0, emptied: 0 };
}

/**
 * Writes what becomes of rows as outcomes of the job, behind those that stand there: `added` and `changed` by their lines in the file,
 * `removed` by those of the version in use.
 */
export async function tellChange(
  tx: Tx,
  jobId: string,
  {
    kind,
    currentId,
    stagedId,
  }: { readonly kind: OwnKind; readonly currentId: string | null; readonly stagedId: string },
): Promise<number> {
  return await tx.run(
    `${COMPARED(kind)},
     told as (
       select case when old.about is null then 'added' when new.about is null then 'removed' else 'changed' end as code,
              coalesce(new.line, old.line) as line, about, old.body as was, new.body as becomes
         from old full join new using (about)
        where old.about is null or new.about is null or old.body <> new.body),
     first as (select *, row_number() over (partition by code order by line) as nth from told)
     insert into job_outcome (job_id, position, subject, code, reason)
     select $3, coalesce((select max(position) from job_outcome where job_id = $3), 0) + row_number() over (order by code, line),
            left(about, 200), code,
            case code when 'added' then 'line ' || line
                      when 'removed' then 'it is not in the file'
                      else 'line ' || line || ': ' || left((select string_agg(k || ' was ' || coalesce(was->>k, 'empty') || ', is ' || coalesce(becomes->>k, 'empty'), '; ' order by k)
                             from (select jsonb_object_keys(was || becomes) as k) n where was->>k is distinct from becomes->>k), 500) end
       from first where nth <= ${TOLD_MAX}`,
    [currentId, stagedId, jobId],
  );
}
