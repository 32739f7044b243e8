/** Packets of RADIUS as gateways and FreeRADIUS sent them; each names where it was found, and what an independent server answered. */
import { readFileSync } from "node:fs";
import { join } from "node:path";

type RadiusVector = {
  readonly id: string;
  readonly source: string;
  readonly secret?: string;
  readonly hex: string;
  readonly answer?: string;
  readonly meaning: Readonly<Record<string, unknown>>;
};

export const RADIUS_VECTORS: readonly RadiusVector[] = JSON.parse(
  readFileSync(join(import.meta.dirname, "data", "probes", "radius.json"), "utf8"),
);
