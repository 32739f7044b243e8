/** Octets of a data file, unpacked if gzip, with the digest that names its version. */

import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { TurnupError } from "../../term/error.ts";
import { assured } from "../../term/narrow.ts";
import { decodedText } from "../../wire/csv/text.ts";
import { DATASETS, type DatasetKind } from "./datasets.ts";
import { shippedDataFolder } from "./folder.ts";
import { isGzip, unpacked } from "./gzip.ts";

/** Largest unpacked data file, in octets: a national TAC list of 300,000 rows is about 30 MB. */
const DATASET_OCTETS_MAX = 512 * 1024 * 1024;

export type DatasetContent = {
  readonly kind: string;
  readonly name: string;
  readonly sha256: string;
  /** The first 12 hexadecimal digits of `sha256`: enough to tell two versions apart. */
  readonly version: string;
  readonly text: string;
};

/** @throws TurnupError `dataset_missing`, `dataset_malformed` */
export function readShippedContent(kind: DatasetKind, folder = shippedDataFolder()): DatasetContent {
  const { file } = assured(
    DATASETS.find((dataset) => dataset.kind === kind),
    "each kind has its file",
  );
  let octets: Buffer;
  try {
    octets = readFileSync(join(folder, file));
  } catch (cause) {
    throw new TurnupError("dataset_missing", `The data file ${file} cannot be read from ${folder}.`, {
      cause,
      nextStep: "Install the package again; its folder data/ belongs to it.",
    });
  }
  return contentOf(kind, file, octets);
}

/** @throws TurnupError `dataset_malformed`: broken gzip, or more than `DATASET_OCTETS_MAX` */
export function contentOf(kind: string, name: string, octets: Uint8Array): DatasetContent {
  const sha256 = createHash("sha256").update(octets).digest("hex");
  return { kind, name, sha256, version: sha256.slice(0, 12), text: textOf(name, octets) };
}

function textOf(name: string, octets: Uint8Array): string {
  if (!isGzip(octets)) return decodedText(octets);
  try {
    return decodedText(unpacked(octets, DATASET_OCTETS_MAX));
  } catch (cause) {
    throw new TurnupError("dataset_malformed", `${name} is no gzip file or unpacks to too much.`, { cause });
  }
}
