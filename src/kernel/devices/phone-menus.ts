/**
 * Where the menus of makers hide their access points: data that an operator may correct, since systems change their words. A
 * row holds for versions of a system from one to another; the newest stands first.
 */
type InLanguages<Value> = Readonly<Record<string, Value>> & { readonly en: Value };

export type PhoneMenuRow = {
  readonly system: "android" | "ios";
  /** A make as the device data writes it; `*`: any. */
  readonly make: string;
  /** Major versions of the system; null: without an end. */
  readonly from: number | null;
  readonly to: number | null;
  /** From the home screen to the list of access points, by language: English is always there. */
  readonly path: InLanguages<readonly string[]>;
  /** What adds one there, by language. */
  readonly add: InLanguages<string>;
  /** `seen`: read in a text that stands in `source`; `general`: general knowledge that nobody looked up. */
  readonly evidence: "seen" | "general";
  readonly source: string;
};

/** A row in one language; `others` are those of other versions, where the phone's is not known: null where a row holds for all. */
type PhoneMenu = {
  readonly path: readonly string[];
  readonly add: string;
  readonly others: readonly { readonly path: readonly string[]; readonly versions: string | null }[];
};

type MenuQuestion = {
  readonly system: PhoneMenuRow["system"];
  readonly make: string | null;
  /** Major version of the system. */
  readonly version: number | null;
  readonly language: string;
};

/** Of both systems. */
const FIRST_VERSION = 1;

/** A maker's own rows before those for any maker; undefined: nobody knows the menus of the system. */
export function menuFor(
  rows: readonly PhoneMenuRow[],
  { system, make, version, language }: MenuQuestion,
): PhoneMenu | undefined {
  const ofSystem = rows.filter((row) => row.system === system);
  const own = ofSystem.filter((row) => make !== null && row.make.toLowerCase() === make.toLowerCase());
  const fitting = [...own, ...ofSystem.filter((row) => row.make === "*")].filter((row) =>
    holdsFor(row, version),
  );
  const [row] = fitting;
  if (!row) return undefined;
  const others = version === null ? fitting.filter((other) => other !== row && other.make === row.make) : [];
  return {
    path: inLanguage(row.path, language),
    add: inLanguage(row.add, language),
    others: others.map((other) => ({ path: inLanguage(other.path, language), versions: versionsOf(other) })),
  };
}

const holdsFor = ({ from, to }: PhoneMenuRow, version: number | null): boolean =>
  version === null || ((from === null || version >= from) && (to === null || version <= to));

/** In English where nobody wrote it in this language: better than none. */
const inLanguage = <Value>(texts: InLanguages<Value>, language: string): Value => texts[language] ?? texts.en;
function versionsOf({ from, to }: PhoneMenuRow): string | null {
  if (to === null) return from === null ? null : `${from}+`;
  return from === to ? `${to}` : `${from ?? FIRST_VERSION}-${to}`;
}
