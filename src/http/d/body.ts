/** What a POST brings: a form of a screen, or JSON of a client module or another program. */
import { TurnupError } from "../../term/error.ts";
import { isObject } from "../../term/narrow.ts";
import { FORM_TYPE } from "../proxy/forms.ts";

const PAIRS_MAX = 100;
const JSON_TYPE = "application/json";

/** Fields of a form; of JSON its members that are texts. */
export type PostedBody = {
  readonly texts: ReadonlyMap<string, string>;
  readonly json: Readonly<Record<string, unknown>> | undefined;
};
export const NOTHING_POSTED: PostedBody = { texts: new Map(), json: undefined };

/** @throws TurnupError `media_type_unsupported`, `body_malformed` */
export function readPosted(contentType: string | null, bytes: Uint8Array): PostedBody {
  if (bytes.length === 0) return NOTHING_POSTED;
  const text = textOf(bytes);
  if (contentType === FORM_TYPE) return { texts: formOf(text), json: undefined };
  if (contentType !== JSON_TYPE) {
    throw new TurnupError("media_type_unsupported", "The portal takes forms and JSON.", {
      nextStep: `Send ${FORM_TYPE} or ${JSON_TYPE}.`,
    });
  }
  const json = objectOf(text);
  return {
    json,
    texts: new Map(
      Object.entries(json).flatMap(([name, value]) => (typeof value === "string" ? [[name, value]] : [])),
    ),
  };
}

function textOf(bytes: Uint8Array): string {
  try {
    return new TextDecoder("utf-8", { fatal: true }).decode(bytes);
  } catch {
    throw malformed("octets that are no UTF-8");
  }
}

/** A name may come twice and say the same. One that says two things says nothing: `answer=accept&answer=decline` is no yes. */
function formOf(text: string): ReadonlyMap<string, string> {
  const texts = new Map<string, string>();
  const pairs = [...new URLSearchParams(text)];
  if (pairs.length > PAIRS_MAX) throw malformed("more fields than any form has");
  for (const [name, value] of pairs) {
    if ((texts.get(name) ?? value) !== value) throw malformed("a field with two values");
    texts.set(name, value);
  }
  return texts;
}

function objectOf(text: string): Readonly<Record<string, unknown>> {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    throw malformed("it is no JSON");
  }
  if (!isObject(value)) throw malformed("an object is wanted");
  return { ...value };
}

const malformed = (fact: string): TurnupError =>
  new TurnupError("body_malformed", `The body: ${fact}.`, { nextStep: "Send the form again." });
