/** A national TAC list, as long as one is, of the operator of the bench: as `POST /v1/imports` takes it, or put into the database at once. */
import type { Store } from "../src/app/server/store.ts";
import { the } from "../src/store/database/driver.ts";
import { uuidv7 } from "../src/store/database/uuid.ts";
import { importDataset } from "../src/store/dataset/dataset-store.ts";
import { readDeviceImport } from "../src/store/dataset/read-import.ts";

const FIRST_TAC = 86_000_000;
/** As in the lists that are published: a name has some ten codes, few makes have most names. */
const TACS_A_MODEL = 9;
const MAKES = 700;

/** CSV, so many rows long. */
export function tacListOf(tacs: number): Buffer {
  const lines = Array.from({ length: tacs }, (_, n) => {
    const model = Math.floor(n / TACS_A_MODEL);
    const make = Math.floor(MAKES ** (((model * 7_919) % 1_000) / 1_000));
    return `${FIRST_TAC + n},Maker ${make},Phone ${model} SM-X${model},SM-X${model}/${n % TACS_A_MODEL}`;
  });
  return Buffer.from(["tac,make,model,model_codes", ...lines, ""].join("\n"));
}

export async function importTacs({ database }: Store, tacs: number): Promise<void> {
  const { id: operatorId } = the(
    await database.rows<{ id: string }>("select id from operator where slug = 'bench'"),
  );
  const file = tacListOf(tacs);
  const { content, rows, refusedCount } = readDeviceImport("tac", "bench", file);
  if (rows.length !== tacs) throw new Error(`${rows.length} of ${tacs} codes were read`);
  const { version, sha256 } = content;
  await importDataset(database, {
    ...{ id: uuidv7(), auditId: uuidv7(), operatorId, kind: "tac", name: "bench" },
    ...{ version, sha256, licence: "the bench's own", rows, refused: refusedCount, actor: "bench" },
  });
}
