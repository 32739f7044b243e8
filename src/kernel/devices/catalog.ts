/**
 * What is known of a device from its TAC: make, model, codes, release, screen, bands, lifecycle, settings protocols,
 * each from named data. A model is never guessed: a TAC in no list has no make and no model.
 *
 * Where lists disagree on a TAC:
 *   1. an operator's own import stands above the shipped lists, which name what it leaves unnamed;
 *   2. between two makes, the one whose release year fits the number's own window wins, then the maker's own list;
 *   3. within one make, a row with the model's exact code beats a row with the codes of a family, a named model beats
 *      an unnamed one.
 * What lost is reported as a conflict, never hidden.
 */
import { firstOf } from "../../term/collections.ts";
import {
  AgeRules,
  boundsOfDate,
  isOfWindow,
  type Release,
  releaseOfYears,
  soleWindow,
  type YearWindow,
  yearOfRelease,
} from "./age.ts";
import { type Capability, capabilityOf } from "./capability.ts";
import { type ModelClass, modelClassOf } from "./device-class.ts";
import { LifecycleIndex, type LifecycleMatch } from "./lifecycle.ts";
import { codesIn, labelKey, makeOf, modelWithBrand, nameIn } from "./names.ts";
import type { DatasetRef, DeviceDatasets, FactRow, TacRow } from "./rows.ts";
import { TacList } from "./tac-list.ts";
import { Taught } from "./taught.ts";

type Screen = {
  readonly widthPx: number | null;
  readonly heightPx: number | null;
  readonly inch: number | null;
};

export type Device = {
  readonly tac: string;
  /** Null where no list knows the TAC. */
  readonly make: string | null;
  readonly model: string | null;
  /** The model's own codes where the list has them, else those of its family. */
  readonly modelCodes: readonly string[];
  readonly aka: readonly string[];
  /** The data set that named the model, and its version. */
  readonly source: string | null;
  readonly datasetVersion: string | null;
  readonly conflicts: readonly {
    readonly source: string;
    readonly make: string;
    readonly model: string | null;
  }[];
  readonly releasedYear: number | null;
  readonly release: Release | null;
  readonly form: string | null;
  readonly screen: Screen | null;
  readonly networks: readonly string[];
  /** Radio bands; empty where no list has them. */
  readonly bands: readonly string[];
  readonly chipset: string | null;
  readonly camera: string | null;
  readonly modelClass: ModelClass | null;
  /** Access points that the maker blocked on the model, by their use, and who says so; null where nobody says so. */
  readonly blocked: { readonly uses: readonly string[]; readonly source: string } | null;
  readonly capability: Capability;
  readonly lifecycle: LifecycleMatch | null;
  /** Release years of the models in the number's range; null where none or two windows match. */
  readonly ageWindow: YearWindow | null;
  readonly ageWindows: readonly YearWindow[];
  /** Who gave the number out. */
  readonly reportingBody: string | null;
};

/** One list's claim about a TAC, in our spelling. */
type Claim = {
  readonly ref: DatasetRef;
  readonly row: TacRow;
  readonly make: string;
  readonly model: string | null;
  readonly names: readonly string[];
  readonly exactCodes: readonly string[];
  readonly familyCodes: readonly string[];
};

/** Sources that upstream copied from before 2013: a phone in them is no younger. */
const CLOSED_LISTS = /mulliner|dnv\.com|British Approvals|PTCRB|MT3-411D13/;
const CLOSED_LISTS_YEAR = 2012;
const FIRST_GALAXY_YEAR = 2009;
/** Nokia's type codes before HMD; its phones from 2017 on have TA- codes. */
const NOKIA_TYPE_CODE = /^(?!TA-)[A-Z]{2,3}-\d/;
const NOKIA_TYPE_CODE_YEAR = 2016;
/** The last year of TACs with 6 digits and a factory code, with time for the models to come out (TS 23.003). */
const OLD_NUMBERING_YEAR = 2005;
/** The Osmocom dump of 2018 tells something of a number; the present one does not. */
const OLD_DUMP_YEAR = 2018;
/** Devices kept resolved, so that a stream of few models does no work twice; each takes about a kilobyte. */
const RESOLVED_MAX = 20_000;
const UNNAMED = /^(?:unknown|n\/?a|none|-)?$/i;
const MODEM_MAKES =
  /^(?:Wavecom|SIMCom|Cinterion|Enfora.*|Option|Sierra Wireless|Novatel|Quectel|Telular|Erco & Gener|UbiNetics|TP-Link)$/i;
