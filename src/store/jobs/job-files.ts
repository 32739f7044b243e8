/** Files that jobs read: kept in parts as they arrive, so that neither whoever takes one nor the network has to hold all of it. */
import { createHash } from "node:crypto";
import { TurnupError } from "../../term/error.ts";
import type { Database, Db } from "../database/database.ts";

/** Of a part, before it is written. */
const PART_OCTETS = 262_144;

const INSERT_FILE = {
  name: "insert_job_file", // job_file_pkey
  text: "insert into job_file (id, operator_id, octets, made_at) values ($1, $2, 0, $3)",
};
const INSERT_PART = {
  name: "insert_job_file_part", // job_file_part_pkey
  text: "insert into job_file_part (file_id, position, octets) values ($1, $2, $3)",
};
const COMPLETE = {
  name: "complete_job_file", // job_file_pkey
  text: "update job_file set octets = $3, sha256 = $4 where operator_id = $1 and id = $2",
};
const DROP = { name: "drop_brought_file", text: "delete from job_file where operator_id = $1 and id = $2" }; // job_file_pkey
const PART = {
  name: "job_file_part", // job_file_part_pkey
  text: "select octets from job_file_part where file_id = $1 and position = $2",
};

type BroughtFile = { readonly id: string; readonly octets: number; readonly sha256: string };

/**
 * Keeps a file as it comes.
 * @throws TurnupError `input_too_long`: more than `octetsMax`; nothing of it is kept
 */
export async function bringFile(
  {
    database,
    newId,
    clock,
  }: { readonly database: Database; readonly newId: () => string; readonly clock: () => Date },
  operatorId: string,
  given: AsyncIterable<Uint8Array>,
  octetsMax: number,
): Promise<BroughtFile> {
  const id = newId();
  await database.run(INSERT_FILE, [id, operatorId, clock()]);
  try {
    const digest = createHash("sha256");
    let [octets, position] = [0, 0];
    for await (const part of parts(given)) {
      octets += part.length;
      if (octets > octetsMax)
        throw new TurnupError("input_too_long", `The file has more than ${octetsMax} octets.`, {
          nextStep: "Bring it in several files, or packed with gzip.",
        });
      digest.update(part);
      await database.run(INSERT_PART, [id, position++, part]);
    }
    const sha256 = digest.digest();
    await database.run(COMPLETE, [operatorId, id, octets, sha256]);
    return { id, octets, sha256: sha256.toString("hex") };
  } catch (error) {
    await dropFile(database, operatorId, id).catch(() => undefined); // or with the strays of the day
    throw error;
  }
}

export const dropFile = (database: Database, operatorId: string, fileId: string): Promise<number> =>
  database.run(DROP, [operatorId, fileId]);

async function* parts(given: AsyncIterable<Uint8Array>): AsyncGenerator<Buffer> {
  let held: Uint8Array[] = [];
  let octets = 0;
  for await (const chunk of given) {
    held.push(chunk);
    octets += chunk.length;
    if (octets < PART_OCTETS) continue;
    yield Buffer.concat(held, octets);
    held = [];
    octets = 0;
  }
  if (octets > 0) yield Buffer.concat(held, octets);
}

/** Its octets, part by part. */
export async function* fileParts(database: Db, fileId: string): AsyncGenerator<Buffer> {
  for (let position = 0; ; position++) {
    const part = await database.one<{ octets: Buffer }>(PART, [fileId, position]);
    if (!part) return;
    yield part.octets;
  }
}
