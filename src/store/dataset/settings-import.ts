/**
 * The job of an import of access points (csv, Android's apns-conf.xml, GNOME's serviceproviders.xml): the file is compared with the version
 * of its set that is in use, and becomes the next one, when a person says so or by itself. Until then the file is kept, and nothing
 * else: it may hold passwords.
 */
import { createHash } from "node:crypto";
import { lossesOf } from "../../kernel/devices/import-guard.ts";
import { IMPORT_MODES } from "../../kernel/jobs/imports.ts";
import type { JobOutcome } from "../../kernel/jobs/job.ts";
import type { AccessPoint } from "../../kernel/settings/access-point.ts";
import { countsOf, type SetChange, wordsOfChange } from "../../kernel/settings/access-point-set.ts";
import { TurnupError } from "../../term/error.ts";
import { maskText } from "../../term/mask.ts";
import { assured, membersOf, wordOf } from "../../term/narrow.ts";
import { sentenceOf } from "../../term/sentence.ts";
import type { Database, Db } from "../database/database.ts";
import type { ApprovalKind } from "../jobs/approvals.ts";
import { fileParts } from "../jobs/job-files.ts";
import type { JobEnd, JobKind, JobWork } from "../jobs/job-kind.ts";
import type { JobDesk } from "../jobs/jobs.ts";
import { inTurns } from "../node/in-turns.ts";
import type { Sealer } from "../seal/seal.ts";
import {
  accessPointReads,
  IMPORT_OCTETS_MAX,
  importKindOf,
  OPERATORS_WORD,
  type RefusedRow,
} from "./access-point-import.ts";
import { ACCESS_POINT_SET, comparedSet, putVersion } from "./access-point-versions.ts";

/** Of each code that many rows are told; the others are counted. */
const TOLD_MAX = 10_000;
const REASON_CHARACTERS = 500;
const APPROVAL_MS = 7 * 86_400_000;

type SettingsDeps = {
  readonly database: Database;
  readonly sealer: Sealer;
  readonly newId: () => string;
  readonly clock: () => Date;
};
type Asked = {
  readonly name: string;
  readonly licence: string;
  readonly sha256: string;
  readonly mode: (typeof IMPORT_MODES)[number];
};
type Given = Readonly<Record<string, unknown>>;

const textIn = (value: unknown, otherwise: string): string => (typeof value === "string" ? value : otherwise);
const askedIn = ({ name, licence, sha256, mode }: Given): Asked => ({
  name: textIn(name, "apn"),
  licence: textIn(licence, "the operator's own"),
  sha256: textIn(sha256, ""),
  mode: wordOf(IMPORT_MODES, mode) ?? "approve",
});

/** A kind of its own: a server of the release before takes none of them. */
export const SETTINGS_IMPORT_JOB = "settings_import";

export const settingsImportJob = (deps: SettingsDeps): JobKind => ({
  kind: SETTINGS_IMPORT_JOB,
  run: (work) => importSettings(deps, work),
});

export const settingsImportApproval = (deps: SettingsDeps, jobs: Pick<JobDesk, "end">): ApprovalKind => ({
  kind: SETTINGS_IMPORT_JOB,
  putsInForce: ["access_points"],
  async carryOut(tx, { operatorId, subject, summary }, decidedBy) {
    const job = assured(
      await tx.one<JobInput>(JOB_INPUT, [operatorId, subject]),
      "an approval of an import has its job",
    );
    const asked = askedIn(job.input);
    const { points, refused } = await readPoints(tx, job.fileId, asked);
    const { replaces } = membersOf(summary);
    await putVersion(tx, deps, {
      ...{ operatorId, ...asked, jobId: subject, points, refused: refused.length },
      ...{ replaces: typeof replaces === "string" ? replaces : null, actor: decidedBy.label },
    });
    const reason = `They are in use, approved by ${decidedBy.person ?? decidedBy.label}.`;
    await jobs.end(tx, { operatorId, id: subject }, { state: "done", reason, nextAction: "Nothing." });
  },
  giveUp: (tx, { operatorId, subject }, how, reason) =>
    jobs.end(
      tx,
      { operatorId, id: subject },
      {
        state: "failed",
        reason: `It did not go live: ${how}. ${sentenceOf(reason)}`,
        nextAction: "Bring it again where it is still wanted.",
      },
    ),
});

const JOB_INPUT = {
  name: "input_of_job", // job_pkey
  text: `select input, file_id as "fileId" from job where operator_id = $1 and id = $2`,
};
type JobInput = { readonly input: Given; readonly fileId: string | null };

