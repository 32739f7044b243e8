/**
 * Which column of a TAC list says what: by the words of its header, in the generations of the GSMA's Device Map (2016 with
 * `Manufacturer` and `Internal Model Name`, 2021 with `Manufacturer (or) Applicant`), or as whoever brings the list says.
 */
import { TurnupError } from "../../term/error.ts";
import { entriesOf } from "../../term/record.ts";
import type { CsvRecord } from "../../wire/csv/csv.ts";

/** Our columns, each with the header words it is known by, the best first. */
const COLUMNS = {
  tac: ["tac", "type allocation code", "tac code"],
  make: ["make", "brand", "brand name", "vendor", "maker"],
  applicant: ["manufacturer", "manufacturer (or) applicant", "manufacturer/applicant", "applicant"],
  marketingName: ["marketing name"],
  model: ["model", "model name", "device"],
  internalName: ["internal model name"],
  modelCodes: ["model_codes", "model_code", "model codes", "hardware model", "codes"],
  names: ["marketing_names", "marketing_name", "names"],
  aka: ["aka", "alias", "aliases"],
  upstreamSource: ["upstream_source", "comment", "source"],
  releasedYear: ["released_year", "year", "released"],
  ageCheck: ["age_check"],
  dump: ["dump"],
} as const;
type Column = keyof typeof COLUMNS;
/** The place of each column, from 0. */
export type TacHeader = Partial<Record<Column, number>>;

/** What `--columns` says: our name to a place from 0 or to the header's word. */
export type ColumnMap = ReadonlyMap<string, number | string>;

/** Names that may be mapped, with what they stand for. */
const MAPPED: Readonly<Record<string, Column>> = {
  tac: "tac",
  make: "make",
  model: "model",
  name: "marketingName",
  codes: "modelCodes",
  aka: "aka",
  released: "releasedYear",
};
const MAP_NAMES = Object.keys(MAPPED).join(", ");
const PLACE_MAX = 255;

/**
 * Reads `tac=1,make=0,model=2` (places from 0) or `tac=TAC,make=Brand,model=SPECS` (words of the header).
 * @throws TurnupError `dataset_malformed`: not of this form, a name that is not known, or no tac
 */
export function parseColumnMap(text: string): ColumnMap {
  const columns = new Map<string, number | string>();
  for (const part of text.split(",")) {
    const [, name = "", place = ""] = /^\s*([a-z]+)\s*=\s*(.+?)\s*$/i.exec(part) ?? [];
    if (!Object.hasOwn(MAPPED, name) || columns.has(name)) throw badMap(part);
    columns.set(name, /^\d{1,3}$/.test(place) && Number(place) <= PLACE_MAX ? Number(place) : place);
  }
  if (!columns.has("tac")) throw badMap(text);
  return columns;
}

const badMap = (part: string): TurnupError =>
  new TurnupError("dataset_malformed", `The columns cannot be read at "${part.trim().slice(0, 40)}".`, {
    nextStep: `Name them as tac=1,make=0,model=2 (places from 0) or by the words of the header; known are ${MAP_NAMES}.`,
  });

/** The header that a record is, or undefined. */
export function headerOf({ cells }: CsvRecord): TacHeader | undefined {
  const words = cells.map(wordOfCell);
  const header: TacHeader = {};
  for (const [column, names] of entriesOf<Column, readonly string[]>(COLUMNS)) {
    const at = words.findIndex((word) => names.includes(word));
    if (at >= 0) header[column] = at;
  }
  if (header.tac === undefined) return undefined;
  const name = words.indexOf("name"); // the published Osmocom file calls both make and model `name`
  if (header.make === undefined && header.applicant === undefined && name >= 0) header.make = name;
  const second = words.indexOf("name", name + 1);
  if (header.model === undefined && name >= 0 && second >= 0) header.model = second;
  return header;
}

/** Whether the header has what a row needs. */
export const isWhole = ({ make, applicant, model, marketingName, modelCodes, names }: TacHeader): boolean =>
  (make ?? applicant) !== undefined && (model ?? marketingName ?? modelCodes ?? names) !== undefined;

/** The header that `--columns` makes of a record; undefined where it names words that the record does not hold. */
export function mappedHeader(columns: ColumnMap, { cells }: CsvRecord): TacHeader | undefined {
  const words = cells.map(wordOfCell);
  const header: TacHeader = {};
  for (const [name, place] of columns) {
    const column = MAPPED[name];
    const at = typeof place === "number" ? place : words.indexOf(place.toLowerCase());
    if (column === undefined || at < 0) return undefined;
    header[column] = at;
  }
  return header;
}

/** Whether places alone are named: then the list may have no header. */
export const isByPlace = (columns: ColumnMap): boolean =>
  [...columns.values()].every((place) => typeof place === "number");

const wordOfCell = (cell: string): string => cell.trim().toLowerCase();

/** @param seen what the first lines hold: a header that lacks something, or the first record of data */
export function noHeader(linesLooked: number, seen: CsvRecord | undefined): TurnupError {
  const words = seen?.cells.map((cell) => cell.trim().slice(0, 40)) ?? [];
  const at = words.findIndex((word) => /^(?:\d{7,8}|tac)$/i.test(word));
  const [first = 1, second = 2] = words.map((_, place) => place).filter((place) => place !== at);
  const example = at < 0 ? "tac=0,make=1,model=2" : `tac=${at},make=${first},model=${second}`;
  const isHeader = at >= 0 && !/\d/.test(words[at] ?? "");
  return new TurnupError(
    "dataset_malformed",
    isHeader
      ? `The header has tac and lacks make or model; its columns are ${words.join(", ")}.`
      : `The first ${linesLooked} lines hold no header with a column tac.`,
    {
      nextStep: `The header needs at least tac, make and model; or say which column is which: --columns ${example} (places from 0, or words of the header).`,
    },
  );
}
