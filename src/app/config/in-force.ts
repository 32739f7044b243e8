/**
 * What of a configuration is in force, as digests: of each setting, of each file that one names, and of the files that stand in
 * those. Two of them tell what changed between, without keeping a secret or a file's content.
 */
import { createHash } from "node:crypto";
import { readFileSync, statSync } from "node:fs";
import { basename, dirname, resolve } from "node:path";
import { Secret } from "../../term/secret.ts";
import { ALL_SETTINGS, type Config } from "./config.ts";
import { settingsIn, settingValue } from "./entries.ts";

const FILE_OCTETS_MAX = 16 * 1_048_576;
const NESTED_MAX = 1_000;

/** By the setting's name (`land.proxies_file`), and for a file within a file by both (`proxy.policy_file: server.crt`). */
export type InForce = ReadonlyMap<string, string>;

export function inForceOf(config: Config): InForce {
  const found = new Map<string, string>();
  for (const setting of settingsIn(ALL_SETTINGS, config)) {
    const { name, schema } = setting;
    const value = settingValue(config, setting);
    if (value === undefined) continue;
    found.set(name, digest(value instanceof Secret ? value.reveal() : JSON.stringify(value)));
    if (!schema.isPath || typeof value !== "string") continue;
    const content = contentOf(value);
    if (content === undefined) continue;
    found.set(name, digest(value + content));
    for (const file of filesIn(content).slice(0, NESTED_MAX)) {
      const nested = resolve(dirname(value), file);
      found.set(`${name}: ${basename(file)}`, digest(nested + (contentOf(nested) ?? "")));
    }
  }
  return found;
}

/** Names of what is there, is not there any more, or is another. */
export function changesBetween(before: InForce, after: InForce): string[] {
  const names = new Set([...before.keys(), ...after.keys()]);
  return [...names].filter((name) => before.get(name) !== after.get(name)).sort();
}

const digest = (text: string): string => createHash("sha256").update(text).digest("base64");

/** Undefined of a folder, of what is not there, and of what is too long for a file of ours. */
function contentOf(path: string): string | undefined {
  try {
    const found = statSync(path);
    return found.isFile() && found.size <= FILE_OCTETS_MAX ? readFileSync(path, "utf8") : undefined;
  } catch {
    return undefined; // who reads it for use says what is wrong with it
  }
}

/** What the members of JSON name that end in `File` or `Files`. */
function filesIn(content: string): string[] {
  const files: string[] = [];
  const look = (value: unknown, name: string): void => {
    if (typeof value === "string" && /Files?$/.test(name)) files.push(value);
    else if (Array.isArray(value)) for (const member of value) look(member, name);
    else if (typeof value === "object" && value !== null)
      for (const [member, inner] of Object.entries(value)) look(inner, member);
  };
  try {
    look(JSON.parse(content), "");
  } catch {
    return [];
  }
  return files;
}
