/** What a list of handsets holds: changed by the entry, brought as a file, taken as a file. */
import { Readable } from "node:stream";
import Type from "typebox";
import { actingOf } from "../../../kernel/account/person.ts";
import {
  EQUIPMENT_FORMS,
  EQUIPMENT_IMPORTS,
  type EquipmentEdit,
  type EquipmentExchange,
  type OwnEquipmentEntry,
} from "../../../kernel/equipment/equipment-lists.ts";
import { ENTRY_COLUMNS, type GivenEntry, ownEntryOf } from "../../../kernel/equipment/own-entry.ts";
import { IMPORT_MODES } from "../../../kernel/jobs/imports.ts";
import { TurnupError } from "../../../term/error.ts";
import { csvLine } from "../../../wire/csv/write.ts";
import { writeExchange } from "../../../wire/equipment/exchange.ts";
import { InvalidRequest } from "../../problem.ts";
import { accepted, asItIs, ok, route } from "../../route.ts";
import { named, text, words } from "../../schema.ts";
import { LIST_ID } from "../equipment-lists.ts";
import { Job, jobNotFound } from "../jobs.ts";

const EDITS_MAX = 1_000;
const SIMS_MAX = 100;
const shared = { tag: "equipment", roles: ["admin", "engineer"], params: { id: LIST_ID } } as const;

const device = text(
  "A handset (14 to 16 digits), a range (14 digits, hyphen, 14 digits), a TAC, or a TAC with one software version (35693803/07).",
  40,
);
const EntryIn = Type.Object(
  {
    device,
    sims: Type.Optional(
      Type.Array(Type.String({ pattern: "^[0-9]{6,15}$" }), {
        maxItems: SIMS_MAX,
        description: "IMSIs that are let in with it although the list is black.",
      }),
    ),
    note: Type.Optional(text("Why this one stands in it.", 100)),
  },
  { additionalProperties: false },
);
export const EquipmentChanged = named(
  "EquipmentChanged",
  Type.Object({
    version: Type.Integer(),
    entries: Type.Integer({ description: "Afterwards." }),
    added: Type.Integer(),
    changed: Type.Integer(),
    removed: Type.Integer(),
    unchanged: Type.Integer({ description: "Asked for, and so already." }),
  }),
);

export const changeEquipmentEntries = route({
  ...shared,
  method: "POST",
  path: "/v1/equipment-lists/:id/entries",
  summary: "Add entries to a list of handsets and take others away: all of it or nothing",
  description:
    "In force on every server within a second. What is there already, and what is not, is counted as unchanged.",
  errors: ["equipment_list_not_found", "equipment_list_full", "equipment_change_too_large"],
  status: 200,
  body: Type.Object(
    {
      add: Type.Optional(Type.Array(EntryIn, { maxItems: EDITS_MAX })),
      remove: Type.Optional(Type.Array(device, { maxItems: EDITS_MAX })),
      reason: text("Why; it stands in the audit and with the version.", 200),
    },
    { additionalProperties: false },
  ),
  answer: EquipmentChanged,
  async handle({ equipmentLists }, { params, body, caller }) {
    const edits = editsOf(body.add ?? [], body.remove ?? []);
    const said = { actor: caller.label, reason: body.reason };
    return ok(await equipmentLists.change(caller.operatorId, params.id, edits, said));
  },
});

/** @throws InvalidRequest with the place of each that is none */
function editsOf(add: readonly GivenEntry[], remove: readonly string[]): readonly EquipmentEdit[] {
  if (add.length + remove.length === 0)
    throw new InvalidRequest([{ at: "body", wanted: "names entries to add or to remove" }]);
  const faults: { at: string; wanted: string }[] = [];
  const edits: EquipmentEdit[] = [];
  const take = (at: string, given: GivenEntry, isRemoval: boolean): void => {
    const read = ownEntryOf(given);
    if ("fault" in read) faults.push({ at, wanted: read.fault });
    else edits.push({ ...read, isRemoval, line: edits.length + 1 });
  };
  for (const [at, one] of remove.entries()) take(`body/remove/${at}`, { device: one }, true);
  for (const [at, one] of add.entries()) take(`body/add/${at}`, one, false);
  if (faults.length > 0) throw new InvalidRequest(faults);
  return edits;
}

const CSV = "text/csv";

