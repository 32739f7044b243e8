/** Pairs of SIM and phone straight into the tables, as many as no bench could report one by one. */
import pg from "pg";
import type { Store } from "../src/app/server/store.ts";
import { copyIn } from "../src/store/database/copy.ts";
import { sessionConfigOf, the } from "../src/store/database/driver.ts";
import { uuidv7 } from "../src/store/database/uuid.ts";

const ROWS_A_CHUNK = 1_000;
const SEEN_AGO_MS = 120_000;
const TAC = "35332811";
const SERIALS = 1_000_000;

/** SIM n is `00101` and n in ten digits, in the phone with serial number n modulo a million of a TAC that counts up with the millions. */
export async function copyPairs(
  { database, sealer, connection }: Pick<Store, "database" | "sealer" | "connection">,
  count: number,
  slug = "bench",
): Promise<void> {
  const { id: operatorId } = the(
    await database.rows<{ id: string }>("select id from operator where slug = $1", [slug]),
  );
  const seenAt = new Date(Date.now() - SEEN_AGO_MS).toISOString();
  const bytes = (octets: Buffer): string => `\\\\x${octets.toString("hex")}`;
  const of = (n: number) => ({
    imsi: `00101${String(n).padStart(10, "0")}`,
    imei: `${Number(TAC) + Math.floor(n / SERIALS)}${String(n % SERIALS).padStart(6, "0")}`,
  });
  // Three passes draw the same ids, so that none is kept meanwhile.
  const ids = Array.from({ length: 3 }, () => uuidv7().slice(0, 24));
  const id = (table: number, n: number): string => `${ids[table]}${n.toString(16).padStart(12, "0")}`;
  const tables: readonly [string, (n: number) => readonly string[]][] = [
    [
      "subscriber (id, operator_id, imsi_index, imsi_sealed, home_plmn)",
      (n) => {
        const { imsi } = of(n);
        return [
          id(0, n),
          operatorId,
          bytes(sealer.blindIndex("imsi", operatorId, imsi)),
          bytes(sealer.seal("imsi", imsi)),
          "00101",
        ];
      },
    ],
    [
      "device (id, operator_id, imei_index, imei_sealed, tac)",
      (n) => {
        const { imei } = of(n);
        return [
          id(1, n),
          operatorId,
          bytes(sealer.blindIndex("imei", operatorId, imei)),
          bytes(sealer.seal("imei", `${imei}0`)),
          imei.slice(0, 8),
        ];
      },
    ],
    [
      "pairing (id, operator_id, subscriber_id, device_id, first_seen_at, last_seen_at, since, is_current, serving_plmn)",
      (n) => [id(2, n), operatorId, id(0, n), id(1, n), seenAt, seenAt, seenAt, "t", "00101"],
    ],
  ];
  const client = new pg.Client(sessionConfigOf(connection));
  await client.connect();
  try {
    for (const [table, row] of tables) await copyIn(client, `copy ${table} from stdin`, chunks(count, row));
    await client.query("analyze subscriber; analyze device; analyze pairing");
  } finally {
    await client.end();
  }
}

async function* chunks(count: number, row: (n: number) => readonly string[]): AsyncGenerator<Buffer> {
  for (let from = 0; from < count; from += ROWS_A_CHUNK) {
    const lines = Array.from(
      { length: Math.min(ROWS_A_CHUNK, count - from) },
      (_, at) => `${row(from + at).join("\t")}\n`,
    );
    yield Buffer.from(lines.join(""));
  }
}
