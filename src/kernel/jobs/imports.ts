/** What an operator's own data are brought by: a file becomes a job, its rows are compared with those in use, and go live as a whole. */
import type { Acting } from "../account/person.ts";

/** Kinds of files that are imported as jobs. */
export const IMPORT_KINDS = [
  "tac",
  "models",
  "lifecycle",
  "capability",
  "menus",
  "apn",
  "networks",
  "carriers",
] as const;
type ImportFileKind = (typeof IMPORT_KINDS)[number];

/**
 * What is to be done with it. `dry_run`: nothing but to look. `approve`: a person says yes when they have seen what it changes.
 * `live`: it goes live by itself, save where it would lose too much.
 */
export const IMPORT_MODES = ["dry_run", "approve", "live"] as const;
type ImportMode = (typeof IMPORT_MODES)[number];

export type ImportAsked = {
  readonly kind: ImportFileKind;
  /** What answers call this source; the one before under the same name is replaced. */
  readonly name: string;
  readonly mode: ImportMode;
  /** Whose words these are. */
  readonly licence: string;
  /** Of a TAC list without a header that is known: `tac=1,make=0,model=2`. */
  readonly columns?: string | undefined;
  /** Of a lifecycle file that does not name it. */
  readonly make?: string | undefined;
};

export interface Imports {
  /**
   * Keeps the file as it comes, and answers its name here.
   * @throws TurnupError `input_too_long`
   */
  bring(
    operatorId: string,
    octets: AsyncIterable<Uint8Array>,
  ): Promise<{ readonly id: string; readonly sha256: string }>;
  /** Forgets a file that was brought and is not wanted. */
  drop(operatorId: string, fileId: string): Promise<void>;
  /** Asks for the job; the same file for the same purpose, while its job is open, is that job. Answers the job's id. */
  ask(
    operatorId: string,
    file: { readonly id: string; readonly sha256: string },
    asked: ImportAsked,
    by: Acting,
  ): Promise<string>;
  /**
   * Puts a former version of a data set back into use, in place of the one under its name.
   * @throws TurnupError `dataset_not_found`, `dataset_rows_gone`
   */
  restore(
    operatorId: string,
    datasetId: string,
    said: { readonly actor: string; readonly reason: string },
  ): Promise<void>;
}
