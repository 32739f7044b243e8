/**
 * References to variables inside text and values of a deck. Source: WAP-238-WML §10.3.
 *
 *   $name   $(name)   $(name:escape)   $(name:unesc)   $(name:noesc)   $$ is a dollar
 */
import type { VariableForm } from "./tokens.ts";

/** A reference inside a text. */
export type VariableReference = {
  readonly name: string;
  /** Undefined: what the place asks for. */
  readonly form: VariableForm | undefined;
};
/** Values by name, as a browser keeps them between decks. */
export type Variables = Readonly<Record<string, string>>;

const REFERENCE = /\$(?:(\$)|([A-Za-z_][A-Za-z0-9_]*)|\(([A-Za-z_][A-Za-z0-9_]*)(?::([A-Za-z]+))?\)|)/g;
const VARIABLE_NAME = /^[A-Za-z_][A-Za-z0-9_]*$/;
const FORMS: Readonly<Record<string, VariableForm>> = {
  e: "escape",
  escape: "escape",
  u: "unesc",
  unesc: "unesc",
  n: "noesc",
  noesc: "noesc",
};

/** Whether WML takes it as a name: ASCII letters, digits and `_`, no digit first. */
export const isVariableName = (name: string): boolean => VARIABLE_NAME.test(name);

/** A text that means itself. */
export const withoutReferences = (text: string): string => text.replaceAll("$", "$$$$");

/** Text and references in turn, or undefined where a dollar begins neither a reference nor another dollar. */
export function partsOf(text: string): (string | VariableReference)[] | undefined {
  const parts: (string | VariableReference)[] = [];
  let at = 0;
  let plain = "";
  for (const match of text.matchAll(REFERENCE)) {
    const [whole, dollar, bare, name = bare, form] = match;
    plain += text.slice(at, match.index);
    at = match.index + whole.length;
    if (dollar) {
      plain += "$";
      continue;
    }
    const known = form === undefined ? undefined : FORMS[form.toLowerCase()];
    if (name === undefined || (form !== undefined && known === undefined)) return undefined;
    if (plain !== "") parts.push(plain);
    plain = "";
    parts.push({ name, form: known });
  }
  plain += text.slice(at);
  if (plain !== "") parts.push(plain);
  return parts;
}

/** The text with each reference replaced; a variable that is not set is empty. What is malformed stays as it is. */
export function substituted(text: string, variables: Variables, place: "text" | "address"): string {
  const parts = partsOf(text);
  if (!parts) return text;
  return parts
    .map((part) => {
      if (typeof part === "string") return part;
      const value = Object.hasOwn(variables, part.name) ? (variables[part.name] ?? "") : "";
      const form = part.form ?? (place === "address" ? "escape" : "noesc");
      if (form === "escape") return encodeURIComponent(value.replace(/[\ud800-\udfff]/gu, "\ufffd"));
      return form === "unesc" ? unescaped(value) : value;
    })
    .join("");
}

function unescaped(value: string): string {
  try {
    return decodeURIComponent(value);
  } catch {
    return value; // a lone % was no escape
  }
}
