/**
 * A billing centre that reads a file: each notice is one line, on the disk before it counts as told. The id is the
 * line's name, so a line that stands there twice (two servers on one file, a crash in between) is read once.
 *
 *   told_at,id,kind,account_id,catalog_id,action,once_minor,monthly_minor,currency,prepared,last_modified,external_id,msisdn,...
 *
 * A file with the heading of an earlier release is set aside under its own name and a number, and a new one is begun.
 */
import { createReadStream } from "node:fs";
import { type FileHandle, open, rename, stat, truncate } from "node:fs/promises";
import type { BillingCentre } from "../../kernel/calls/connectors.ts";
import { codeOf } from "../../term/narrow.ts";
import {
  BILLED_FIELDS,
  type BillingNotice as Notice,
  readBillingNotice,
} from "../../wire/message/billing-api.ts";
import { shapeFaultOf } from "../../wire/message/shape.ts";
import { failed } from "../exchange/exchange.ts";

const COLUMNS = [
  ...[
    "told_at",
    "id",
    "kind",
    "account_id",
    "catalog_id",
    "action",
    "once_minor",
    "monthly_minor",
    "currency",
    "prepared",
  ],
  "last_modified",
  ...BILLED_FIELDS.map((name) => name.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`)),
  ...["event", "items"],
];
const HEADER = `${COLUMNS.join(",")}\n`;
/** Ids kept to know a repeat; the file is taken away and begun anew long before (a line has about 300 octets). */
const MAX_LINES = 5_000_000;
const MAX_LINE_OCTETS = 65_536;

export async function csvBilling(options: {
  readonly file: string;
  now?(): Date;
}): Promise<BillingCentre & { close(): Promise<void> }> {
  const now = options.now ?? (() => new Date());
  const told = await linesOf(options.file);
  await setAside(options.file);
  const file = await open(options.file, "a", 0o600);
  if ((await file.stat()).size === 0) await write(file, HEADER);
  let running: Promise<unknown> = Promise.resolve();

  async function append(notice: Parameters<BillingCentre["tell"]>[0]): ReturnType<BillingCentre["tell"]> {
    if (told.has(notice.id)) return { kind: "done", reference: notice.id };
    if (told.size >= MAX_LINES) return failed("busy", "the billing file holds as many lines as it may");
    try {
      await write(file, lineOf(notice, now()));
    } catch (error) {
      return failed("unreachable", `the billing file cannot be written: ${codeOf(error)}`);
    }
    told.add(notice.id);
    return { kind: "done", reference: notice.id };
  }

  return {
    tell(notice) {
      const fault = shapeFaultOf(notice, readBillingNotice);
      if (fault !== undefined) return Promise.resolve({ kind: "refused", cause: "malformed", reason: fault });
      // One after the other: two with one id at the same moment make one line.
      const next = running.then(() => append(notice));
      running = next;
      return next;
    },
    async close() {
      await running;
      await file.close();
    },
  };
}

/** Lines of two shapes in one file would be read wrongly; what was told stays, and is known still. */
async function setAside(path: string): Promise<void> {
  const heading = await firstLineOf(path);
  if (heading === "" || `${heading}\n` === HEADER) return;
  for (let number = 1; ; number++) {
    const aside = `${path}.${number}`;
    if (
      await stat(aside).then(
        () => true,
        () => false,
      )
    )
      continue;
    return rename(path, aside);
  }
}

async function firstLineOf(path: string): Promise<string> {
  const size = await stat(path).then(
    (found) => found.size,
    () => 0,
  );
  if (size === 0) return "";
  for await (const chunk of createReadStream(path, { encoding: "latin1", end: MAX_LINE_OCTETS }))
    return String(chunk).split("\n", 1)[0] ?? "";
  return "";
}

async function write(file: FileHandle, text: string): Promise<void> {
  await file.appendFile(text);
  await file.datasync();
}

function lineOf(notice: Parameters<BillingCentre["tell"]>[0], at: Date): string {
  const { id, kind, accountId, catalogId, action, onceMinor, monthlyMinor, currency, prepared, account } =
    notice;
  const { event = null, items = [] } = notice.provisioning ?? {};
  const money = [onceMinor, monthlyMinor, currency];
  const billed = BILLED_FIELDS.map((field) =>
    field === "productOffering" ? offeringsOf(account?.productOffering) : (account?.[field] ?? null),
  );
  const fields = [
    ...[at.toISOString(), id, kind, accountId, catalogId, action, ...money, prepared],
    ...[account?.lastModified ?? null, ...billed],
    ...[event, items.join(" ")],
  ];
  return `${fields.map((field) => cellOf(String(field ?? ""))).join(",")}\n`;
}

/** `voice-mail starter/ring-back`: what came with a package names it first. */
const offeringsOf = (offerings: NonNullable<Notice["account"]>["productOffering"]): string =>
  (offerings ?? []).map(({ id, bundle }) => (bundle === null ? id : `${bundle}/${id}`)).join(" ");

/**
 * Whoever opens the file in a spreadsheet runs nothing that a subscriber typed: what a program would read as a formula gets
 * an apostrophe before it (OWASP, CSV injection), and what has a comma or a quote is quoted (RFC 4180 §2). Line ends came
 * through no reading of a notice.
 */
function cellOf(text: string): string {
  const plain = /^\s*[=+\-@]/.test(text) ? `'${text}` : text;
  return /[",\r\n]/.test(plain) ? `"${plain.replaceAll('"', '""')}"` : plain;
}

/** Ids of the lines that are there. What a power cut left of a last line nobody was told of: it is cut off. */
async function linesOf(file: string): Promise<Set<string>> {
  const ids = new Set<string>();
  const size = await stat(file).then(
    (found) => found.size,
    (error: NodeJS.ErrnoException) => {
      if (error.code === "ENOENT") return 0;
      throw error;
    },
  );
  if (size === 0) return ids;
  let rest = "";
  let whole = 0;
  for await (const chunk of createReadStream(file, "latin1")) {
    rest += chunk;
    for (let end = rest.indexOf("\n"); end >= 0; end = rest.indexOf("\n")) {
      const [, id] = rest.slice(0, end).split(",", 2);
      if (whole > 0 && id) ids.add(id);
      whole += end + 1;
      rest = rest.slice(end + 1);
    }
    if (rest.length > MAX_LINE_OCTETS) throw new RangeError("a line of the billing file is too long");
  }
  if (rest.length > 0) await truncate(file, whole);
  return ids;
}