export const exportEquipmentEntries = route({
  ...shared,
  method: "GET",
  path: "/v1/equipment-lists/:id/entries.csv",
  summary: "What a list of handsets holds, as the file that an import reads; told in the audit",
  description:
    "With `form=exchange` as a file of the registry whose `exchange` the list has: handsets and ranges, each to be inserted; what has one software version alone is left out.",
  errors: ["equipment_list_not_found", "dataset_malformed"],
  status: 200,
  query: { form: Type.Optional(words(EQUIPMENT_FORMS)) },
  produces: [CSV],
  async handle({ equipmentLists }, { params, query, caller }) {
    const all = query.form === "exchange" ? await equipmentLists.list(caller.operatorId) : [];
    const entries = await equipmentLists.entries(caller.operatorId, params.id, caller.label);
    const lines =
      query.form === "exchange"
        ? exchangeOf(all.find((list) => list.id === params.id)?.exchange ?? null, entries)
        : linesOf(entries);
    return asItIs(Readable.from(lines), {
      "content-type": `${CSV}; charset=utf-8`,
      "content-disposition": `attachment; filename="equipment-${params.id}.csv"`,
    });
  },
});

/** @throws TurnupError `dataset_malformed`: it is not said how such a file looks */
function exchangeOf(
  exchange: EquipmentExchange | null,
  entries: AsyncIterable<OwnEquipmentEntry>,
): AsyncIterable<string> {
  if (!exchange)
    throw new TurnupError("dataset_malformed", "It is not said how files of a registry look for this list.", {
      nextStep: "PATCH /v1/equipment-lists/ID with `exchange`.",
    });
  const codes = new Map(Object.entries(exchange.reasons).map(([code, meaning]) => [meaning, code]));
  const [first = ""] = codes.values();
  return writeExchange(
    exchange,
    recordsOf(entries, (note) => codes.get(note ?? "") ?? first),
  );
}

async function* recordsOf(
  entries: AsyncIterable<OwnEquipmentEntry>,
  codeOf: (note: string | null) => string,
): AsyncGenerator<{ readonly from: string; readonly to: string; readonly reason: string }> {
  for await (const { device: written, note } of entries) {
    const [, tac] = /^(\d{8})$/.exec(written) ?? [];
    const [, from, to = from] = /^(\d{14})(?:-(\d{14}))?$/.exec(written) ?? [];
    const reason = codeOf(note);
    if (tac !== undefined) yield { from: `${tac}000000`, to: `${tac}999999`, reason };
    else if (from !== undefined && to !== undefined) yield { from, to, reason };
  }
}

async function* linesOf(entries: AsyncIterable<OwnEquipmentEntry>): AsyncGenerator<string> {
  yield csvLine([...ENTRY_COLUMNS]);
  for await (const { device: written, imsis, note, owner } of entries)
    yield csvLine([written, imsis.join(" "), note ?? "", owner ?? ""]);
}

export const importEquipmentEntries = route({
  ...shared,
  method: "POST",
  path: "/v1/equipment-lists/:id/imports",
  summary: "Bring a file for a list of handsets: a job compares it with what is in force",
  description:
    "text/csv with the columns device, sims, note, owner; the first may stand alone, and gzip is read. The job's rows tell each line that was not taken. With `mode=approve` (unless given) it comes in force when a person approves it, with `live` at once, with `dry_run` not at all. Where a black list would lose or gain much, a second person has to approve it, whatever the mode.",
  errors: ["equipment_list_not_found", "input_too_long", "media_type_unsupported"],
  status: 202,
  consumes: ["text/csv", "text/plain", "application/gzip", "application/octet-stream"],
  streams: true,
  checksOwnBody: true,
  query: {
    mode: Type.Optional(words(IMPORT_MODES)),
    how: Type.Optional(
      words(EQUIPMENT_IMPORTS, "replace (unless given): the file is all that the list is to hold."),
    ),
    form: Type.Optional(words(EQUIPMENT_FORMS)),
  },
  body: Type.String({ format: "binary", description: "The file, at most 64 MiB." }),
  answer: Job,
  async handle({ equipmentLists, jobs }, { params, query, caller, request }) {
    const { body } = request; // as it comes
    if (!(body instanceof Readable))
      throw new TurnupError("media_type_unsupported", "A list is brought as a file.", {
        nextStep: "Send it as text/csv: curl --data-binary @stolen.csv -H 'content-type: text/csv'.",
      });
    const { mode = "approve", how = "replace", form = "lines" } = query;
    const asked = { mode, how, form };
    const jobId = await equipmentLists.bring(caller.operatorId, params.id, body, asked, actingOf(caller));
    const job = await jobs.find(caller.operatorId, jobId);
    if (!job) throw jobNotFound();
    return accepted(job);
  },
});
