/**
 * What may stand in the configuration several times: message centres, as `[[smsc]]`. Each entry has the settings of the one
 * section, under its name (`smsc.north.host`); in the environment it is addressed by its name or by its number from 0
 * (`TURNUP_SMSC_NORTH_HOST`, `TURNUP_SMSC_0_HOST`). Where the file has none, numbers in the environment alone make entries.
 */
import { membersOf } from "../../term/narrow.ts";
import type { Setting } from "./setting.ts";
import { type Config, SMSC_NAME } from "./settings.ts";

const SECTION = "smsc";
const ENTRIES_MAX = 64;
const NAME = new RegExp(SMSC_NAME);

/** A setting of one entry. */
type EntrySetting = Setting & { readonly entry: number };

/** The settings there are, where the section stands `labels.length` times under these labels; once, where there are none. */
export function withEntries(every: readonly Setting[], labels: readonly string[]): readonly Setting[] {
  if (labels.length === 0)
    return every.map((one) => (one.section === SECTION ? { ...one, alias: aliasOf(one, 0) } : one));
  return [
    ...every.filter(({ section }) => section !== SECTION),
    ...labels.flatMap((label, entry) =>
      every.filter(({ section }) => section === SECTION).map((one) => ofEntry(one, label, entry)),
    ),
  ];
}

function ofEntry(setting: Setting, label: string, entry: number): EntrySetting {
  const key = setting.name.slice(SECTION.length + 1);
  const word = label.toUpperCase().replaceAll("-", "_");
  return {
    ...setting,
    entry,
    name: `${SECTION}.${label}.${key}`,
    variable: `TURNUP_SMSC_${word}_${key.toUpperCase()}`,
    alias: aliasOf(setting, entry),
  };
}

const aliasOf = ({ name }: Setting, entry: number): string =>
  `TURNUP_SMSC_${entry}_${name.slice(SECTION.length + 1).toUpperCase()}`;

/** The settings of a configuration that was read: those of each entry under its name. */
export const settingsIn = (every: readonly Setting[], { smscEntries }: Config): readonly Setting[] =>
  withEntries(
    every,
    smscEntries.map(({ name }, at) => name ?? String(at)),
  );

/** What a setting is in a configuration. */
export function settingValue(config: Config, { section, key, entry }: Setting): unknown {
  return membersOf(entry === undefined ? membersOf(config)[section] : config.smscEntries[entry])[key];
}

/**
 * Under which labels the section stands: the names of entries, their numbers where they have no good one. Empty where it
 * stands once, as an ordinary section or not at all.
 * @param section what the file has of it
 */
export function labelsOf(
  section: unknown,
  env: Readonly<Record<string, string | undefined>>,
  problems: string[],
): readonly string[] {
  const count = Array.isArray(section)
    ? section.length
    : section === undefined
      ? entriesOfEnvironment(env)
      : 0;
  if (Array.isArray(section) && count === 0) problems.push(`${SECTION}: a list of entries with none in it`);
  if (count > ENTRIES_MAX) problems.push(`${SECTION}: ${count} entries are more than ${ENTRIES_MAX}`);
  const names = Array.from({ length: Math.min(count, ENTRIES_MAX) }, (_, at) => {
    const name = env[`TURNUP_SMSC_${at}_NAME`] || membersOf(Array.isArray(section) ? section[at] : {}).name;
    return typeof name === "string" && NAME.test(name) ? name : undefined;
  });
  return names.map((name, at) => {
    if (name === undefined) {
      problems.push(`${SECTION}[${at}].name: each of several message centres has a name of its own`);
      return String(at);
    }
    if (names.indexOf(name) === at) return name;
    problems.push(
      `${SECTION}[${at}].name = ${JSON.stringify(name)}: ${SECTION}[${names.indexOf(name)}] has it already`,
    );
    return String(at);
  });
}

/** Several, where the environment counts beyond the first. */
function entriesOfEnvironment(env: Readonly<Record<string, string | undefined>>): number {
  const numbers = Object.entries(env).flatMap(([variable, value]) => {
    const at = /^TURNUP_SMSC_(\d{1,3})_/.exec(variable)?.[1];
    return at === undefined || !value ? [] : [Number(at)];
  });
  const highest = Math.max(0, ...numbers);
  return highest === 0 ? 0 : highest + 1;
}

/** Why a variable of the section is no setting, where it names an entry that there is not, or none of several. */
export function unknownEntry(
  variable: string,
  every: readonly Setting[],
  labels: readonly string[],
): string | undefined {
  const keys = every
    .filter(({ section }) => section === SECTION)
    .map(({ variable: plain }) => plain.slice("TURNUP_SMSC_".length));
  const rest = variable.startsWith("TURNUP_SMSC_") ? variable.slice("TURNUP_SMSC_".length) : "";
  if (labels.length > 0 && keys.includes(rest.replace(/_FILE$/, "")))
    return `there are several message centres: say which, as ${labels.map((label) => `TURNUP_SMSC_${label.toUpperCase().replaceAll("-", "_")}_${rest}`).join(" or ")}`;
  if (!keys.some((key) => rest.endsWith(`_${key}`) || rest.endsWith(`_${key}_FILE`))) return undefined;
  return labels.length === 0
    ? "there is one message centre, without entries"
    : `no such entry; there are ${labels.map((label, at) => `${label} (${at})`).join(", ")}`;
}
