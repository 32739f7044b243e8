/**
 * SIMs and handsets that nobody saw before. A new SIM is written with what its sightings tell of it: its number, written behind
 * its row, would be a second version of the row and of each of its index entries.
 */
import type { Tx } from "../database/database.ts";
import type { Sealer } from "../seal/seal.ts";
import { insertDevices, insertSubscribers, type Row, type ToldColumns } from "./intake-rows.ts";
import { keyOf } from "./intake-unchanged.ts";

/** What a batch told of one SIM: the newest of each. */
export type Told = Pick<Row, "operatorId" | "msisdn" | "msisdnIndex" | "iccid" | "gid1" | "spn"> & {
  /** When it was seen with this number. */
  readonly numberMs: number;
};

/** What is known with one more row, none of which is older. */
export const toldBy = (before: Told | undefined, row: Row, isNumberTold: boolean): Told => ({
  operatorId: row.operatorId,
  msisdn: isNumberTold ? row.msisdn : (before?.msisdn ?? null),
  msisdnIndex: isNumberTold ? row.msisdnIndex : (before?.msisdnIndex ?? null),
  numberMs: isNumberTold ? row.seenMs : (before?.numberMs ?? 0),
  iccid: row.iccid ?? before?.iccid ?? null,
  gid1: row.gid1 ?? before?.gid1 ?? null,
  spn: row.spn ?? before?.spn ?? null,
});

export const columnsOf = (
  sealer: Sealer,
  { msisdn, msisdnIndex, iccid, gid1, spn }: Omit<Told, "operatorId" | "numberMs">,
): ToldColumns => ({
  msisdnIndex,
  msisdnSealed: msisdn === null ? null : sealer.seal("msisdn", msisdn),
  iccidSealed: iccid === null ? null : sealer.seal("iccid", iccid),
  gid1,
  spn,
});

const NOTHING = { msisdn: null, msisdnIndex: null, iccid: null, gid1: null, spn: null };

type Deps = { readonly newId: () => string; readonly sealer: Sealer };

/**
 * Writes what is not there yet; answers which SIMs are new and hold in their rows all that the batch tells of them.
 * In order of their index, so that two batches with the same new SIMs do not wait on each other crosswise.
 */
export async function insertUnseen(
  { newId, sealer }: Deps,
  tx: Tx,
  rows: readonly Row[],
): Promise<ReadonlySet<string>> {
  const told = toldOf(rows);
  const contested = contestedIn(rows);
  const bare = new Set<string>();
  const subscribers = inOrder(new Map(rows.map((row) => [simOf(row), row]))).map((row) => {
    const id = newId();
    const known = told.get(simOf(row));
    if (contested.has(simOf(row))) bare.add(id);
    const columns = columnsOf(sealer, known === undefined || bare.has(id) ? NOTHING : known);
    return { ...row, ...columns, id, imsiSealed: sealer.seal("imsi", row.imsi) };
  });
  const inserted = await insertSubscribers.ids(tx, subscribers);
  await insertDevices(
    tx,
    inOrder(new Map(rows.map((row) => [keyOf(row.operatorId, row.imeiIndex), row]))).map((row) => ({
      ...row,
      id: newId(),
      imeiSealed: sealer.seal("imei", row.imei),
    })),
  );
  return new Set(inserted.filter((id) => !bare.has(id)));
}

const simOf = ({ operatorId, imsiIndex }: Row): string => keyOf(operatorId, imsiIndex);
const inOrder = (map: ReadonlyMap<string, Row>): Row[] =>
  [...map.entries()].sort(([one], [other]) => (one < other ? -1 : 1)).map(([, row]) => row);

/** Of each SIM, as far as nobody knows it yet: its number is whichever it was seen with last. */
function toldOf(rows: readonly Row[]): ReadonlyMap<string, Told> {
  const told = new Map<string, Told>();
  for (const row of [...rows].sort((one, other) => one.seenMs - other.seenMs))
    told.set(simOf(row), toldBy(told.get(simOf(row)), row, row.msisdn !== null));
  return told;
}

/** SIMs that share a number within the batch: whose it is, is decided when their rows are there. */
function contestedIn(rows: readonly Row[]): ReadonlySet<string> {
  const sims = new Map<string, Set<string>>();
  for (const row of rows) {
    if (row.msisdnIndex === null) continue;
    const number = keyOf(row.operatorId, row.msisdnIndex);
    sims.set(number, (sims.get(number) ?? new Set()).add(simOf(row)));
  }
  return new Set([...sims.values()].flatMap((some) => (some.size > 1 ? [...some] : [])));
}
