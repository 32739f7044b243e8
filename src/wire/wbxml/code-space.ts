/**
 * What a document type gives to WBXML: the meaning of its tokens, page by page.
 * Source: WAP-192-WBXML §5.8; the tokens come from each document type's own specification.
 */

/** A token that starts an attribute: its name, and the head of its value (all of it where nothing follows). */
export type AttributeStart = { readonly name: string; readonly prefix: string };

/** Page, then token. A hole is a token without meaning. */
export type Pages<T> = readonly (readonly (T | undefined)[])[];

/** One document type. */
export type CodeSpace = {
  /** For messages. */
  readonly title: string;
  /** First octet that an encoder writes; a decoder takes 01 to 03. */
  readonly version: number;
  /** The number of the public identifier, and its text where a document carries it in the string table. */
  readonly publicId: number;
  readonly publicIdText: string | null;
  /** Token without the two flag bits, 05 to 3F. */
  readonly tags: Pages<string>;
  /** Below 80. */
  readonly attributeStarts: Pages<AttributeStart>;
  /** From 85. */
  readonly attributeValues: Pages<string>;
  /** Whether an encoder looks for value tokens and prefixes inside longer values. */
  readonly splitsValues: boolean;
  /** Attributes whose value is written as OPAQUE: text to octets and back (undefined: not of that form). */
  readonly opaque?: {
    readonly attributes: readonly string[];
    readonly textOf: (octets: Uint8Array) => string | undefined;
    readonly octetsOf: (text: string) => Uint8Array | undefined;
  };
  /** Documents of another type that stand as OPAQUE octets in an element's content, known by their root. */
  readonly embedded?: { readonly root: string; readonly codeSpace: CodeSpace };
  /** The text that EXT_I_n, EXT_T_n and EXT_n stand for; without it they are refused. */
  readonly extension?: (index: number, argument: string | null) => string;
};

/** A table row: the first token, then one name a token, "-" for a hole. */
export type Row = readonly [firstToken: number, names: string];

/** Lays rows out as one page. */
export function page<T>(rows: readonly Row[], entryOf: (name: string) => T): (T | undefined)[] {
  const entries: (T | undefined)[] = [];
  for (const [first, names] of rows) {
    names.split(" ").forEach((name, index) => {
      if (name !== "-") entries[first + index] = entryOf(name);
    });
  }
  // A page without holes in the engine's sense: look-ups stay fast, and an unknown token reads as undefined.
  return Array.from(entries, (entry) => entry);
}
