/**
 * A billing centre that reads a file: each notice is one line, on the disk before it counts as told. The id is the
 * line's name, so a line that stands there twice (two servers on one file, a crash in between) is read once.
 *
 *   told_at,id,kind,account_id,catalog_id,action,once_minor,monthly_minor,currency,prepared
 */
import { createReadStream } from "node:fs";
import { type FileHandle, open, stat, truncate } from "node:fs/promises";
import type { BillingCentre } from "../../kernel/order/request/connectors.ts";
import { readBillingNotice } from "../../wire/message/billing-api.ts";
import { shapeFaultOf } from "../../wire/message/shape.ts";
import { failed } from "../exchange/exchange.ts";

const HEADER = "told_at,id,kind,account_id,catalog_id,action,once_minor,monthly_minor,currency,prepared\n";
/** Ids kept to know a repeat; the file is taken away and begun anew long before (a line has about 130 octets). */
const MAX_LINES = 5_000_000;
const MAX_LINE_OCTETS = 4_096;

export async function csvBilling(options: {
  readonly file: string;
  now?(): Date;
}): Promise<BillingCentre & { close(): Promise<void> }> {
  const now = options.now ?? (() => new Date());
  const told = await linesOf(options.file);
  const file = await open(options.file, "a", 0o600);
  if ((await file.stat()).size === 0) await write(file, HEADER);
  let running: Promise<unknown> = Promise.resolve();

  async function append(notice: Parameters<BillingCentre["tell"]>[0]): ReturnType<BillingCentre["tell"]> {
    if (told.has(notice.id)) return { kind: "done", reference: notice.id };
    if (told.size >= MAX_LINES) return failed("busy", "the billing file holds as many lines as it may");
    try {
      await write(file, lineOf(notice, now()));
    } catch (error) {
      return failed(
        "unreachable",
        `the billing file cannot be written: ${(error as NodeJS.ErrnoException).code}`,
      );
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

async function write(file: FileHandle, text: string): Promise<void> {
  await file.appendFile(text);
  await file.datasync();
}

/** No field needs quotes: the notice was read, and none of its texts may have a comma, a quote or a formula's `=`. */
function lineOf(notice: Parameters<BillingCentre["tell"]>[0], at: Date): string {
  const { id, kind, accountId, catalogId, action, onceMinor, monthlyMinor, currency, prepared } = notice;
  const money = [onceMinor, monthlyMinor, currency];
  const fields = [at.toISOString(), id, kind, accountId, catalogId, action, ...money, prepared];
  return `${fields.map((field) => field ?? "").join(",")}\n`;
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
    rest += chunk as string;
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
