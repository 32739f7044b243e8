/**
 * What an item of the catalog needs of a model's hardware, and whether the model has it, by what lists of models say (US 11,109,201
 * Fig. 2:250; R78, R125). What nobody knows decides nothing.
 */
import { serviceOf } from "./bands.ts";
import type { Device } from "./catalog.ts";
import type { ModelClass } from "./device-class.ts";

/** Parts of a device that an item may be of no use without. */
export const HARDWARE = ["camera", "screen"] as const;

export type HardwareNeeds = {
  readonly hardware?: readonly (typeof HARDWARE)[number][];
  /** `240x320`: at least so many pixels, whichever way the device is held. */
  readonly screen?: string;
  /** Radio bands as lists write them, `LTE 800`: one of them is enough. */
  readonly bands?: readonly string[];
  /** The classes of devices that it is for. */
  readonly classes?: readonly ModelClass[];
};

/** What of its needs a model is known to be without. */
export const LACKS = ["camera", "screen", "bands", "class"] as const;
export type Lack = (typeof LACKS)[number];

/** The first of its needs that the model is known not to meet; undefined where there is none. */
export function lackOf(
  { hardware = [], screen, bands = [], classes = [] }: HardwareNeeds,
  model: Pick<Device, "camera" | "screen" | "bands" | "modelClass">,
): Lack | undefined {
  const { modelClass } = model;
  if (classes.length > 0 && modelClass !== null && !classes.includes(modelClass)) return "class";
  if (hardware.includes("camera") && isWithout(model.camera)) return "camera";
  if (hardware.includes("screen") && modelClass === "modem") return "screen";
  if (screen !== undefined && isSmaller(model.screen, screen)) return "screen";
  if (bands.length > 0 && serviceOf(model.bands, bands).answer === "no") return "bands";
  return undefined;
}

/** `none`, `no`, `0 MP`; anything else says that it is there, and null that nobody knows. */
const isWithout = (text: string | null): boolean =>
  text !== null &&
  /^(?:no(?:ne|t present)?|without|-|0(?:\.0+)?(?:\s*(?:MP|megapixels?))?)$/i.test(text.trim());

export const SCREEN_PIXELS = /^([1-9]\d{1,3})x([1-9]\d{1,3})$/;

function isSmaller(has: Device["screen"], wanted: string): boolean {
  const [, width, height] = SCREEN_PIXELS.exec(wanted) ?? [];
  if (!has?.widthPx || !has.heightPx || width === undefined || height === undefined) return false;
  const [short, long] = inOrder(has.widthPx, has.heightPx);
  const [shortest, longest] = inOrder(Number(width), Number(height));
  return short < shortest || long < longest;
}

const inOrder = (one: number, other: number): readonly [number, number] =>
  one < other ? [one, other] : [other, one];
