/**
 * What an operator says itself about devices, above all data: of one handset, of a TAC, of a model. Kept by keys that name
 * each, so that a device is looked up by as many as there are scopes.
 */
import type { Device } from "../devices/catalog.ts";
import type { SettingsForm } from "../devices/form-names.ts";
import type { SupportOverride } from "./decide-support.ts";

type Overrides = ReadonlyMap<string, SupportOverride>;

/** What a device is known by in an operator's words. */
type OverrideKeys = {
  /** Blind index of the first 14 digits of its IMEI, in hexadecimal: no IMEI stands in a key. */
  readonly imeiIndex: string;
  readonly tac: string;
  readonly make: string | null;
  readonly model: string | null;
};

/** The words that fit the device, the most specific first: IMEI, then TAC, then model. */
export function overridesFor(
  overrides: Overrides,
  { imeiIndex, tac, make, model }: OverrideKeys,
): readonly SupportOverride[] {
  return [`imei:${imeiIndex}`, `tac:${tac}`, `model:${make}/${model}`.toLowerCase()].flatMap(
    (key) => overrides.get(key) ?? [],
  );
}

/** The most specific word about the verdict; one that is about something else leaves it to a wider one. */
export const overrideOfVerdict = (fitting: readonly SupportOverride[]): SupportOverride | null =>
  fitting.find(({ verdict }) => verdict) ?? null;

/** Access points that nobody may set on the device: by the most specific word, else by the data (R127). */
export function blockedOn(
  device: Pick<Device, "blocked">,
  fitting: readonly SupportOverride[],
): Device["blocked"] {
  const said = fitting.find(({ blockedUses }) => blockedUses !== undefined)?.blockedUses;
  if (said === undefined) return device.blocked;
  return said.length === 0 ? null : { uses: said, source: "the operator's own word" };
}

/** The form that the most specific word names; undefined where none names one. */
export const saidOfForm = (fitting: readonly SupportOverride[]): SettingsForm | undefined =>
  fitting.find(({ settingsForm }) => settingsForm !== undefined)?.settingsForm;

/** What the most specific word says of device keys; undefined where none says anything. */
export const saidOfKey = (fitting: readonly SupportOverride[]): boolean | undefined =>
  fitting.find(({ takesKey }) => takesKey !== undefined)?.takesKey;