const MODEM_NAMES =
  /\b(?:modem|router|dongle|usb|stick|gateway|pcmcia|card ?phone|data ?card|hotspot|m2m)\b/i;
const HUAWEI_MODEM = /^(?:E\d{3,4}[A-Za-z-]*|B\d{3,4}|K\d{4}|EM\d{3})\b/;

export class DeviceCatalog {
  readonly data: DeviceDatasets;
  /** In the order of trust. */
  readonly #lists: readonly { readonly ref: DatasetRef; readonly list: TacList }[];
  readonly #taught: Taught;
  #size: number | undefined;
  readonly #facts = new Map<string, FactRow[]>();
  readonly #bodies: ReadonlyMap<string, string>;
  readonly #lifecycle: LifecycleIndex;
  readonly #ages: AgeRules;
  readonly #resolved = new Map<string, Device>();

  /** @param taught by the rows of all its TAC lists, in their order, where somebody has read them already */
  constructor(data: DeviceDatasets, taught?: Taught) {
    this.data = data;
    this.#lifecycle = new LifecycleIndex(data.lifecycle.rows);
    this.#ages = new AgeRules(data.ageRules.rows);
    this.#bodies = new Map(data.reportingBodies.rows.map(({ rbi, body }) => [rbi, body]));
    for (const fact of data.facts.rows) this.#addFact(fact);
    this.#lists = data.tac.map(({ ref, rows }) => ({
      ref,
      list: rows instanceof TacList ? rows : new TacList(rows),
    }));
    this.#taught = taught ?? new Taught(rowsOf(this.#lists.map(({ list }) => list)));
  }

  /** How many TACs are known. */
  get size(): number {
    this.#size ??= this.#lists.reduce((sum, { list }, at) => {
      const before = this.#lists.slice(0, at);
      for (const tac of list.tacs()) if (before.every((other) => !other.list.has(tac))) sum += 1;
      return sum;
    }, 0);
    return this.#size;
  }

  /** The device of a TAC; `tac` is the first 8 digits of any form of the number. */
  deviceOf(tac: string): Device {
    const known = this.#resolved.get(tac);
    if (known) return known;
    const device = this.#resolve(tac);
    if (this.#resolved.size >= RESOLVED_MAX) this.#resolved.clear();
    if (device.make !== null) this.#resolved.set(tac, device);
    return device;
  }

  #addFact(fact: FactRow): void {
    const make = makeOf(fact.make);
    for (const key of [...fact.modelCodes.map((code) => code.toUpperCase()), labelKey(make, fact.name)]) {
      const at = `${make}/${key}`;
      const known = this.#facts.get(at);
      if (known) known.push(fact);
      else this.#facts.set(at, [fact]);
    }
  }

  #resolve(tac: string): Device {
    const windows = this.#ages.windowsOf(tac);
    const [first, next] = this.#rowsOf(tac);
    const ageWindow = soleWindow(windows);
    const reportingBody = this.#bodies.get(tac.slice(0, 2)) ?? null;
    if (!first) return { ...UNKNOWN_DEVICE, tac, ageWindow, ageWindows: windows, reportingBody };

    const claims = [first, ...(next ? [next] : [])].map(({ ref, row }) => this.#claimOf(ref, row));
    const { best, lost } = this.#judge(claims, windows);
    const year = best.row.suspect ? null : best.row.releasedYear;
    const lifecycle = best.row.suspect
      ? this.#lifecycle.match({ ...best, names: [], familyCodes: [] }, windows, year)
      : this.#lifecycle.match(best, windows, year);
    const facts = this.#factsOf(best);
    const model =
      lifecycle && isCodeOnly(best) ? (soleLabelOf(best.make, lifecycle) ?? best.model) : best.model;
    const release = this.#releaseOf(best, lifecycle, facts, windows);
    const form = formOf(best, lifecycle, facts);
    const clues = {
      make: best.make,
      model: model ?? "",
      modelCodes: best.exactCodes,
      form,
      release,
      chipset: facts?.chipset || null,
    };
    const isListedSmartphone =
      (facts !== undefined && !facts.isOwn) || (lifecycle !== null && best.make !== "Microsoft");
    return {
      tac,
      ageWindow,
      ageWindows: windows,
      reportingBody,
      make: best.make,
      model,
      modelCodes: best.exactCodes.length > 0 ? best.exactCodes : best.familyCodes,
      aka: best.row.aka,
      source: best.ref.name,
      datasetVersion: best.ref.version,
      conflicts: lost.map(({ ref, make, model }) => ({ source: ref.name, make, model })),
      releasedYear: yearOfRelease(release),
      release,
      form,
      screen: facts ? { widthPx: facts.widthPx, heightPx: facts.heightPx, inch: facts.inch } : null,
      networks: facts?.networks ?? [],
      bands: facts?.bands ?? [],
      chipset: facts?.chipset || null,
      camera: facts?.camera || null,
      modelClass: modelClassOf(form),
      blocked:
        facts && facts.blockedUses.length > 0
          ? { uses: facts.blockedUses, source: facts.blockedSource }
          : null,
      capability: capabilityOf({ ...clues, isListedSmartphone }, this.data.capability.rows),
      lifecycle,
    };
  }

  #claimOf(ref: DatasetRef, row: TacRow): Claim {
    const listMake = makeOf(row.make);
    const make = listMake === "HMD" && /^nokia\b/i.test(row.model) ? "Nokia" : listMake;
    const isKnown = (code: string) =>
      this.#lifecycle.knowsCode(make, code) ||
      this.#facts.has(`${make}/${code}`) ||
      this.#taught.nameOfCode(make, code) !== undefined;
    const exact = codesIn(make, row.model, isKnown);
    const exactCodes = exact.length > 0 ? exact : row.modelCodes.length === 1 ? row.modelCodes : [];
    const familyCodes = [
      ...new Set([...row.modelCodes, ...row.aka.flatMap((name) => codesIn(make, name, isKnown))]),
    ];
    const own = nameIn(modelWithBrand(row.make, row.model), exact).replace(/\bGALAXY\b/, "Galaxy");
    const model =
      this.#nameOf(make, exactCodes) ?? (own || row.names[0] || row.model || row.modelCodes[0] || null);
    const names = [...new Set([model ?? "", own, ...row.names])].filter((name) => !UNNAMED.test(name));
    return {
      ref,
      row,
      make,
      model: model && !UNNAMED.test(model) ? model : null,
      names,
      exactCodes,
      familyCodes,
    };
  }

  /** The marketing name of a code, where one list says it plainly. */
  #nameOf(make: string, codes: readonly string[]): string | undefined {
    for (const code of codes) {
      const name = this.#lifecycle.labelOfCode(make, code) ?? this.#taught.nameOfCode(make, code);
      if (name) return name.startsWith(`${make} `) ? name.slice(make.length + 1) : name;
    }
    return undefined;
  }

  #judge(claims: readonly Claim[], windows: readonly YearWindow[]): { best: Claim; lost: Claim[] } {
    const [, other] = claims;
    const one = firstOf(claims);
    if (!other) return { best: one, lost: [] };
    if (one.ref.isOwn) {
      const best = namedBy(one, other);
      return { best, lost: agree(best, other) ? [] : [other] };
    }
    if (agree(one, other)) return { best: merged(one, other), lost: [] };
    const otherWins =
      one.make === other.make
        ? one.exactCodes.length === 0 || one.model === null
        : this.#fit(other, windows) >= this.#fit(one, windows);
    return otherWins ? { best: other, lost: [one] } : { best: one, lost: [other] };
  }

  /** 1: its year is of the number's window; -1: it is not; 0: cannot be told. */
  #fit({ row, make, names }: Claim, windows: readonly YearWindow[]): number {
    const year = row.releasedYear ?? this.#modelYear(make, names);
    if (year === null && windows.length > 0 && names.some((name) => /^galaxy /i.test(name))) {
      return windows.some(({ to }) => to >= FIRST_GALAXY_YEAR) ? 0 : -1;
    }
    if (year === null || windows.length === 0) {
      // Without a year: a closed list speaks for an old window.
      if (!CLOSED_LISTS.test(row.upstreamSource) || windows.length === 0) return 0;
      return windows.some(({ from }) => from <= CLOSED_LISTS_YEAR) ? 1 : -1;
    }
    return isOfWindow(windows, year) ? 1 : -1;
  }

  #modelYear(make: string, names: readonly string[]): number | null {
    for (const name of names) {
      const year = this.#taught.yearOfModel(make, labelKey(make, name));
      if (year) return year;
    }
    return null;
  }

  #factsOf({ make, exactCodes, names }: Claim): FactRow | undefined {
    for (const key of [...exactCodes, ...names.map((name) => labelKey(make, name))]) {
      const found = this.#facts.get(`${make}/${key}`);
      if (found?.length === 1) return found[0];
    }
    return undefined;
  }

  /** The best that is known of the release, from the maker's date down to the number's own range. */
  #releaseOf(
    best: Claim,
    lifecycle: LifecycleMatch | null,
    facts: FactRow | undefined,
    windows: readonly YearWindow[],
  ): Release | null {
    const { row, make, names } = best;
    const dated = (lifecycle?.rows ?? []).map(({ released }) => boundsOfDate(released));
    if (dated.length > 0 && dated.every((bounds) => bounds !== undefined)) {
      const from = firstOf(dated.map((bounds) => bounds.from).sort());
      return {
        from,
        to: firstOf(
          dated
            .map((bounds) => bounds.to)
            .sort()
            .reverse(),
        ),
        basis: "lifecycle",
      };
    }
    if (row.suspect) return numberRelease(windows);
    if (row.releasedYear !== null) return releaseOfYears(row.releasedYear, row.releasedYear, "year");
    const modelYear = this.#modelYear(make, names);
    if (modelYear !== null) return releaseOfYears(modelYear, modelYear, "model_year");
    const factBounds = facts && boundsOfDate(facts.released);
    if (factBounds) return { ...factBounds, basis: "facts" };
    const sole = numberRelease(windows);
    const latest = this.#latestYearOf(best);
    if (latest === null) return sole;
    // The list's age also tells two windows apart: those after it are out.
    const possible = windows.filter(({ from }) => from <= latest);
    const window = soleWindow(possible);
    if (!window) return releaseOfYears(null, latest, "old_list");
    return releaseOfYears(window.from, Math.min(window.to, latest), "number");
  }

  /** The latest year that the list itself, and not the number, allows for the model; null where it allows any. */
  #latestYearOf({ row, make, exactCodes, familyCodes }: Claim): number | null {
    if (CLOSED_LISTS.test(row.upstreamSource)) return CLOSED_LISTS_YEAR;
    const codes = [...exactCodes, ...familyCodes, ...row.aka];
    if (make === "Nokia" && codes.some((code) => NOKIA_TYPE_CODE.test(code))) return NOKIA_TYPE_CODE_YEAR;
    if (this.#isOldNumbering(row)) return OLD_NUMBERING_YEAR;
    return row.listedYear !== null && row.listedYear <= OLD_DUMP_YEAR ? row.listedYear : null;
  }

  /**
   * Before 2003 digits 7 and 8 named the factory and the TAC had 6 digits, so one model's numbers differ in those two
   * digits only. Numbers of today that share 6 digits are of different models.
   */
  #isOldNumbering({ tac, make, model }: TacRow): boolean {
    if (model === "") return false;
    return this.#lists.some(({ list }, at) => {
      const before = this.#lists.slice(0, at);
      for (const row of list.ofSixDigits(tac)) {
        const isSibling = row.tac !== tac && row.make === make && row.model === model;
        if (isSibling && before.every((other) => !other.list.has(row.tac))) return true;
      }
      return false;
    });
  }

  /** What lists say of a TAC, one row a list. */
  #rowsOf(tac: string): { readonly ref: DatasetRef; readonly row: TacRow }[] {
    return this.#lists.flatMap(({ ref, list }) => {
      const row = list.find(tac);
      return row ? [{ ref, row }] : [];
    });
  }
}

