/**
 * Forms as phones post them, into the one form of the land leg: application/x-www-form-urlencoded in UTF-8. Old browsers
 * write the charset of the page (Shift_JIS from compact HTML) or of the handset, and say so, or not.
 */
import { TextDecoder } from "node:util";
import { TurnupError } from "../../term/error.ts";

export const FORM_TYPE = "application/x-www-form-urlencoded";
const PAIRS_MAX = 100;

type ConvertedBody = { readonly contentType: string | null; readonly body: Uint8Array };

/** @throws TurnupError `media_type_unsupported`, `body_malformed` */
export function convertBody(contentType: string | undefined, body: Uint8Array): ConvertedBody {
  if (body.length === 0) return { contentType: null, body };
  const [type = "", ...parameters] = (contentType ?? "").split(";").map((part) => part.trim());
  switch (type.toLowerCase()) {
    case FORM_TYPE: {
      const charset = parameters.map((one) => /^charset="?([\w.:-]{1,40})"?$/i.exec(one)?.[1]).find(Boolean);
      return { contentType: FORM_TYPE, body: Buffer.from(convertForm(body, charset ?? "utf-8")) };
    }
    case "application/json":
      return { contentType: "application/json", body };
    default:
      throw new TurnupError(
        "media_type_unsupported",
        "The proxy takes forms and, from client modules, JSON.",
        {
          nextStep: `Send ${FORM_TYPE}.`,
        },
      );
  }
}

function convertForm(body: Uint8Array, charset: string): string {
  const decoder = decoderOf(charset);
  const pairs = Buffer.from(body)
    .toString("latin1")
    .split("&", PAIRS_MAX + 1)
    .filter((pair) => pair !== "");
  if (pairs.length > PAIRS_MAX) throw malformed("more fields than any form has");
  const form = new URLSearchParams();
  for (const pair of pairs) {
    const at = pair.indexOf("=");
    const [name, value] = at < 0 ? [pair, ""] : [pair.slice(0, at), pair.slice(at + 1)];
    form.append(textOf(name, decoder), textOf(value, decoder));
  }
  return form.toString();
}

function textOf(encoded: string, decoder: TextDecoder): string {
  if (/%(?![0-9A-Fa-f]{2})/.test(encoded)) throw malformed("a percent sign without two digits behind it");
  const octets = encoded
    .replace(/\+/g, " ")
    .replace(/%([0-9A-Fa-f]{2})/g, (_, hex: string) => String.fromCharCode(Number.parseInt(hex, 16)));
  try {
    return decoder.decode(Buffer.from(octets, "latin1"));
  } catch {
    throw malformed("octets that are no text in the charset that the form names");
  }
}

function decoderOf(charset: string): TextDecoder {
  try {
    return new TextDecoder(charset, { fatal: true });
  } catch {
    throw new TurnupError("media_type_unsupported", "The proxy does not know this charset.");
  }
}

const malformed = (fact: string): TurnupError =>
  new TurnupError("body_malformed", `The form: ${fact}.`, { nextStep: "Send the form again." });
