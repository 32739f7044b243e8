/**
 * Files that a registry of handsets exchanges with operators: a header, records, a trailer. Source: GSMA SG.18 "IMEI Database File Format
 * Specification" 5.1, of which the error table alone could be read (0001 to 0014): columns, separator and codes are therefore the
 * operator's to say, in a profile, from the document that the registry gave it.
 *
 *   mark of a header | ... organisation ...
 *   [mark of a record] | ... action, reason, first IMEI, last IMEI ...      14 digits each, both within
 *   mark of a trailer | ... count of records ...
 */

/** Columns are counted from 0. */
export type ExchangeProfile = {
  readonly separator: "," | ";" | "\t" | "|";
  readonly header: { readonly mark: string; readonly organisation: number };
  readonly trailer: { readonly mark: string; readonly count?: number | undefined };
  readonly record: {
    /** In column 0, where records have one. */
    readonly mark?: string | undefined;
    readonly action: number;
    readonly reason: number;
    readonly from: number;
    readonly to: number;
  };
  /** What the action column holds. */
  readonly insert: string;
  readonly remove: string;
  /** Reason codes of the registry, and what they mean. */
  readonly reasons: Readonly<Record<string, string>>;
  /** Whose files are taken, by the header; the first is in whose name we write. */
  readonly organisations: readonly string[];
};

export type ExchangeRecord = {
  readonly isRemoval: boolean;
  readonly from: string;
  readonly to: string;
  /** The code. */
  readonly reason: string;
  /** Who sent it. */
  readonly organisation: string;
};
type ExchangeLine = { readonly line: number; readonly cells: readonly string[] };
/** Undefined: header or trailer. `code`: of the registry's own error table; the line is passed over. */
type Taken =
  | { readonly record: ExchangeRecord }
  | { readonly code: string; readonly fault: string }
  | undefined;

/** The file cannot be taken as a whole. */
export class ExchangeError extends Error {
  override readonly name = "ExchangeError";
  /** Of the registry's own error table. */
  readonly code: string;
  constructor(code: string, fact: string) {
    super(`${code}: ${fact}`);
    this.code = code;
  }
}

const IMEI_DIGITS = 14;
const VALUE_CHARACTERS_MAX = 64;

export class ExchangeReader {
  readonly #profile: ExchangeProfile;
  #organisation: string | undefined;
  #records = 0;
  #hasEnded = false;

  constructor(profile: ExchangeProfile) {
    this.#profile = profile;
  }

  /** @throws ExchangeError `0004`, `0005`, `0006`, `0014` */
  take({ line, cells }: ExchangeLine): Taken {
    const { header, trailer } = this.#profile;
    const mark = cells[0]?.trim();
    if (this.#organisation === undefined) {
      if (mark !== header.mark) throw new ExchangeError("0006", `line ${line} is no header`);
      this.#organisation = this.#sender(cells[header.organisation]?.trim() ?? "");
      return undefined;
    }
    if (this.#hasEnded) throw new ExchangeError("0005", `line ${line} stands behind the trailer`);
    if (mark !== trailer.mark) {
      this.#records += 1;
      return this.#record(cells, this.#organisation);
    }
    this.#hasEnded = true;
    const said = trailer.count === undefined ? undefined : (cells[trailer.count]?.trim() ?? "");
    if (said !== undefined && (!/^\d{1,15}$/.test(said) || Number(said) !== this.#records))
      throw new ExchangeError("0005", `the trailer counts ${said}, and ${this.#records} records are there`);
    return undefined;
  }

  /** When there is no more. @throws ExchangeError `0006`, `0007` */
  end(): void {
    if (this.#organisation === undefined) throw new ExchangeError("0006", "the file has no header");
    if (!this.#hasEnded) throw new ExchangeError("0007", "the file has no trailer: it was cut short");
  }

  #sender(organisation: string): string {
    if (organisation === "") throw new ExchangeError("0004", "the header names no organisation");
    if (!this.#profile.organisations.includes(organisation))
      throw new ExchangeError("0014", "files of the header's organisation are not taken");
    return organisation;
  }

  #record(cells: readonly string[], organisation: string): Taken {
    const { record, insert, remove, reasons } = this.#profile;
    const [action, reason, from, to] = [record.action, record.reason, record.from, record.to].map((column) =>
      cells[column]?.trim(),
    );
    if (record.mark !== undefined && cells[0]?.trim() !== record.mark)
      return { code: "0011", fault: "it is neither record nor trailer" };
    if (!action || !reason || !from || !to) return { code: "0013", fault: "a field is missing" };
    if ([action, reason, from, to].some(({ length }) => length > VALUE_CHARACTERS_MAX))
      return { code: "0012", fault: "a value is too long" };
    if (action !== insert && action !== remove)
      return { code: "0012", fault: "the action is neither insert nor remove" };
    if (!isHandset(from) || !isHandset(to))
      return { code: "0009", fault: "first and last IMEI have 14 digits each" };
    if (to < from) return { code: "0009", fault: "the range ends before it begins" };
    if (!Object.hasOwn(reasons, reason)) return { code: "0010", fault: "the reason is not known" };
    return { record: { isRemoval: action === remove, from, to, reason, organisation } };
  }
}

const isHandset = (digits: string): boolean => digits.length === IMEI_DIGITS && /^\d+$/.test(digits);

/** Lines of a file in whose records everything is inserted, each with its end. */
export async function* writeExchange(
  profile: ExchangeProfile,
  records: AsyncIterable<Omit<ExchangeRecord, "isRemoval" | "organisation">>,
): AsyncGenerator<string> {
  const { separator, header, trailer, record, insert, organisations } = profile;
  const lineOf = (cells: Readonly<Record<number, string | undefined>>): string => {
    const last = Math.max(...Object.keys(cells).map(Number));
    return `${Array.from({ length: last + 1 }, (_, at) => cells[at] ?? "").join(separator)}\r\n`;
  };
  yield lineOf({ 0: header.mark, [header.organisation]: organisations[0] });
  let count = 0;
  for await (const { from, to, reason } of records) {
    count += 1;
    const cells = { [record.action]: insert, [record.reason]: reason, [record.from]: from, [record.to]: to };
    yield lineOf(record.mark === undefined ? cells : { ...cells, 0: record.mark });
  }
  yield lineOf({ 0: trailer.mark, ...(trailer.count !== undefined && { [trailer.count]: String(count) }) });
}
