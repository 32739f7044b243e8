/** Looks for what must not be there: in every table, file, log line, SMS and staff answer of a house, in clear or in hex. */
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import type { Phone } from "../../src/sim/phone/phone.ts";
import type { RoadHouse } from "./road-house.ts";

/** What everybody may know of devices, as it was shipped. */
const PUBLIC_TABLES = ["public.dataset_row"];
/** Who else is here: the sandboxes are other companies' machines, which know what they must. */
const FOLDERS_OF_OTHERS = ["sandboxes", "vendor"];

/** Where each of these texts stands; nothing where none does. */
export async function tracesOf(
  house: RoadHouse,
  phones: readonly Phone[],
  texts: readonly string[],
): Promise<readonly string[]> {
  const found: string[] = [];
  const look = (where: string, content: string): void => {
    for (const text of texts) {
      const hex = Buffer.from(text).toString("hex");
      const base64 = Buffer.from(text).toString("base64").replace(/=+$/, "").slice(0, -1);
      if ([text, hex, base64].some((form) => content.includes(form))) found.push(`${text} in ${where}`);
    }
  };
  const tables = await house.database.rows<{ name: string }>(
    "select format('%I.%I', schemaname, tablename) as name from pg_tables where schemaname not in ('pg_catalog', 'information_schema')",
    [],
  );
  for (const { name } of tables.filter((table) => !PUBLIC_TABLES.includes(table.name))) {
    for (const { row } of await house.database.rows<{ row: string }>(
      `select t::text as row from ${name} t`,
      [],
    ))
      look(`table ${name}`, row);
  }
  for (const file of filesIn(house.folder)) look(`file ${file}`, readFileSync(file, "latin1"));
  house.logs.forEach((line) => {
    look("the log", line);
  });
  house.accepted.forEach(({ userData }) => {
    look("an SMS", Buffer.from(userData).toString("latin1"));
    look("an SMS", even(userData).swap16().toString("utf16le"));
  });
  for (const phone of phones) {
    for (const role of ["care", "engineer", "admin"] as const) {
      const { rows } = await house.get(`/v1/orders?imsi=${phone.imsi}&limit=50`, role);
      for (const { id } of rows) {
        look(`${role}'s order`, (await house.call("GET", `/v1/orders/${id}`, undefined, role)).text);
        look(`${role}'s request`, (await house.call("GET", `/v1/requests/${id}`, undefined, role)).text);
      }
    }
    look("care", (await house.call("GET", `/v1/care/subscribers/${phone.imsi}`, undefined, "care")).text);
  }
  return [...new Set(found)];
}

function filesIn(folder: string): string[] {
  return readdirSync(folder, { withFileTypes: true }).flatMap((entry) => {
    const path = join(folder, entry.name);
    if (entry.isDirectory()) return FOLDERS_OF_OTHERS.includes(entry.name) ? [] : filesIn(path);
    return entry.isFile() ? [path] : [];
  });
}

const even = (bytes: Uint8Array): Buffer => Buffer.from(bytes.subarray(0, bytes.length - (bytes.length % 2)));
