/**
 * Reads the configuration once: one TOML file, then the environment above it, checked against `settings.ts`.
 * Whatever is wrong is told in one go, each with its key, its value, where it came from and what is allowed; a
 * secret's value never is. Nothing starts on a configuration that is wrong.
 */
import { accessSync, constants, existsSync, readFileSync, statSync } from "node:fs";
import { homedir } from "node:os";
import { dirname, join, resolve } from "node:path";
import { parse, TomlError } from "smol-toml";
import { Value } from "typebox/value";
import { packageFolder } from "../../store/dataset/folder.ts";
import { TurnupError } from "../../term/error.ts";
import { messageOf } from "../../term/narrow.ts";
import { Secret } from "../../term/secret.ts";
import { labelsOf, unknownEntry, withEntries } from "./entries.ts";
import { isDatabaseUrl, isHost, isReachableUrl } from "./forms.ts";
import type { Annotated, Setting } from "./setting.ts";
import { type Config, SETTINGS } from "./settings.ts";

export type { Annotated, Setting } from "./setting.ts";
export type { Config } from "./settings.ts";

const DEFAULT_CONFIG_FILE = "turnup.toml";
const CONFIG_OCTETS_MAX = 1_048_576;
const SECRET_FILE_OCTETS_MAX = 65_536;
const PROBLEMS_SHOWN_MAX = 20;
const READ_OR_WRITE_BY_OTHERS = 0o006;
const VALUE_CHARACTERS_SHOWN_MAX = 60;
/** Names in the environment that begin as settings do and are none. */
const NOT_SETTINGS = ["TURNUP_CONFIG", "TURNUP_DEBUG", "TURNUP_TOKEN", "TURNUP_URL"];

export type ConfigSource = {
  /** `--config`; without it TURNUP_CONFIG, then ./turnup.toml where there is one. */
  readonly file?: string | undefined;
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly folder?: string;
};
/** `from` names, for each setting by its name, the file or the variable that gave it. */
type ReadConfig = { readonly config: Config; readonly from: ReadonlyMap<string, string> };

type Given = { readonly value: unknown; readonly from: string; readonly base: string };

/** @throws TurnupError `config_invalid`, with every problem found */
export function readConfig(source: ConfigSource): ReadConfig {
  const folder = source.folder ?? process.cwd();
  const problems: string[] = [];
  const file = openFile(source, folder);
  const labels = labelsOf(file?.content.smsc, source.env, problems);
  const known: Known = { settings: withEntries(ALL_SETTINGS, labels), labels };
  const given = new Map<string, Given>([
    ...(file ? fromFile(file, known, problems) : []),
    ...fromEnvironment(source.env, folder, known, problems),
  ]);
  const config: Record<string, Record<string, unknown>> = Object.fromEntries(
    Object.keys(SETTINGS).map((section) => [section, {}]),
  );
  const entries: Record<string, unknown>[] = labels.map(() => ({}));
  // Where there are entries, the section by itself says nothing beyond its defaults.
  const single = labels.length > 0 ? ALL_SETTINGS.filter(({ section }) => section === "smsc") : [];
  for (const setting of [...single, ...known.settings]) {
    const value = settingOf(setting, given, problems);
    const section = setting.entry === undefined ? config[setting.section] : entries[setting.entry];
    if (section && value !== undefined) section[setting.key] = value;
  }
  if (problems.length > 0) throw invalid(problems);
  const from = new Map([...given].map(([name, { from }]) => [name, from]));
  return { config: { ...config, smscEntries: entries } as unknown as Config, from }; // checked setting by setting above
}
/** The settings that this configuration may have, and the names of its message centres where it has several. */
type Known = { readonly settings: readonly Setting[]; readonly labels: readonly string[] };

