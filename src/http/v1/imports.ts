/** `POST /v1/imports`: an operator's own data, as a file of a form, kept as it arrives; what becomes of it is a job. */
import { Readable } from "node:stream";
import Type from "typebox";
import { actingOf } from "../../kernel/account/person.ts";
import { IMPORT_KINDS, IMPORT_MODES, type ImportAsked, type Imports } from "../../kernel/jobs/imports.ts";
import { TurnupError } from "../../term/error.ts";
import { wordOf } from "../../term/narrow.ts";
import { DecodeError } from "../../wire/decode-error.ts";
import { boundaryOf, type MultipartEvent, MultipartReader } from "../../wire/multipart/multipart.ts";
import { InvalidRequest } from "../problem.ts";
import { accepted, gone, route } from "../route.ts";
import { id, text, words } from "../schema.ts";
import { Job, jobNotFound } from "./jobs.ts";

const FIELD_OCTETS_MAX = 2_048;
const NAME_CHARACTERS_MAX = 80;
const FILE = "file";

export const importData = route({
  method: "POST",
  path: "/v1/imports",
  summary:
    "Bring a list of devices or what is known of them, as a whole: a job compares it with what is in use",
  description:
    "multipart/form-data with `kind`, `name`, `mode` and the `file`; gzip, UTF-8, UTF-16 and spreadsheets' CSV are read. The job's rows tell what is `added`, `changed`, `removed` and `refused`. With `mode=approve` (unless given) it goes live when a person approves it, with `live` at once, with `dry_run` not at all. Where it would lose much, a second person has to approve it, whatever the mode. The same file again is the same job.",
  tag: "jobs",
  roles: ["admin", "engineer"],
  errors: ["body_malformed", "input_too_long", "media_type_unsupported"],
  status: 202,
  consumes: ["multipart/form-data"],
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
    const { body } = request; // as it comes
    const boundary = boundaryOf(request.headers["content-type"] ?? "");
    if (boundary === undefined || !(body instanceof Readable))
      throw new TurnupError("media_type_unsupported", "An import is a form with a file.", {
        nextStep: "Send it as multipart/form-data: curl -F kind=tac -F file=@tacdb.csv.",
      });
    const form = await readForm(imports, caller.operatorId, formEvents(body, boundary));
    const jobId = await takeForm(imports, caller.operatorId, form, actingOf(caller));
    const job = await jobs.find(caller.operatorId, jobId);
    if (!job) throw jobNotFound();
    return accepted(job);
  },
});

/** @throws TurnupError `body_malformed` */
async function* formEvents(body: Readable, boundary: string): AsyncGenerator<MultipartEvent> {
  const reader = new MultipartReader(boundary);
  try {
    for await (const octets of body) yield* reader.push(octets);
    reader.end();
  } catch (error) {
    if (!(error instanceof DecodeError)) throw error;
    throw new TurnupError("body_malformed", `The form cannot be read: ${error.message}.`, {
      nextStep: "Send it as multipart/form-data, whole.",
    });
  }
}

type Brought = Awaited<ReturnType<Imports["bring"]>>;
type Form = {
  readonly fields: ReadonlyMap<string, string>;
  readonly file: (Brought & { readonly fileName: string }) | undefined;
};

/** Fields may stand before the file or behind it. */
async function readForm(
  imports: Imports,
  operatorId: string,
  events: AsyncGenerator<MultipartEvent>,
): Promise<Form> {
  const fields = new Map<string, string>();
  let file: Form["file"];
  try {
    for (let next = await events.next(); !next.done; next = await events.next()) {
      if (next.value.kind !== "part") continue;
      const { name, fileName } = next.value;
      const content = contentOf(events);
      if (name !== FILE) fields.set(name, await fieldOf(name, content));
      else if (file)
        throw new InvalidRequest([{ at: "body/file", wanted: "there is one file in an import" }]);
      else file = { ...(await imports.bring(operatorId, content)), fileName: fileName ?? "" };
    }
  } catch (error) {
    if (file) await imports.drop(operatorId, file.id);
    throw error;
  }
  return { fields, file };
}

/** Of the part that has just begun, up to its end. */
async function* contentOf(events: AsyncGenerator<MultipartEvent>): AsyncGenerator<Uint8Array> {
  for (
    let next = await events.next();
    !next.done && next.value.kind === "content";
    next = await events.next()
  )
    yield next.value.octets;
}

async function fieldOf(name: string, content: AsyncIterable<Uint8Array>): Promise<string> {
  const parts: Uint8Array[] = [];
  let octets = 0;
  for await (const part of content) {
    octets += part.length;
    if (octets > FIELD_OCTETS_MAX)
      throw new InvalidRequest([
        {
          at: `body/${name.slice(0, NAME_CHARACTERS_MAX)}`,
          wanted: `has at most ${FIELD_OCTETS_MAX} octets`,
        },
      ]);
    parts.push(part);
  }
  return Buffer.concat(parts).toString("utf8");
}

async function takeForm(
  imports: Imports,
  operatorId: string,
  { fields, file }: Form,
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
