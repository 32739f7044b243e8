/** Messages of Diameter as freeDiameter, python-diameter and go-diameter sent them; each names where it was found. */
import { readFileSync } from "node:fs";
import { join } from "node:path";

type DiameterVector = {
  readonly id: string;
  readonly source: string;
  readonly hex: string;
  readonly meaning: Readonly<Record<string, unknown>>;
};

export const DIAMETER_VECTORS: readonly DiameterVector[] = JSON.parse(
  readFileSync(join(import.meta.dirname, "data", "probes", "diameter.json"), "utf8"),
);
