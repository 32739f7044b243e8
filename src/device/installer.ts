/**
 * Puts the content of a request onto the device: checks it, writes its software, and then takes all of it over by one commit
 * (US 6,647,260 Fig. 5, 508; column 6). The device decides itself whether that worked (Fig. 7B, 742).
 *
 *   checked -> software written and synced -> one commit: modules, parameters, security data, the record of the item
 *
 * Cut anywhere before the commit, the device is as it was; software that nothing names is cleared away at the next start.
 * Security data stands under keys of its own, and no view of the device shows it.
 */
import type { KeyObject } from "node:crypto";
import { type Content, type ContentRefusal, verifyContent } from "../wire/message/content.ts";
import { changeModules, findModule, type ModuleFault, type ModuleSet, NO_MODULES } from "./modules.ts";
import { type Changes, type DeviceStore, readJson, StorageFullError } from "./store.ts";

type InstallFault = ContentRefusal | ModuleFault | "other_item";
export type Installed =
  | { readonly kind: "installed"; readonly repeated: boolean; readonly record: InstallRecord }
  | { readonly kind: "failed"; readonly fault: InstallFault; readonly detail: string };

/** What was installed for one item of a request. */
type InstallRecord = {
  readonly reference: string;
  readonly itemId: string;
  readonly at: string;
  readonly modules: readonly string[];
  readonly activations: readonly string[];
  readonly removals: readonly string[];
  readonly parameters: Readonly<Record<string, string>>;
};

type InstallerOptions = {
  readonly store: DeviceStore;
  /** The device's own. */
  readonly imei: string;
  issuerKeyOf(issuer: string): KeyObject | undefined;
  vendorKeyOf(vendor: string): KeyObject | undefined;
  /** What the maker put into a new device. */
  readonly factory?: ModuleSet;
};
export type Installer = ReturnType<typeof createInstaller>;

const MAX_RECORDS = 64;
const MAX_SECRETS = 128;
const MODULES = "modules";
const RECORD = "item/";
const SECRET = "secret/";
const keyOf = (prefix: string, reference: string, itemId: string): string =>
  `${prefix}${reference}/${itemId}`;

/** The item that content must be of; null where any of the request will do. */
type Wanted = { readonly reference: string; readonly itemId: string | null };

export function createInstaller(options: InstallerOptions) {
  const { store } = options;
  store.keepBlobs(softwareOf(moduleSetOf(options)));
  return {
    install: (bytes: Uint8Array, wanted: Wanted, now: Date): Installed =>
      install(options, bytes, wanted, now),
    modules: (): ModuleSet => moduleSetOf(options),
    records: (): readonly InstallRecord[] => recordsIn(store),
    /** Parameters of all items, the youngest last word on each name. */
    parameters: (): Readonly<Record<string, string>> =>
      Object.assign({}, ...recordsIn(store).map(({ parameters }) => parameters)),
    /** Software of an active module, whole; undefined where the device has none of its own for it. */
    softwareOf(name: string): Uint8Array | undefined {
      const module = findModule(moduleSetOf(options), name);
      return module?.state === "active" && module.software ? store.blob(module.software) : undefined;
    },
    /** Passwords and keys that came for an item: for the device's own applications. */
    securityOf: (reference: string, itemId: string) => securityIn(store, reference, itemId),
    /** Access data that came by SMS, kept like what came with content; false where there is no room for it. */
    keepSecurity: (reference: string, itemId: string, values: Readonly<Record<string, string>>): boolean =>
      keepSecurity(store, reference, itemId, values),
  };
}

/** Content for one item. Content that was installed before is installed still, and nothing is done again. */
function install(options: InstallerOptions, bytes: Uint8Array, wanted: Wanted, now: Date): Installed {
  const { store, imei, issuerKeyOf, vendorKeyOf } = options;
  const verdict = verifyContent(bytes, issuerKeyOf, imei, now);
  if (verdict.kind === "refused") return failed(verdict.reason, verdict.detail);
  const { content } = verdict;
  const { reference, itemId } = content;
  if (reference !== wanted.reference || (wanted.itemId !== null && itemId !== wanted.itemId))
    return failed("other_item", "content of another request or item");
  const before = readJson<InstallRecord>(store, keyOf(RECORD, reference, itemId));
  if (before) return { kind: "installed", repeated: true, record: before };
  const changed = changeModules(moduleSetOf(options), content, vendorKeyOf);
  if (changed.kind === "refused") return failed(changed.fault, `module ${changed.name}`);
  try {
    for (const software of changed.software) store.putBlob(software);
    const record = recordOf(content, now);
    store.commit({ ...changesOf(content, record), ...spaceFor(store), [MODULES]: json(changed.set) });
    store.keepBlobs(softwareOf(changed.set));
    return { kind: "installed", repeated: false, record };
  } catch (error) {
    if (!(error instanceof StorageFullError)) throw error;
    store.keepBlobs(softwareOf(moduleSetOf(options))); // software that nothing names would fill what is left
    return failed("memory_full", error.message);
  }
}

const moduleSetOf = ({ store, factory = NO_MODULES }: InstallerOptions): ModuleSet =>
  readJson<ModuleSet>(store, MODULES) ?? factory;

const recordsIn = (store: DeviceStore): readonly InstallRecord[] =>
  store
    .keys(RECORD)
    .flatMap((key) => readJson<InstallRecord>(store, key) ?? [])
    .toSorted((a, b) => a.at.localeCompare(b.at));

const securityIn = (
  store: DeviceStore,
  reference: string,
  itemId: string,
): Readonly<Record<string, string>> =>
  readJson<Readonly<Record<string, string>>>(store, keyOf(SECRET, reference, itemId)) ?? {};

function keepSecurity(
  store: DeviceStore,
  reference: string,
  itemId: string,
  values: Readonly<Record<string, string>>,
): boolean {
  const key = keyOf(SECRET, reference, itemId);
  const isNew = store.get(key) === undefined;
  if (isNew && store.keys(SECRET).length >= MAX_SECRETS) return false;
  try {
    store.commit({ [key]: json({ ...securityIn(store, reference, itemId), ...values }) });
    return true;
  } catch (error) {
    if (error instanceof StorageFullError) return false;
    throw error;
  }
}

function changesOf(content: Content, record: InstallRecord): Changes {
  const { reference, itemId, security } = content;
  const secrets =
    Object.keys(security).length > 0 ? { [keyOf(SECRET, reference, itemId)]: json(security) } : {};
  return { [keyOf(RECORD, reference, itemId)]: json(record), ...secrets };
}

/** The oldest record goes when there are too many; what it installed stays. */
function spaceFor(store: DeviceStore): Changes {
  const records = store
    .keys(RECORD)
    .map((key) => ({ key, at: readJson<InstallRecord>(store, key)?.at ?? "" }));
  const surplus = records
    .toSorted((a, b) => a.at.localeCompare(b.at))
    .slice(0, Math.max(0, records.length - MAX_RECORDS + 1));
  return Object.fromEntries(surplus.map(({ key }) => [key, null]));
}

const recordOf = (
  { reference, itemId, modules, activations, removals, parameters }: Content,
  now: Date,
): InstallRecord => ({
  reference,
  itemId,
  at: now.toISOString(),
  modules: modules.map(({ name, version }) => `${name} ${version}`),
  activations,
  removals,
  parameters,
});

const softwareOf = ({ modules }: ModuleSet): string[] => modules.flatMap(({ software }) => software ?? []);

const failed = (fault: InstallFault, detail: string): Installed => ({ kind: "failed", fault, detail });

const json = (value: unknown): Uint8Array => new TextEncoder().encode(JSON.stringify(value));
