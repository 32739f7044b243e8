/**
 * Software modules on the device: what the maker put in (some of it asleep), and what came later (US 6,647,260 claims 2 to 4).
 *
 *   absent --module--> active --removal--> absent           software that came by a request
 *   dormant --activation--> active --removal--> dormant      software of the maker: it stays on the device
 *
 * A version is never downgraded, also not by removing and installing again: the highest version that ran is remembered.
 */
import { createHash, type KeyObject } from "node:crypto";
import {
  compareVersions,
  type ModuleRefusal,
  moduleRefusalOf,
  type SoftwareModule,
} from "../wire/message/module.ts";

type InstalledModule = {
  readonly name: string;
  readonly version: string;
  readonly vendor: string;
  readonly state: "active" | "dormant";
  readonly origin: "factory" | "request";
  /** SHA-256 of its software, in hex; null for what is burnt into the device. */
  readonly software: string | null;
  readonly octets: number;
};
export type ModuleSet = {
  readonly modules: readonly InstalledModule[];
  /** By name, the highest version that ever ran here. */
  readonly highest: Readonly<Record<string, string>>;
};
export const NO_MODULES: ModuleSet = { modules: [], highest: {} };

const MAX_MODULES = 32;
/** Software that came by requests, together. */
const MAX_SOFTWARE_TOTAL = 8_388_608;

type ModuleChange = {
  readonly modules: readonly SoftwareModule[];
  readonly activations: readonly string[];
  readonly removals: readonly string[];
};
export type ModuleFault =
  | ModuleRefusal
  | "older_version"
  | "other_software"
  | "unknown_module"
  | "memory_full";
type ModulesChanged =
  | { readonly kind: "changed"; readonly set: ModuleSet; readonly software: readonly Uint8Array[] }
  | { readonly kind: "refused"; readonly fault: ModuleFault; readonly name: string };

/** All of a change or nothing of it: modules first, then activations, then removals. */
export function changeModules(
  before: ModuleSet,
  { modules, activations, removals }: ModuleChange,
  vendorKeyOf: (vendor: string) => KeyObject | undefined,
): ModulesChanged {
  let set = before;
  for (const module of modules) {
    const fault = moduleRefusalOf(module, vendorKeyOf) ?? versionFaultOf(set, module);
    if (fault) return { kind: "refused", fault, name: module.name };
    set = withModule(set, module);
  }
  for (const name of activations) {
    if (!findModule(set, name)) return { kind: "refused", fault: "unknown_module", name };
    set = withState(set, name, "active");
  }
  for (const name of removals) set = withoutModule(set, name);
  const total = set.modules.reduce((sum, { octets }) => sum + octets, 0);
  if (set.modules.length > MAX_MODULES || total > MAX_SOFTWARE_TOTAL)
    return { kind: "refused", fault: "memory_full", name: modules[0]?.name ?? "" };
  return { kind: "changed", set, software: modules.map(({ bytes }) => bytes) };
}

export const findModule = ({ modules }: ModuleSet, name: string): InstalledModule | undefined =>
  modules.find((module) => module.name === name);

/** The maker's software, as it leaves the factory. */
export const factoryModules = (
  modules: readonly Pick<InstalledModule, "name" | "version" | "vendor" | "state">[],
): ModuleSet => ({
  modules: modules.map((module) => ({ ...module, origin: "factory", software: null, octets: 0 })),
  highest: Object.fromEntries(modules.map(({ name, version }) => [name, version])),
});

function versionFaultOf(set: ModuleSet, module: SoftwareModule): ModuleFault | undefined {
  const highest = Object.hasOwn(set.highest, module.name) ? set.highest[module.name] : undefined;
  if (highest === undefined) return undefined;
  const order = compareVersions(module.version, highest);
  if (order < 0) return "older_version";
  const present = findModule(set, module.name);
  const isOther = present !== undefined && present.software !== digestOf(module.bytes);
  return order === 0 && isOther ? "other_software" : undefined;
}

function withModule(set: ModuleSet, { name, version, vendor, bytes }: SoftwareModule): ModuleSet {
  const module: InstalledModule = {
    name,
    version,
    vendor,
    state: "active",
    origin: "request",
    software: digestOf(bytes),
    octets: bytes.length,
  };
  return {
    modules: [...set.modules.filter((other) => other.name !== name), module],
    highest: { ...set.highest, [name]: version },
  };
}

const withState = (set: ModuleSet, name: string, state: InstalledModule["state"]): ModuleSet => ({
  ...set,
  modules: set.modules.map((module) => (module.name === name ? { ...module, state } : module)),
});

const withoutModule = (set: ModuleSet, name: string): ModuleSet =>
  findModule(set, name)?.origin === "factory"
    ? withState(set, name, "dormant")
    : { ...set, modules: set.modules.filter((module) => module.name !== name) };

const digestOf = (bytes: Uint8Array): string => createHash("sha256").update(bytes).digest("hex");
