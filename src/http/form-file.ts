/** A form with one file (multipart/form-data): the file is kept as it arrives, the fields beside it are small. */
import { Readable } from "node:stream";
import type { Imports } from "../kernel/jobs/imports.ts";
import { TurnupError } from "../term/error.ts";
import { DecodeError } from "../wire/decode-error.ts";
import { boundaryOf, type MultipartEvent, MultipartReader } from "../wire/multipart/multipart.ts";
import { InvalidRequest } from "./problem.ts";

const FIELD_OCTETS_MAX = 2_048;
const NAME_CHARACTERS_MAX = 80;
const FILE = "file";

/**
 * @param example of a field and a file, for who sent something else
 * @throws TurnupError `media_type_unsupported`, `body_malformed`, `input_too_long`
 * @throws InvalidRequest two files, or a field that is too long
 */
export async function readFileForm(
  imports: Pick<Imports, "bring" | "drop">,
  operatorId: string,
  request: { readonly body: unknown; readonly headers: { readonly "content-type"?: string | undefined } },
  example: string,
): Promise<FileForm> {
  const boundary = boundaryOf(request.headers["content-type"] ?? "");
  if (boundary === undefined || !(request.body instanceof Readable))
    throw new TurnupError("media_type_unsupported", "What is brought is a form with a file.", {
      nextStep: `Send it as multipart/form-data: curl ${example}.`,
    });
  return await readForm(imports, operatorId, formEvents(request.body, boundary));
}

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
export type FileForm = {
  readonly fields: ReadonlyMap<string, string>;
  readonly file: (Brought & { readonly fileName: string }) | undefined;
};

/** Fields may stand before the file or behind it. */
async function readForm(
  imports: Pick<Imports, "bring" | "drop">,
  operatorId: string,
  events: AsyncGenerator<MultipartEvent>,
): Promise<FileForm> {
  const fields = new Map<string, string>();
  let file: FileForm["file"];
  try {
    for (let next = await events.next(); !next.done; next = await events.next()) {
      if (next.value.kind !== "part") continue;
      const { name, fileName } = next.value;
      const content = contentOf(events);
      if (name !== FILE) fields.set(name, await fieldOf(name, content));
      else if (file) throw new InvalidRequest([{ at: "body/file", wanted: "there is one file in the form" }]);
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
