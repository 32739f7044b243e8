/** What is known of one setting, whichever way it is given. */
import type { TSchema } from "typebox";

export type Setting = {
  readonly section: string;
  /** In code: `publicUrl`. */
  readonly key: string;
  /** In the file: `http.public_url`. */
  readonly name: string;
  readonly variable: string;
  /** The same by the number of its entry, where its section may stand several times. */
  readonly alias?: string;
  /** Of which entry it is, where its section stands several times. */
  readonly entry?: number;
  readonly schema: Annotated;
};
/** What `settings.ts` writes into a schema beside JSON Schema's own words. */
export type Annotated = TSchema & {
  readonly type: "string" | "integer" | "boolean" | "array";
  readonly description: string;
  readonly default?: string | number | boolean;
  readonly enum?: readonly string[];
  readonly minimum?: number;
  readonly maximum?: number;
  readonly maxLength?: number;
  readonly unit?: string;
  readonly secret?: boolean;
  readonly isPath?: boolean;
  /** A file with it is refused where every user of the machine can read it. */
  readonly ownerOnly?: boolean;
  readonly allowed?: string;
  readonly is?: "host" | "url" | "database";
  /** In words, a default that depends on the machine. */
  readonly standsFor?: string;
};
