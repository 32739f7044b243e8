/** An operator's models with their hardware, as one data set that takes the place of the one before it of the same name. */
import { createHash } from "node:crypto";
import type { ModelImports } from "../../kernel/account/registry.ts";
import type { Database } from "../database/database.ts";
import { importDataset } from "./dataset-store.ts";
import { parseModelsImport } from "./device-import.ts";

const VERSION_DIGITS = 12;
const REFUSED_TOLD_MAX = 100;

export const createModelImports = ({
  database,
  newId,
}: {
  readonly database: Database;
  readonly newId: () => string;
}): ModelImports => ({
  async put(operatorId, { name, models, actor }) {
    const text = JSON.stringify(models);
    const { rows, refused, refusedCount } = parseModelsImport(text);
    if (rows.length > 0) {
      const sha256 = createHash("sha256").update(text).digest("hex");
      await importDataset(database, {
        ...{ id: newId(), auditId: newId(), operatorId, kind: "device_facts", name, actor },
        ...{ version: sha256.slice(0, VERSION_DIGITS), sha256, licence: "the operator's own" },
        ...{ rows, refused: refusedCount },
      });
    }
    // The first line is the header that JSON has not: a row is told by its place in the list, from 0.
    const told = refused.slice(0, REFUSED_TOLD_MAX).map(({ line, reason }) => ({ at: line - 2, reason }));
    return { imported: rows.length, refusedCount, refused: told };
  },
});
