/** The byte vectors of test/vector/data/oma-cp, as the tests read them. Each names where it was found. */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import type { Sec } from "../../src/wire/omacp/mac.ts";

export type Vector = {
  readonly id: string;
  readonly layer:
    | "wbxml"
    | "wbxml-ota"
    | "wbxml-si"
    | "wbxml-sl"
    | "wsp-push"
    | "sms-segments"
    | "smpp-submit_sm";
  /** The document for the wbxml layers, else the whole push. */
  readonly hex: string;
  /** User data with header, one a short message. */
  readonly segments?: readonly string[];
  readonly pdus?: readonly string[];
  /** The same document with a string table. */
  readonly hexStringTable?: string;
  readonly auth?: {
    readonly sec: Uppercase<Sec>;
    readonly pin?: string;
    readonly imsi?: string;
    readonly keyHex: string;
    readonly mac: string;
    readonly valid: boolean;
  };
  readonly expected: {
    readonly xml: string;
    readonly fields?: Readonly<Record<string, Readonly<Record<string, string>>>>;
    readonly wsp?: Readonly<Record<string, unknown>>;
    readonly udh?: readonly Readonly<Record<string, unknown>>[];
    readonly smpp?: Readonly<Record<string, unknown>>;
  };
};

export type ImsiKey = { readonly id: string; readonly imsi: string; readonly keyHex: string };

const FOLDER = join(import.meta.dirname, "data", "oma-cp");

function vectorsOf<T>(group: string): T[] {
  const { vectors } = JSON.parse(readFileSync(join(FOLDER, `${group}.json`), "utf8")) as { vectors: T[] };
  return vectors;
}

export const VECTORS: readonly Vector[] = ["prov-wbxml", "prov-push", "nokia-ota", "si-sl", "smpp"].flatMap(
  (group) => vectorsOf<Vector>(group),
);
export const IMSI_KEYS: readonly ImsiKey[] = vectorsOf("imsi-keys");

/** Documents as xml2wbxml -n writes them. */
export const LIBWBXML_PAGE_0: readonly { readonly id: string; readonly hex: string }[] =
  vectorsOf("libwbxml-page0");

export const isWbxmlLayer = ({ layer }: Vector): boolean => layer.startsWith("wbxml");
