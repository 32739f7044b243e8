/**
 * The job of an import of access points (csv, Android's apns-conf.xml, GNOME's serviceproviders.xml): those that the operator does not have
 * yet are added, when a person says so or by themselves; those that are there stay. Until then the file is kept, and nothing else: it
 * may hold passwords.
 */
import { createHash } from "node:crypto";
import { setImmediate as turn } from "node:timers/promises";
import { lossesOf } from "../../kernel/devices/import-guard.ts";
import { IMPORT_MODES } from "../../kernel/jobs/imports.ts";
import type { AccessPoint } from "../../kernel/settings/access-point.ts";
import { TurnupError } from "../../term/error.ts";
import { maskText } from "../../term/mask.ts";
import { assured, wordOf } from "../../term/narrow.ts";
import { sentenceOf } from "../../term/sentence.ts";
import type { Database, Db, Tx } from "../database/database.ts";
import type { ApprovalKind } from "../jobs/approvals.ts";
import { fileParts } from "../jobs/job-files.ts";
import type { JobEnd, JobKind, JobWork } from "../jobs/job-kind.ts";
import type { JobDesk } from "../jobs/jobs.ts";
import { noteIn } from "../operator/audited.ts";
import { addAccessPoints, OWN_ACCESS_POINTS_MAX, ownAccessPoints } from "../operator/own-access-points.ts";
import type { Sealer } from "../seal/seal.ts";
import {
  accessPointReads,
  IMPORT_OCTETS_MAX,
  importKindOf,
  OPERATORS_WORD,
  type RefusedRow,
} from "./access-point-import.ts";

