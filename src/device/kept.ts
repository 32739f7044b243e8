/**
 * What the client module keeps over the power switch, and what not: what the user typed is never kept, and a look at a screen is
 * not worth repeating. Reports and replies go out again until they arrive.
 */

import type { AddressBook } from "./address-book.ts";
import type { KeptAppState } from "./app-state.ts";
import { decodeIdentity, encodeIdentity, type StoredIdentity } from "./identity.ts";
import { NOTHING_RECEIVED, type ReceiveManager, type SendManager } from "./messaging.ts";
import type { Outbound } from "./outbound.ts";
import { type DeviceStore, readJson } from "./store.ts";

type KeptClient = {
  readonly app: KeptAppState;
  readonly outbox: SendManager<Outbound>;
  readonly received: ReceiveManager;
  readonly centre: string | null;
  /** Where each server's notices come from, by its name. */
  readonly centres: Readonly<Record<string, string>>;
};
type Kept = KeptClient & { readonly identity: StoredIdentity };

const IDENTITY = "identity";
const CLIENT = "client";
const ADDRESSES = "addresses";
const NEW_CLIENT: KeptClient = {
  app: { orders: [], ended: [], messages: [], alerts: [], provisionedOnce: false },
  outbox: [],
  received: NOTHING_RECEIVED,
  centre: null,
  centres: {},
};

/**
 * What the store has, and the maker's where it has nothing; a new device writes the maker's down. With another SIM the device is
 * another subscriber's: requests, messages and the key of notices go, and it enrols again; what is installed stays.
 *
 * @param factory its IMSI is that of the SIM that is in the device now
 */
export function readKept(store: DeviceStore, factory: StoredIdentity): Kept {
  const bytes = store.get(IDENTITY);
  const stored = bytes && decodeIdentity(bytes);
  const isSameSim = stored?.imsi === factory.imsi;
  const identity = stored && isSameSim ? stored : factory;
  const client = isSameSim ? readJson<KeptClient>(store, CLIENT) : undefined;
  if (!isSameSim) store.commit({ [IDENTITY]: encodeIdentity(identity), [CLIENT]: null });
  // What an older client module wrote down may lack what is new.
  return { ...NEW_CLIENT, ...client, identity };
}

export const keepIdentity = (store: DeviceStore, identity: StoredIdentity): void =>
  store.commit({ [IDENTITY]: encodeIdentity(identity) });

/** Undefined where the user never changed the maker's. */
export const addressesIn = (store: DeviceStore): AddressBook | undefined =>
  readJson<AddressBook>(store, ADDRESSES);

export const keepAddresses = (store: DeviceStore, addresses: AddressBook): void =>
  store.commit({ [ADDRESSES]: json(addresses) });

/** Writes only what changed: flash wears out. */
export function keepClient(store: DeviceStore, client: KeptClient): void {
  const outbox = client.outbox.filter(({ message }) => message.kind !== "screen");
  const bytes = json({ ...client, outbox });
  const before = store.get(CLIENT);
  if (!before || Buffer.compare(before, bytes) !== 0) store.commit({ [CLIENT]: bytes });
}

const json = (value: unknown): Uint8Array => new TextEncoder().encode(JSON.stringify(value));
