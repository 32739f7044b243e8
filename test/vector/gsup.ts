/** GSUP and IPA as libosmo-gsup-client and osmo-hlr sent them, and as libosmocore's own tests have them; each names where it was found. */
import { readFileSync } from "node:fs";
import { join } from "node:path";

type GsupVector = { readonly id: string; readonly hex: string };

/** Those that have octets. */
export const GSUP_VECTORS: readonly GsupVector[] = JSON.parse(
  readFileSync(join(import.meta.dirname, "data", "probes", "gsup.json"), "utf8"),
).filter(({ hex }: Partial<GsupVector>) => hex);
