/** Which TACs are of a model: the lists are read once, however many models are asked for. */
import { groupBy } from "../../term/collections.ts";
import type { Device, DeviceCatalog } from "./catalog.ts";
import { isModelListed, labelKey, makeOf } from "./names.ts";
import type { TacRow } from "./rows.ts";

/** More TACs than any model has. */
const TACS_OF_MODEL_MAX = 5_000;

type Wanted = {
  readonly pattern: string;
  readonly make: string;
  readonly key: string;
  /** Codes that the data has for the name: many lists tell these alone. */
  readonly codes: readonly string[];
  readonly tacs: Set<string>;
};

/** By `make/model` as it was asked, the TACs that the catalog knows so, by name or code; empty where it knows none. */
export function tacsOfModels(
  catalog: DeviceCatalog,
  models: readonly string[],
): ReadonlyMap<string, readonly string[]> {
  const wanted = [...new Set(models)].map((pattern) => wantedOf(catalog, pattern));
  const byMake = groupBy(wanted, ({ make }) => make.toLowerCase());
  const makes = new Map<string, readonly Wanted[]>();
  for (const { rows } of catalog.data.tac) {
    for (const row of rows) {
      const asked = makes.get(row.make) ?? askedOf(byMake, row.make);
      makes.set(row.make, asked);
      for (const one of asked) {
        if (one.tacs.size >= TACS_OF_MODEL_MAX || one.tacs.has(row.tac) || !mayBe(row, one)) continue;
        if (isOf(catalog.deviceOf(row.tac), one.pattern)) one.tacs.add(row.tac);
      }
    }
  }
  return new Map(wanted.map(({ pattern, tacs }) => [pattern, [...tacs]]));
}

function wantedOf({ data }: DeviceCatalog, pattern: string): Wanted {
  const slash = pattern.indexOf("/");
  const make = makeOf(pattern.slice(0, Math.max(0, slash)));
  const key = labelKey(make, pattern.slice(slash + 1));
  const ofLifecycle = data.lifecycle.rows.filter(
    (row) => row.make === make && labelKey(make, row.label) === key,
  );
  const ofFacts = data.facts.rows.filter(
    (row) => makeOf(row.make) === make && labelKey(make, row.name) === key,
  );
  const codes = [...ofLifecycle, ...ofFacts].flatMap(({ modelCodes }) => modelCodes);
  return { pattern, make, key, codes: codes.map((code) => code.toUpperCase()), tacs: new Set() };
}

/** HMD's phones are listed under either name. */
function askedOf(byMake: ReadonlyMap<string, readonly Wanted[]>, listed: string): readonly Wanted[] {
  const make = makeOf(listed).toLowerCase();
  return [...(byMake.get(make) ?? []), ...(make === "hmd" ? (byMake.get("nokia") ?? []) : [])];
}

/** A cheap look at what the list says; the catalog itself then decides. */
function mayBe({ model, names, aka, modelCodes }: TacRow, { make, key, codes }: Wanted): boolean {
  return [model, ...names, ...aka, ...modelCodes].some((text) => {
    if (labelKey(make, text).includes(key)) return true;
    const capitals = text.toUpperCase();
    return codes.some((code) => capitals.includes(code));
  });
}

const isOf = ({ make, model, modelCodes }: Device, pattern: string): boolean =>
  make !== null && [model ?? "", ...modelCodes].some((name) => isModelListed(pattern, make, name));