/** The server has other work: it is at this one no longer at a time. */
const SLICE_MS = 10;
/** Refused and added rows that are told; the others are counted. */
const TOLD_MAX = 10_000;
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
  async carryOut(tx, { operatorId, subject }, decidedBy) {
    const asked = assured(
      await tx.one<JobInput>(JOB_INPUT, [operatorId, subject]),
      "an approval of an import has its job",
    );
    // What the operator lacks by now: others may have been added meanwhile.
    const { points } = await readPoints(tx, asked.fileId, askedIn(asked.input));
    await addNew(tx, deps, { operatorId, asked: askedIn(asked.input), points, actor: decidedBy.label });
    const reason = `They are in use, approved by ${decidedBy.person ?? decidedBy.label}.`;
    await jobs.end(tx, { operatorId, id: subject }, { state: "done", reason, nextAction: "Nothing." });
  },
  giveUp: (tx, { operatorId, subject }, how, reason) =>
    jobs.end(
      tx,
      { operatorId, id: subject },
      {
        state: "failed",
        reason: `They were not added: ${how}. ${sentenceOf(reason)}`,
        nextAction: "Bring them again where they are still wanted.",
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
  const told = (added: readonly AccessPoint[]): Promise<void> =>
    work.save({ done: rows, total: rows, checkpoint: null, outcomes: outcomesOf(refused, added) });
  if (points.length === 0) {
    await told([]);
    return nothingRead(asked, refused.length);
  }
  const own = await ownAccessPoints(deps, operatorId);
  const added = newOnes(points, own);
  checkRoom(own.length, added.length);
  await told(added);
  const nothing = { before: 0, added: 0, changed: 0, removed: 0, cellsBefore: 0, emptied: 0 };
  const read = { taken: points.length, refused: refused.length, padded: 0 };
  const losses = lossesOf(nothing, read, null);
  const known = points.length - added.length;
  const summary = {
    ...{ kind: "apn", name: asked.name, version: asked.sha256.slice(0, 12), mode: asked.mode },
    ...{ taken: points.length, refused: refused.length, before: own.length, added: added.length, known },
    ...{ changed: 0, removed: 0, losses, warnings: [] },
  };
  const what = sentenceOf(
    `${added.length} access points added, ${known} known already, ${refused.length} not taken`,
  );
  if (asked.mode === "dry_run") return { state: "done", reason: `It would be: ${what}`, summary };
  if (added.length === 0) return { state: "done", reason: `Nothing is new. ${what}`, summary };
  if (asked.mode === "live" && losses.length === 0) {
    const actor = work.askedBy.label;
    return {
      ...{ state: "done", reason: `They are in use. ${what}`, summary },
      also: (tx) => addNew(tx, deps, { operatorId, asked, points, actor }),
    };
  }
  const reason = losses.length > 0 ? losses.join(" ") : "It is to be looked at before it counts.";
  const approval = {
    ...{ kind: SETTINGS_IMPORT_JOB, title: `It adds access points: ${what}`, summary, reason },
    digest: createHash("sha256")
      .update(JSON.stringify([operatorId, "apn", asked.sha256]))
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
  let sliceEnds = performance.now() + SLICE_MS;
  for (const read of accessPointReads(octets, importKindOf(octets), options)) {
    if ("reason" in read) refused.push(read);
    else points.push(read);
    if (performance.now() < sliceEnds) continue;
    await turn();
    sliceEnds = performance.now() + SLICE_MS;
  }
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

type Added = {
  readonly operatorId: string;
  readonly asked: Asked;
  readonly points: readonly AccessPoint[];
  readonly actor: string;
};

const LOCK = {
  name: "lock_own_access_points", // two imports of one operator's come one behind the other
  text: "select pg_advisory_xact_lock(hashtextextended('access points ' || $1, 0))",
};

async function addNew(
  tx: Tx,
  deps: SettingsDeps,
  { operatorId, asked, points, actor }: Added,
): Promise<void> {
  await tx.rows(LOCK, [operatorId]);
  const own = await ownAccessPoints({ ...deps, database: tx }, operatorId);
  const added = newOnes(points, own);
  checkRoom(own.length, added.length);
  const named = added.map((point) => ({ ...point, id: deps.newId() }));
  await addAccessPoints(tx, deps, operatorId, named, actor);
  const detail = { rows: named.length, version: asked.sha256.slice(0, 12) };
  await noteIn(deps)(tx, operatorId, {
    ...{ actor, action: "access_point.import", subject: asked.name, detail },
  });
}

/** Neither there nor twice in the file. */
function newOnes(points: readonly AccessPoint[], own: readonly AccessPoint[]): readonly AccessPoint[] {
  const there = new Set(own.map(contentsOf));
  return points.filter((point) => {
    const contents = contentsOf(point);
    const isNew = !there.has(contents);
    there.add(contents);
    return isNew;
  });
}

/** All that an access point says, without its id and where it was read: two files may bring the same one. */
const contentsOf = ({ id: _, source: __, ...point }: AccessPoint): string =>
  JSON.stringify(point, (_name, value: unknown) =>
    typeof value === "object" && value !== null && !Array.isArray(value)
      ? Object.fromEntries(Object.entries(value).sort(([one], [other]) => (one < other ? -1 : 1)))
      : value,
  );

function checkRoom(own: number, added: number): void {
  if (own + added <= OWN_ACCESS_POINTS_MAX) return;
  throw new TurnupError(
    "input_too_long",
    `${own} own access points and ${added} new ones are more than ${OWN_ACCESS_POINTS_MAX}.`,
    { nextStep: "Import the networks you serve; the shipped sets know the rest." },
  );
}

function outcomesOf(refused: readonly RefusedRow[], added: readonly AccessPoint[]) {
  const told = [
    ...refused
      .slice(0, TOLD_MAX)
      .map(({ where, reason }) => ({ subject: where, code: "refused", reason: maskText(reason) })),
    ...added.slice(0, TOLD_MAX).map(({ id, apn, uses }) => ({
      subject: id.replace(/^import-/, "").slice(0, 200),
      code: "added",
      reason: `${apn} for ${uses.join(", ")}`,
    })),
  ];
  return told.map((one, at) => ({ position: at + 1, ...one }));
}