function* rowsOf(lists: readonly Iterable<TacRow>[]): Generator<TacRow> {
  for (const list of lists) yield* list;
}

const UNKNOWN_DEVICE = {
  make: null,
  model: null,
  modelCodes: [],
  aka: [],
  source: null,
  datasetVersion: null,
  conflicts: [],
  releasedYear: null,
  release: null,
  form: null,
  screen: null,
  networks: [],
  bands: [],
  chipset: null,
  camera: null,
  modelClass: null,
  blocked: null,
  lifecycle: null,
  capability: {
    omaCp: "unknown",
    nokiaOta: "unknown",
    appleProfile: "unknown",
    androidEnterpriseApn: "unknown",
    linkPush: "unknown",
    deviceKey: "unknown",
    settingsForm: null,
    platforms: [],
    nativeApnDb: null,
    notes: [],
    evidence: [],
    byChipset: null,
  },
} as const;

function numberRelease(windows: readonly YearWindow[]): Release | null {
  const window = soleWindow(windows);
  return window ? releaseOfYears(window.from, window.to, "number") : null;
}

/** Two claims agree when they share a name or when one's exact code is of the other's family. */
function agree(one: Claim, other: Claim): boolean {
  if (one.make !== other.make) return false;
  const keyOf = (name: string) => labelKey(one.make, name).replace(/(?:lte|3g|4g)$/, "");
  const names = new Set(one.names.map(keyOf));
  if (other.names.some((name) => names.has(keyOf(name)))) return true;
  const codes = new Set([...one.exactCodes, ...one.familyCodes]);
  return [...other.exactCodes, ...other.familyCodes].some((code) => codes.has(code));
}