async function importSettings(deps: SettingsDeps, work: JobWork): Promise<JobEnd> {
  const asked = askedIn(work.input);
  const { operatorId } = work;
  if (work.input.columns !== undefined || work.input.make !== undefined)
    throw new TurnupError("dataset_malformed", "Neither columns nor a make are named for access points.");
  const { points, refused } = await readPoints(deps.database, work.fileId, asked);
  const rows = points.length + refused.length;
  const told = (change?: SetChange): Promise<void> =>
    work.save({ done: rows, total: rows, checkpoint: null, outcomes: outcomesOf(refused, change) });
  if (points.length === 0) {
    await told();
    return nothingRead(asked, refused.length);
  }
  const { change, currentId, elsewhere } = await comparedSet(
    deps.database,
    deps,
    { operatorId, ...asked },
    points,
  );
  await told(change);
  const counts = countsOf(change);
  const read = { taken: points.length, refused: refused.length, padded: 0 };
  const losses = lossesOf(counts, read, null);
  const { before, added, changed, removed } = counts;
  const known = points.length - change.added.length;
  const summary = {
    ...{ kind: ACCESS_POINT_SET, name: asked.name, version: asked.sha256.slice(0, 12), mode: asked.mode },
    ...{ taken: points.length, refused: refused.length, before, added, changed, removed, known },
    ...{ replaces: currentId, losses, warnings: [] },
  };
  const what = sentenceOf(
    `${added} access points added, ${changed} changed, ${removed} removed, ${known} known already, ${refused.length} not taken`,
  );
  if (asked.mode === "dry_run") return { state: "done", reason: `It would be: ${what}`, summary };
  const shared = change.known.filter(({ id }) => elsewhere.has(id)); // they are of this set too from now on
  if (change.added.length + change.removed.length + shared.length === 0)
    return { state: "done", reason: `Nothing is new. ${what}`, summary };
  if (asked.mode === "live" && losses.length === 0) {
    const version = { operatorId, ...asked, jobId: work.id, points, refused: refused.length };
    return {
      ...{ state: "done", reason: `They are in use. ${what}`, summary },
      also: (tx) => putVersion(tx, deps, { ...version, replaces: currentId, actor: work.askedBy.label }),
    };
  }
  const reason = losses.length > 0 ? losses.join(" ") : "It is to be looked at before it counts.";
  const approval = {
    ...{
      kind: SETTINGS_IMPORT_JOB,
      title: `It changes the access points of ${asked.name}: ${what}`,
      summary,
      reason,
    },
    digest: createHash("sha256")
      .update(JSON.stringify([operatorId, ACCESS_POINT_SET, asked.name, asked.sha256, currentId]))
      .digest(),
    roles: ["admin", "engineer"] as const,
    secondPerson: losses.length > 0,
    expiresAt: new Date(deps.clock().getTime() + APPROVAL_MS),
  };
  return { state: "waiting_approval", reason, summary, approval };
}

const nothingRead = ({ name }: Asked, refused: number): JobEnd => ({
  state: "failed",
  reason: "No row of the file could be imported.",
  nextAction:
    refused > 0 ? "Mend the rows that are told, and bring it again." : "The file has no access points.",
  summary: { name, kind: "apn", taken: 0, refused },
});

type ReadPoints = { readonly points: readonly AccessPoint[]; readonly refused: readonly RefusedRow[] };

/** @throws TurnupError `access_point_import_malformed`, `input_too_long` */
async function readPoints(
  database: Db,
  fileId: string | null,
  { name, licence, sha256 }: Asked,
): Promise<ReadPoints> {
  const octets = await octetsOf(database, assured(fileId, "an import has its file"));
  const options = { ...OPERATORS_WORD, source: { name, version: sha256.slice(0, 12), licence } };
  const points: AccessPoint[] = [];
  const refused: RefusedRow[] = [];
  await inTurns(accessPointReads(octets, importKindOf(octets), options), (read) => {
    if ("reason" in read) refused.push(read);
    else points.push(read);
  });
  return { points, refused };
}

async function octetsOf(database: Db, fileId: string): Promise<Buffer> {
  const parts: Buffer[] = [];
  let octets = 0;
  for await (const part of fileParts(database, fileId)) {
    octets += part.length;
    if (octets > IMPORT_OCTETS_MAX)
      throw new TurnupError(
        "input_too_long",
        `A file of access points has at most ${IMPORT_OCTETS_MAX} octets.`,
        {
          nextStep: "Bring those of the networks that you serve; the shipped sets know the rest.",
        },
      );
    parts.push(part);
  }
  return Buffer.concat(parts, octets);
}

function outcomesOf(refused: readonly RefusedRow[], change?: SetChange): readonly JobOutcome[] {
  const { added = [], removed = [], changed = [] } = change ?? {};
  const becoming = new Set(changed.map(({ becomes }) => becomes));
  const leaving = new Set(changed.map(({ was }) => was));
  const told = [
    ...refused.map(({ where, reason }) => ({
      ...{ subject: where, code: "refused", reason: maskText(reason) },
    })),
    ...added
      .filter((point) => !becoming.has(point))
      .map((point) => ({ subject: placeOf(point), code: "added", reason: wordsOf(point) })),
    ...changed.map((one) => ({
      ...{ subject: placeOf(one.becomes), code: "changed" },
      reason: `${wordsOf(one.becomes)}: ${wordsOfChange(one)}`.slice(0, REASON_CHARACTERS),
    })),
    ...removed
      .filter((point) => !leaving.has(point))
      .map((point) => ({
        ...{ subject: point.id, code: "removed", reason: `${wordsOf(point)} is not in the file` },
      })),
  ];
  const counts = new Map<string, number>();
  const isTold = ({ code }: { readonly code: string }): boolean => {
    counts.set(code, (counts.get(code) ?? 0) + 1);
    return (counts.get(code) ?? 0) <= TOLD_MAX;
  };
  return told.filter(isTold).map((one, at) => ({ position: at + 1, ...one }));
}

/** Where it stands in the file. */
const placeOf = ({ id }: AccessPoint): string => id.replace(/^import-/, "").slice(0, 200);
const wordsOf = ({ apn, uses }: AccessPoint): string => `${apn} for ${uses.join(", ")}`;
