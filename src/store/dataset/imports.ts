/** Brings files of an operator's own data and asks for their jobs; puts a former version back. */
import type { Imports } from "../../kernel/jobs/imports.ts";
import type { Database } from "../database/database.ts";
import { bringFile, dropFile } from "../jobs/job-files.ts";
import type { JobDesk } from "../jobs/jobs.ts";
import type { ChangeChannel } from "../node/change-channel.ts";
import { putInForce } from "../node/versions.ts";
import { noteIn } from "../operator/audited.ts";
import type { Sealer } from "../seal/seal.ts";
import { ACCESS_POINT_SET, restoreVersion } from "./access-point-versions.ts";
import { IMPORT_JOB } from "./import-job.ts";
import { SETTINGS_IMPORT_JOB } from "./settings-import.ts";
import { ownDatasetNamed, restoreDataset } from "./stage.ts";

/** A national TAC list of 300,000 rows is about 30 MB. */
const IMPORT_FILE_OCTETS_MAX = 128 * 1_048_576;
const IMPORT_HOURS = 6;

const SAME = {
  name: "same_import", // job_deadline
  text: `select id from job where deadline_at is not null and operator_id = $1 and kind = $2 and input = $3::jsonb order by id limit 1`,
};

export function createImports(deps: {
  readonly database: Database;
  readonly newId: () => string;
  readonly clock: () => Date;
  readonly sealer: Sealer;
  readonly changes?: Pick<ChangeChannel, "tellHere"> | undefined;
  readonly jobs: Pick<JobDesk, "ask">;
}): Imports {
  const { database, newId, clock, jobs } = deps;
  return {
    bring: (operatorId, octets) => bringFile(deps, operatorId, octets, IMPORT_FILE_OCTETS_MAX),
    drop: async (operatorId, fileId) => void (await dropFile(database, operatorId, fileId)),
    async ask(operatorId, file, asked, askedBy) {
      const input = { ...asked, sha256: file.sha256 };
      const kind = asked.kind === "apn" ? SETTINGS_IMPORT_JOB : IMPORT_JOB;
      const same = await database.one<{ id: string }>(SAME, [operatorId, kind, JSON.stringify(input)]);
      if (same) {
        await dropFile(database, operatorId, file.id);
        return same.id;
      }
      const id = newId();
      const job = { id, operatorId, kind, input, fileId: file.id, askedBy, hours: IMPORT_HOURS };
      await database.transaction((tx) => jobs.ask(tx, job));
      return id;
    },
    async restore(operatorId, datasetId, { actor, reason }) {
      const { kind, name } = await ownDatasetNamed(database, operatorId, datasetId);
      const isOfPoints = kind === ACCESS_POINT_SET;
      await putInForce(deps, operatorId, [isOfPoints ? "access_points" : "datasets"], async (tx) => {
        if (isOfPoints) await restoreVersion(tx, deps, { operatorId, name, id: datasetId });
        else await restoreDataset(tx, operatorId, datasetId, clock());
        const detail = { dataset: datasetId, reason };
        const subject = `${kind} ${name}`;
        await noteIn(deps)(tx, operatorId, { actor, action: "dataset.restore", subject, detail });
      });
    },
  };
}