/** The more exact of two agreeing claims, with what the other adds. */
function merged(one: Claim, other: Claim): Claim {
  const [best, second] =
    one.exactCodes.length > 0 || other.exactCodes.length === 0 ? [one, other] : [other, one];
  return {
    ...best,
    model: best.model ?? second.model,
    names: best.exactCodes.length > 0 ? best.names : [...new Set([...best.names, ...second.names])],
    familyCodes: [...new Set([...best.familyCodes, ...second.familyCodes])],
    row: {
      ...best.row,
      releasedYear: best.row.releasedYear ?? second.row.releasedYear,
      suspect: best.row.suspect || second.row.suspect,
    },
  };
}

/** What stands above says the maker, or a code, and no name: one that a list below has for it is not hidden. */
function namedBy(one: Claim, other: Claim): Claim {
  const isUnnamed = one.model === null || isCodeOnly(one);
  if (!isUnnamed || one.make !== other.make || other.model === null) return one;
  const codes = [...one.exactCodes, ...one.familyCodes];
  const others = [...other.exactCodes, ...other.familyCodes];
  if (codes.length > 0 && others.length > 0 && !others.some((code) => codes.includes(code))) return one;
  return {
    ...merged(one, other),
    ref: {
      ...one.ref,
      name: `${one.ref.name} over ${other.ref.name}`,
      version: `${one.ref.version} ${other.ref.version}`,
    },
    model: other.model,
    names: [...new Set([...one.names, ...other.names])],
  };
}

