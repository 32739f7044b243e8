/**
 * A settings document as people and scripts write it in JSON:
 *
 *   {"version": "1.0", "characteristics": [{"type": "NAPDEF", "parms": {"NAPID": "N1"}, "characteristics": [...]}]}
 *
 * A parm is a text or a number (taken as text); null is a flag, "" an empty value, a list a repeated name. `version`
 * is "1.0" where it is left out, null for a document that does not say. What else stands beside the two is not looked
 * at, so that a decoded message can be encoded again as it was printed.
 */
import { TurnupError } from "../../term/error.ts";
import { isObject } from "../../term/narrow.ts";
import type { Characteristic, Parm, ProvisioningDocument } from "./document.ts";

/** A text, null for a flag, or a list where the name repeats. */
export type ParmJson = string | null | readonly (string | null)[];

/** One characteristic; `parms` by name, those that repeat as a list. */
export type CharacteristicJson = {
  readonly type: string;
  readonly parms: Readonly<Record<string, ParmJson>>;
  readonly characteristics: readonly CharacteristicJson[];
};

/** The encoder has the same limit; this one is here so that reading a hostile file ends. */
const DEPTH_MAX = 16;

/** @throws TurnupError `payload_malformed`: with the path of what does not fit */
export function documentOfJson(value: unknown): ProvisioningDocument {
  const { version = "1.0", characteristics } = objectAt(value, "the document");
  if (version !== null && version !== "1.0" && version !== "1.1") {
    throw malformed("version", 'neither "1.0" nor "1.1" nor null');
  }
  if (characteristics === undefined) throw malformed("characteristics", "missing");
  return { version, characteristics: characteristicsAt(characteristics, "characteristics", 1) };
}

/** The same as JSON writes it: names that repeat become one list. */
export const jsonOfCharacteristics = (characteristics: readonly Characteristic[]): CharacteristicJson[] =>
  characteristics.map((characteristic) => ({
    type: characteristic.type,
    parms: jsonOfParms(characteristic.parms),
    characteristics: jsonOfCharacteristics(characteristic.characteristics),
  }));

function jsonOfParms(parms: readonly Parm[]): Record<string, ParmJson> {
  const values = new Map<string, (string | null)[]>();
  for (const { name, value } of parms) values.set(name, [...(values.get(name) ?? []), value]);
  return Object.fromEntries(
    Array.from(values, ([name, list]): [string, ParmJson] => {
      const [only] = list;
      return [name, list.length === 1 && only !== undefined ? only : list];
    }),
  );
}

function characteristicsAt(value: unknown, path: string, depth: number): Characteristic[] {
  if (!Array.isArray(value)) throw malformed(path, "no list");
  if (depth > DEPTH_MAX) throw malformed(path, `more than ${DEPTH_MAX} deep`);
  return value.map((item, index) => characteristicAt(item, `${path}[${index}]`, depth));
}

function characteristicAt(value: unknown, path: string, depth: number): Characteristic {
  const {
    type,
    parms = {},
    characteristics = [],
  } = objectAt(value, path, ["type", "parms", "characteristics"]);
  if (typeof type !== "string" || type === "") throw malformed(`${path}.type`, "no name");
  const entries = Object.entries(objectAt(parms, `${path}.parms`));
  return {
    type,
    parms: entries.flatMap(([name, parm]) => parmsAt(name, parm, `${path}.parms.${name}`)),
    characteristics: characteristicsAt(characteristics, `${path}.characteristics`, depth + 1),
  };
}

function parmsAt(name: string, value: unknown, path: string): Parm[] {
  if (name === "") throw malformed(path, "a parm without a name");
  if (!Array.isArray(value)) return [{ name, value: parmValueAt(value, path) }];
  return value.map((item, index) => ({ name, value: parmValueAt(item, `${path}[${index}]`) }));
}

function parmValueAt(value: unknown, path: string): string | null {
  if (value === null || typeof value === "string") return value;
  if (typeof value === "number" && Number.isFinite(value)) return String(value);
  throw malformed(path, "neither text nor number nor null");
}

function objectAt(value: unknown, path: string, allowed?: readonly string[]): Record<string, unknown> {
  if (!isObject(value)) throw malformed(path, "no object");
  const stray = allowed && Object.keys(value).find((key) => !allowed.includes(key));
  if (stray !== undefined) throw malformed(`${path}.${stray}`, `unknown; known are ${allowed?.join(", ")}`);
  return value;
}

const malformed = (path: string, fact: string): TurnupError =>
  new TurnupError("payload_malformed", `${path}: ${fact}.`, { details: { path } });
