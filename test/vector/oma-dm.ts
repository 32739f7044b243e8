/** The vectors of test/vector/data/oma-dm, as the tests read them. Each names where it was found or how it was made. */
import { readFileSync } from "node:fs";
import { join } from "node:path";

export type DmVector = {
  readonly id: string;
  readonly group: "auth" | "package0" | "session" | "bootstrap";
  readonly hex?: string;
  readonly xml?: string;
  readonly text?: string;
  /** What another encoder makes of the XML. */
  readonly expectXml?: string;
  readonly smsUserDataHex?: string;
  readonly mac?: Readonly<Record<string, string>>;
  readonly input?: Readonly<Record<string, string | number>>;
};

export const DM_VECTORS: readonly DmVector[] = JSON.parse(
  readFileSync(join(import.meta.dirname, "data/oma-dm/vectors.json"), "utf8"),
).vectors;

/** @throws Error: there is none of that name */
export function dmVector(id: string): DmVector {
  const found = DM_VECTORS.find((vector) => vector.id === id);
  if (!found) throw new Error(`no vector ${id}`);
  return found;
}