/** The list gives codes alone. */
const isCodeOnly = ({ model, row, exactCodes }: Claim): boolean =>
  model !== null && (row.modelCodes.includes(model) || exactCodes.includes(model.toUpperCase()));

/** The name that all lifecycle rows of these codes share. */
function soleLabelOf(make: string, { rows }: LifecycleMatch): string | undefined {
  const label = rows.length === 1 ? rows[0]?.label : undefined;
  return label?.startsWith(`${make} `) ? label.slice(make.length + 1) : label;
}

function formOf(claim: Claim, lifecycle: LifecycleMatch | null, facts: FactRow | undefined): string | null {
  const form = lifecycle?.rows[0]?.form ?? facts?.form;
  if (form) return form;
  const name = [claim.model ?? "", claim.row.model, ...claim.names].join(" ");
  if (MODEM_MAKES.test(claim.make) || MODEM_NAMES.test(name)) return "modem";
  if (claim.make === "Huawei" && HUAWEI_MODEM.test(claim.row.model)) return "modem";
  if (/\b(?:ipad|tab|tablet|galaxy tab|nexus (?:7|9|10))\b/i.test(name)) return "tablet";
  if (/\b(?:watch|gear)\b/i.test(name)) return "watch";
  if (/\bpager\b/i.test(name)) return "pager";
  if (/\b(?:pda|pocket ?pc|ipaq|xda|communicator)\b/i.test(name)) return "pda";
  if (/^(?:palm|handspring)$/i.test(claim.make)) return "palm";
  if (/\bremote(?: control(?:ler)?)?\b/i.test(name)) return "remote";
  return /\b(?:iphone|galaxy|lumia|xperia)\b/i.test(name) ? "phone" : null;
}
