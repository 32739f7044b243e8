/**
 * Finds the lifecycle rows of a model: by its exact code, else by its name, else by the codes of its family. Several
 * rows may fit (a family's codes, regional twins): the caller then believes only what all of them say.
 */
import { boundsOfDate, fitsNumber, type YearWindow } from "./age.ts";
import { CODE_CHARACTERS_MIN, labelKey, makeOf, samsungBaseOf } from "./names.ts";
import type { LifecycleRow } from "./rows.ts";

export type LifecycleMatch = {
  /** `market`: a code of the same model for another market, Samsung only. */
  readonly how: "code" | "label" | "family" | "market";
  readonly rows: readonly LifecycleRow[];
};

type ModelClaim = {
  readonly make: string;
  /** Codes that this very TAC carries. */
  readonly exactCodes: readonly string[];
  /** Codes of its family, of which it is one. */
  readonly familyCodes: readonly string[];
  readonly names: readonly string[];
};

export class LifecycleIndex {
  readonly #byCode = new Map<string, LifecycleRow[]>();
  readonly #byBase = new Map<string, LifecycleRow[]>();
  readonly #byLabel = new Map<string, LifecycleRow[]>();

  constructor(rows: readonly LifecycleRow[]) {
    for (const row of rows) {
      const make = makeOf(row.make);
      for (const code of row.modelCodes) {
        if (code.length >= CODE_CHARACTERS_MIN) addTo(this.#byCode, `${make}/${codeKey(code)}`, row);
        const base = make === "Samsung" ? samsungBaseOf(codeKey(code)) : undefined;
        if (base) addTo(this.#byBase, base, row);
      }
      addTo(this.#byLabel, `${make}/${labelKey(make, row.label)}`, row);
    }
  }

  knowsCode(make: string, code: string): boolean {
    return this.#byCode.has(`${make}/${code}`);
  }

  /** The one name that the rows of a code agree on. */
  labelOfCode(make: string, code: string): string | undefined {
    const rows = this.#byCode.get(`${make}/${code}`);
    return rows?.length === 1 ? rows[0]?.label : undefined;
  }

  match(
    claim: ModelClaim,
    windows: readonly YearWindow[],
    releasedYear: number | null,
  ): LifecycleMatch | null {
    const byName = this.#fitting(this.#byNames(claim), windows, releasedYear);
    const exact = this.#byCodes(claim.make, claim.exactCodes);
    if (exact.length > 0) return { how: "code", rows: narrowed(exact, byName) };
    if (byName.length > 0) return { how: "label", rows: byName };
    const family = this.#fitting(this.#byCodes(claim.make, claim.familyCodes), windows, releasedYear);
    if (family.length > 0) return { how: "family", rows: family };
    const market = this.#fitting(this.#byBases(claim), windows, releasedYear);
    return market.length > 0 ? { how: "market", rows: market } : null;
  }

  #byNames({ make, names }: ModelClaim): LifecycleRow[] {
    return unique(names.flatMap((name) => this.#byLabel.get(`${make}/${labelKey(make, name)}`) ?? []));
  }

  #byCodes(make: string, codes: readonly string[]): LifecycleRow[] {
    return unique(codes.flatMap((code) => this.#byCode.get(`${make}/${codeKey(code)}`) ?? []));
  }

  #byBases({ make, exactCodes, familyCodes }: ModelClaim): LifecycleRow[] {
    if (make !== "Samsung") return [];
    const bases = unique([...exactCodes, ...familyCodes].map((code) => samsungBaseOf(code) ?? ""));
    return unique(bases.flatMap((base) => this.#byBase.get(base) ?? []));
  }

  /** Names are used again (Nokia C3 of 2010 and 2020): the number and the known year must allow the row. */
  #fitting(
    rows: LifecycleRow[],
    windows: readonly YearWindow[],
    releasedYear: number | null,
  ): LifecycleRow[] {
    return rows.filter((row) => {
      const bounds = boundsOfDate(row.released);
      if (!bounds) return releasedYear === null || releasedYear >= 2017; // rows without a date are of 2017 and later
      const year = Number(bounds.from.slice(0, 4));
      if (releasedYear !== null && Math.abs(releasedYear - year) > 1) return false;
      return fitsNumber(windows, year);
    });
  }
}

/** Codes may be written with a region (`SM-A310F/DS`) or an old prefix (`SAMSUNG-SM-G900A`). */
const codeKey = (code: string): string =>
  code
    .toUpperCase()
    .replace(/^SAMSUNG-/, "")
    .replace(/\/DS$/, "")
    .trim();

const narrowed = (rows: readonly LifecycleRow[], by: readonly LifecycleRow[]): readonly LifecycleRow[] => {
  const both = rows.filter((row) => by.includes(row));
  return both.length > 0 ? both : rows;
};

const unique = <T>(items: readonly T[]): T[] => [...new Set(items)];

function addTo(map: Map<string, LifecycleRow[]>, key: string, row: LifecycleRow): void {
  const known = map.get(key);
  if (known) {
    if (!known.includes(row)) known.push(row);
  } else map.set(key, [row]);
}
