/**
 * VoiceXML that is no screen: the entry document, which tells us who calls, and the one that puts a caller through to an
 * agent. Source: W3C VoiceXML 2.1; session variables of VoiceXML 2.0 §5.1.4.
 */
import { type Screen, ScreenError } from "../../wire/screen/screen.ts";
import { renderVxml, speaks, VXML_NAMESPACE, type VxmlOptions } from "../../wire/screen/vxml.ts";
import { element, type XmlElement, xmlText } from "../../wire/xml/tree.ts";
import { callWordsIn } from "./words.ts";

export const VXML_TYPE = "application/voicexml+xml; charset=utf-8";

/** What the platform knows of the line; a platform that knows nothing sends nothing. */
const CALLER =
  "typeof session !== 'undefined' && session.connection && session.connection.remote && session.connection.remote.uri ? String(session.connection.remote.uri) : ''";

const document = (lang: string, ...content: readonly XmlElement[]): string =>
  `<?xml version="1.0" encoding="UTF-8"?>\n${xmlText(
    element("vxml", { version: "2.1", xmlns: VXML_NAMESPACE, "xml:lang": lang }, ...content),
  )}`;
const block = (...content: readonly XmlElement[]): XmlElement => element("block", {}, ...content);
const prompts = (texts: readonly string[]): XmlElement[] =>
  texts.map((text) => element("prompt", { bargein: "true" }, text));

/** Asks for the first document of a call. */
export const entryDocument = (next: string): string =>
  document(
    "en",
    element("var", { name: "caller", expr: CALLER }),
    element(
      "form",
      { id: "entry" },
      block(element("submit", { next, method: "post", namelist: "caller", fetchtimeout: "15s" })),
    ),
  );

/** Says why, and puts the caller through; where nobody takes over, the call ends. */
export function agentDocument(
  language: string,
  why: readonly string[],
  transferTo: string | undefined,
): string {
  const { keys } = callWordsIn(language);
  if (transferTo === undefined) {
    const bye = keys?.goodbye ?? "Goodbye.";
    return document(language, form(block(...prompts([...why, bye]), element("disconnect"))));
  }
  const through = keys?.agent ?? "You are connected to an agent.";
  const transfer = element("transfer", { name: "agentCall", dest: transferTo, type: "blind" });
  return document(
    language,
    form(block(...prompts([...why, through])), transfer, block(element("disconnect"))),
  );
}
const form = (...content: readonly XmlElement[]): XmlElement => element("form", { id: "agent" }, ...content);

/** Undefined where a telephone cannot answer the screen. */
export function spokenDocument(screen: Screen, options: VxmlOptions): string | undefined {
  if (!speaks(screen)) return undefined;
  try {
    return renderVxml(screen, options);
  } catch (error) {
    if (error instanceof ScreenError) return undefined;
    throw error;
  }
}
