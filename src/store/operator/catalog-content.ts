/** Octets of modules that this server holds itself, under their SHA-256: the same octets are there once. */
import { createHash } from "node:crypto";
import type { CatalogStore } from "../../kernel/catalog/catalog-store.ts";
import { MODULE_OCTETS_MAX } from "../../kernel/catalog/item-body.ts";
import { TurnupError } from "../../term/error.ts";
import type { Database, Statement } from "../database/database.ts";

const INSERT_CONTENT = {
  name: "insert_catalog_content", // catalog_content_pkey
  text: `insert into catalog_content (operator_id, sha256, octets, made_at) values ($1, $2, $3, $4)
             on conflict (operator_id, sha256) do nothing`,
};
const CONTENT = {
  name: "catalog_content", // catalog_content_pkey
  text: "select octets from catalog_content where operator_id = $1 and sha256 = $2",
};
/** Modules of one operator. */
const CONTENTS_MAX = 10_000;
const KNOWN_CONTENT = {
  name: "known_catalog_content", // catalog_content_pkey
  text: `select encode(sha256, 'hex') as sha256 from catalog_content where operator_id = $1 limit ${CONTENTS_MAX}`,
};

export const contentIn = (
  database: Database,
  newId: () => string,
  clock: () => Date,
  insertAudit: Statement,
): Pick<CatalogStore, "putContent" | "content" | "knownContent"> => ({
  async putContent(operatorId, sha256, octets, actor) {
    if (octets.length === 0 || octets.length > MODULE_OCTETS_MAX) {
      throw new TurnupError(
        "body_too_large",
        `A module has 1 to ${MODULE_OCTETS_MAX} octets, not ${octets.length}.`,
      );
    }
    const found = createHash("sha256").update(octets).digest();
    if (found.toString("hex") !== sha256) {
      throw new TurnupError("content_mismatch", `These octets have the SHA-256 ${found.toString("hex")}.`, {
        nextStep: "Hash the file again and send the same octets.",
      });
    }
    return await database.transaction(async (tx) => {
      const at = clock();
      const isNew = (await tx.run(INSERT_CONTENT, [operatorId, found, octets, at])) > 0;
      const detail = JSON.stringify({ octets: octets.length });
      if (isNew)
        await tx.run(insertAudit, [newId(), operatorId, actor, "catalog.content", sha256, detail, at]);
      return isNew;
    });
  },
  async content(operatorId, sha256) {
    const row = await database.one<{ octets: Buffer }>(CONTENT, [operatorId, Buffer.from(sha256, "hex")]);
    return row?.octets;
  },
  async knownContent(operatorId) {
    const rows = await database.rows<{ sha256: string }>(KNOWN_CONTENT, [operatorId]);
    return new Set(rows.map(({ sha256 }) => sha256));
  },
});
