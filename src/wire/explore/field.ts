/** What the explorer tells of a message: each layer that was met with its fields, and what is wrong with them. */
import { hexOf } from "../hex.ts";
import type { MacSecret, Sec } from "../omacp/mac.ts";

/** `offset` counts in the octets of its layer; `octets` are there in hexadecimal, cut after {@link SHOWN_OCTETS}. */
export type ExploredField = {
  readonly name: string;
  readonly offset: number;
  readonly length: number;
  readonly octets: string;
  readonly value: string;
  /** In words, where the value alone does not say it. */
  readonly meaning: string | null;
  /** Where the field is defined. */
  readonly clause: string;
};

/** `at` is where the layer begins in the one that carries it; null where it was put together of several. */
export type ExploredLayer = {
  readonly layer: string;
  readonly title: string;
  readonly at: number | null;
  readonly length: number;
  readonly fields: readonly ExploredField[];
};

/** What is wrong, or what a phone stumbles over. `code` is stable; `offset` counts in the octets of `layer`. */
export type Finding = {
  readonly code: string;
  readonly layer: string;
  readonly offset: number | null;
  readonly fact: string;
  readonly clause: string | null;
};

/** Of one field: a document's own octets are shown by their fields. */
const SHOWN_OCTETS = 64;

/** Tells fields of one layer from its octets. */
export const fieldsOf =
  (bytes: Uint8Array) =>
  (
    name: string,
    [offset, end]: readonly [number, number],
    told: {
      readonly value: string | number;
      readonly meaning?: string | null | undefined;
      readonly clause: string;
    },
  ): ExploredField => ({
    name,
    offset,
    length: end - offset,
    octets: hexOf(bytes.subarray(offset, Math.min(end, offset + SHOWN_OCTETS))),
    value: String(told.value),
    meaning: told.meaning ?? null,
    clause: told.clause,
  });

/** What the message does not say: the secret that its MAC is checked by; SEC and MAC of a document without its push. */
export type ExploreOptions = {
  readonly secret?: MacSecret | undefined;
  readonly sec?: Sec | undefined;
  readonly mac?: string | undefined;
};

/** What was read of one message. */
export type Explored = {
  readonly layers: readonly ExploredLayer[];
  /** The document as XML, where there is one. */
  readonly xml: string | null;
  /** `isRight` null: the secret was not given. */
  readonly signature: {
    readonly sec: Sec;
    readonly mac: string | null;
    readonly isRight: boolean | null;
  } | null;
  readonly findings: readonly Finding[];
};
export const NOTHING_READ: Explored = { layers: [], xml: null, signature: null, findings: [] };

/** Whence a message was taken; `packets` as the capture counts them. */
export type Source = {
  readonly source: string | null;
  readonly destination: string | null;
  readonly stream: string | null;
  readonly packets: readonly number[];
};
export type ExploredMessage = Source & Explored;