export const ALL_SETTINGS: readonly Setting[] = Object.entries(SETTINGS).flatMap(([section, settings]) =>
  Object.entries(settings).map(([key, schema]) => {
    const name = `${section}.${key.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`)}`;
    return { section, key, name, variable: variableOf(name), schema: schema as unknown as Annotated }; // TypeBox types no annotations of ours
  }),
);

/** Where data lies when nothing says otherwise: the same place whatever folder a command is called in. */
export function dataFolderOf(config: Config, env: ConfigSource["env"] = process.env): string {
  if (config.data.folder) return config.data.folder;
  const checkout = packageFolder();
  if (existsSync(join(checkout, "src", "app", "cli.ts")) && isWritable(checkout))
    return join(checkout, ".turnup");
  return join(env.XDG_DATA_HOME || join(homedir(), ".local", "share"), "turnup");
}

/** What a setting may be, in words. */
export function allowedOf({ type, allowed, minimum, maximum, maxLength, ...schema }: Annotated): string {
  if (allowed) return allowed;
  if (schema.enum) return `one of ${schema.enum.join(", ")}`;
  if (type === "boolean") return "true or false";
  if (type === "array") return "a list";
  if (type === "integer") return `an integer from ${minimum} to ${maximum}`;
  return maxLength && maxLength < CONFIG_TEXT_LONG ? `text of 1 to ${maxLength} characters` : "text";
}
/** A limit above this guards memory and tells a person nothing. */
const CONFIG_TEXT_LONG = 1_000;

function variableOf(name: string): string {
  return `TURNUP_${name.replace(".", "_").toUpperCase()}`;
}

type OpenFile = { readonly file: string; readonly content: Record<string, unknown> };

function openFile(source: ConfigSource, folder: string): OpenFile | undefined {
  const asked = source.file ?? (source.env.TURNUP_CONFIG || undefined); // empty is not set, as of every variable
  const file = resolve(folder, asked ?? DEFAULT_CONFIG_FILE);
  return asked || existsSync(file) ? { file, content: readToml(file) } : undefined;
}

function* fromFile({ file, content }: OpenFile, known: Known, problems: string[]): Iterable<[string, Given]> {
  for (const [section, settings] of Object.entries(content)) {
    if (section === "smsc" && Array.isArray(settings)) {
      for (const [at, label] of known.labels.entries())
        yield* fromSection({ file, section: `smsc.${label}`, settings: settings[at] }, known, problems);
    } else yield* fromSection({ file, section, settings }, known, problems);
  }
}

function* fromSection(
  {
    file,
    section,
    settings,
  }: { readonly file: string; readonly section: string; readonly settings: unknown },
  known: Known,
  problems: string[],
): Iterable<[string, Given]> {
  if (typeof settings !== "object" || settings === null || Array.isArray(settings)) {
    problems.push(`${section} (${file}): settings stand in a section: ${Object.keys(SETTINGS).join(", ")}`);
    return;
  }
  for (const [key, value] of Object.entries(settings)) {
    const name = `${section}.${key}`;
    if (isKnown(known, name)) yield [name, { value, from: file, base: dirname(file) }];
    else problems.push(`${name} (${file}): ${unknownWords(section)}`);
  }
}

function readToml(file: string): Record<string, unknown> {
  try {
    if (statSync(file).size > CONFIG_OCTETS_MAX)
      throw new Error(`it has more than ${CONFIG_OCTETS_MAX} octets`);
    return parse(readFileSync(file, "utf8"));
  } catch (cause) {
    // The parser's message quotes the lines around the mistake, and those may hold a secret.
    const where = cause instanceof TomlError ? `line ${cause.line}, column ${cause.column}: ` : "";
    const fact = messageOf(cause).split("\n")[0];
    throw new TurnupError("config_invalid", `The configuration ${file} cannot be read: ${where}${fact}.`, {
      nextStep: "Mend the file, or name another with --config.",
    });
  }
}

function* fromEnvironment(
  env: ConfigSource["env"],
  folder: string,
  known: Known,
  problems: string[],
): Iterable<[string, Given]> {
  // The usual name of other programs; our own, if it is there too, comes later and counts.
  if (env.DATABASE_URL)
    yield ["database.url", { value: env.DATABASE_URL, from: "DATABASE_URL", base: folder }];
  for (const [variable, value] of Object.entries(env)) {
    if (!variable.startsWith("TURNUP_") || !value || NOT_SETTINGS.includes(variable)) continue;
    const [setting, other] = known.settings.filter((one) => isVariableOf(one, variable));
    if (!setting || other) {
      const section = variable.split("_")[1]?.toLowerCase() ?? "";
      const why = other
        ? `it may mean ${setting?.name} or ${other.name}: give the entry by its number`
        : (unknownEntry(variable, ALL_SETTINGS, known.labels) ?? unknownWords(section));
      problems.push(`${variable} (environment): ${why}`);
      continue;
    }
    const isFile = setting.variable !== variable && setting.alias !== variable;
    const name = isFile ? `${setting.name}_file` : setting.name;
    const twin = variable === setting.alias ? setting.variable : setting.alias;
    if (twin !== undefined && env[twin] && !isFile)
      problems.push(`${variable} and ${twin} (environment): give one of them`);
    yield [name, { value: isFile ? value : read(value, setting.schema), from: variable, base: folder }];
  }
}

const isVariableOf = ({ schema, variable, alias }: Setting, name: string): boolean =>
  [variable, alias].some((one) => one === name || (schema.secret === true && `${one}_FILE` === name));

const isKnown = ({ settings }: Known, name: string): boolean =>
  settings.some((one) => one.name === name || (one.schema.secret && `${one.name}_file` === name));

function unknownWords(section: string): string {
  const names = ALL_SETTINGS.filter((one) => one.section === section.split(".")[0]).map(({ name }) => name);
  if (names.length > 0) return `no such setting; there are ${names.join(", ")}`;
  return `no such section; there are ${Object.keys(SETTINGS).join(", ")}`;
}

/** The environment has text alone; what is not of the type stays text and is refused with the rest. */
function read(value: string, { type }: Annotated): unknown {
  if (type === "integer" && /^-?\d{1,15}$/.test(value)) return Number(value);
  if (type === "boolean" && /^(true|false)$/.test(value)) return value === "true";
  if (type === "array") return value.split(",").map((one) => one.trim());
  return value;
}

function settingOf(setting: Setting, given: ReadonlyMap<string, Given>, problems: string[]): unknown {
  const { schema, name } = setting;
  const found = given.get(name);
  const inFile = given.get(`${name}_file`);
  if (found && inFile) problems.push(`${name} and ${name}_file: give one of them`);
  if (inFile) return secretIn(setting, inFile, problems);
  if (!found) return schema.default;
  if (!Value.Check(schema, found.value) || !hasForm(schema, found.value)) {
    problems.push(`${name} = ${shown(found.value, schema)} (${found.from}): must be ${allowedOf(schema)}`);
    return undefined;
  }
  if (schema.secret) return new Secret(String(found.value));
  return schema.isPath ? resolve(found.base, String(found.value)) : found.value;
}

const FORMS = { host: isHost, url: isReachableUrl, database: isDatabaseUrl } as const;
const hasForm = ({ is }: Annotated, value: unknown): boolean =>
  is === undefined || typeof value !== "string" || FORMS[is](value);

/** The secret without the line end that editors put behind it. */
function secretIn({ name, schema }: Setting, { value, base }: Given, problems: string[]): Secret | undefined {
  const file = resolve(base, String(value));
  try {
    const { size, mode } = statSync(file);
    if (size > SECRET_FILE_OCTETS_MAX) throw new Error("it is too long for a secret");
    if (schema.ownerOnly && (mode & READ_OR_WRITE_BY_OTHERS) !== 0)
      throw new Error(`every user of this machine can read or change it; run: chmod 600 ${file}`);
    const text = readFileSync(file, "utf8").replace(/\r?\n$/, "");
    if (text === "") throw new Error("it is empty");
    if (!Value.Check(schema, text) || !hasForm(schema, text))
      throw new Error(`it must be ${allowedOf(schema)}`);
    return new Secret(text);
  } catch (error) {
    problems.push(`${name}_file = ${file}: cannot be used: ${messageOf(error)}`);
    return undefined;
  }
}

function shown(value: unknown, { secret }: Annotated): string {
  if (secret) return "***";
  const text =
    JSON.stringify(value, (_, inner) => (typeof inner === "bigint" ? String(inner) : inner)) ?? "nothing";
  const plain = text.replace(/\/\/[^/"]*@/, "//***@"); // who is named in a URL is often named with a password
  return plain.length > VALUE_CHARACTERS_SHOWN_MAX
    ? `${plain.slice(0, VALUE_CHARACTERS_SHOWN_MAX)}...`
    : plain;
}

function isWritable(folder: string): boolean {
  try {
    accessSync(folder, constants.W_OK);
    return true;
  } catch {
    return false;
  }
}

function invalid(problems: readonly string[]): TurnupError {
  const lines = problems.slice(0, PROBLEMS_SHOWN_MAX).map((problem) => `\n  ${problem}`);
  const more = problems.length > lines.length ? `\n  and ${problems.length - lines.length} more` : "";
  return new TurnupError("config_invalid", `The configuration is wrong:${lines.join("")}${more}.`, {
    nextStep: "See docs/operations.md, or `turnup config` for what is in force.",
  });
}
