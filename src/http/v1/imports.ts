/** `POST /v1/imports`: an operator's own data, as a file of a form, kept as it arrives; what becomes of it is a job. */
import Type from "typebox";
import { actingOf } from "../../kernel/account/person.ts";
import { IMPORT_KINDS, IMPORT_MODES, type ImportAsked, type Imports } from "../../kernel/jobs/imports.ts";
import { wordOf } from "../../term/narrow.ts";
import { type FileForm, readFileForm } from "../form-file.ts";
import { InvalidRequest } from "../problem.ts";
import { accepted, gone, route } from "../route.ts";
import { id, text, words } from "../schema.ts";
import { Job, jobNotFound } from "./jobs.ts";

const NAME_CHARACTERS_MAX = 80;

export const importData = route({
  method: "POST",
  path: "/v1/imports",
  summary:
    "Bring a list of devices, of networks or of access points, or what is known of models: a job compares it with what is in use",
  description:
    "multipart/form-data with `kind`, `name`, `mode` and the `file`; gzip, UTF-8, UTF-16 and spreadsheets' CSV are read. The job's rows tell what is `added`, `changed`, `removed` and `refused`. With `mode=approve` (unless given) it goes live when a person approves it, with `live` at once, with `dry_run` not at all. Where it would lose much, a second person has to approve it, whatever the mode. Access points (`kind=apn`) are a version of the set of their name; those that were added by hand stay. The same file again is the same job.",
  tag: "jobs",
  roles: ["admin", "engineer"],
  errors: ["body_malformed", "input_too_long", "media_type_unsupported"],
  status: 202,
  consumes: ["multipart/form-data"],
  takesNoJson: true,
  streams: true,
  checksOwnBody: true,
  body: Type.Object({
    kind: words(IMPORT_KINDS),
    name: Type.Optional(text("What answers call this source; the kind unless given.", NAME_CHARACTERS_MAX)),
    mode: Type.Optional(words(IMPORT_MODES)),
    licence: Type.Optional(text("Whose words these are.", NAME_CHARACTERS_MAX)),
    columns: Type.Optional(text("Of a TAC list: `tac=1,make=0,model=2`.", NAME_CHARACTERS_MAX)),
    make: Type.Optional(text("Of a lifecycle file that does not name it.", NAME_CHARACTERS_MAX)),
    file: Type.String({ format: "binary", description: "The file, at most 128 MiB." }),
  }),
  answer: Job,
  async handle({ imports, jobs }, { caller, request }) {
    const example = "-F kind=tac -F file=@tacdb.csv";
    const form = await readFileForm(imports, caller.operatorId, request, example); // as it comes
    const jobId = await takeForm(imports, caller.operatorId, form, actingOf(caller));
    const job = await jobs.find(caller.operatorId, jobId);
    if (!job) throw jobNotFound();
    return accepted(job);
  },
});

async function takeForm(
  imports: Imports,
  operatorId: string,
  { fields, file }: FileForm,
  by: Parameters<Imports["ask"]>[3],
): Promise<string> {
  if (!file)
    throw new InvalidRequest([{ at: "body/file", wanted: "is missing: the file that is to be imported" }]);
  try {
    return await imports.ask(operatorId, { id: file.id, sha256: file.sha256 }, askedIn(fields), by);
  } catch (error) {
    await imports.drop(operatorId, file.id);
    throw error;
  }
}

const KNOWN = ["kind", "name", "mode", "licence", "columns", "make"];

/** @throws InvalidRequest */
function askedIn(fields: ReadonlyMap<string, string>): ImportAsked {
  for (const [name, value] of fields) {
    if (!KNOWN.includes(name))
      throw new InvalidRequest([{ at: "body", wanted: `holds no field but ${KNOWN.join(", ")} and file` }]);
    if (value === "" || value.length > NAME_CHARACTERS_MAX || /\p{Cc}/u.test(value))
      throw new InvalidRequest([
        { at: `body/${name}`, wanted: `is text of 1 to ${NAME_CHARACTERS_MAX} characters` },
      ]);
  }
  const kind = wordOf(IMPORT_KINDS, fields.get("kind"));
  if (!kind) throw new InvalidRequest([{ at: "body/kind", wanted: `is one of ${IMPORT_KINDS.join(", ")}` }]);
  const mode = wordOf(IMPORT_MODES, fields.get("mode") ?? "approve");
  if (!mode) throw new InvalidRequest([{ at: "body/mode", wanted: `is one of ${IMPORT_MODES.join(", ")}` }]);
  const [columns, make] = [fields.get("columns"), fields.get("make")];
  return {
    ...{
      kind,
      mode,
      name: fields.get("name") ?? kind,
      licence: fields.get("licence") ?? "the operator's own",
    },
    ...(columns !== undefined && { columns }),
    ...(make !== undefined && { make }),
  };
}

export const restoreDataset = route({
  method: "POST",
  path: "/v1/datasets/:id/restore",
  summary: "Put a former version of an operator's data set back into use, in place of the one under its name",
  description: "The newest former version has its rows; what is replaced becomes that.",
  tag: "jobs",
  roles: ["admin", "engineer"],
  errors: ["dataset_not_found", "dataset_rows_gone"],
  status: 204,
  params: { id: id("Of the data set.") },
  body: Type.Object({ reason: text("Why; it stands in the audit.") }, { additionalProperties: false }),
  async handle({ imports }, { params, body, caller }) {
    await imports.restore(caller.operatorId, params.id, { actor: caller.label, reason: body.reason });
    return gone() as never; // an answer without a body
  },
});
