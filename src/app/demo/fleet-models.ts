/** Which real models a fleet is made of: many makes and years, each by a TAC of the shipped lists. */
import type { Device, DeviceCatalog } from "../../kernel/devices/catalog.ts";
import type { HandsetCapability, HandsetModel } from "../../sim/handset/phones.ts";

/** In an order that shows makes, years and roads side by side, however few phones are asked for. */
// biome-ignore format: a table
const TACS = [
  "10449733", // Samsung Galaxy S6 edge, 2015
  "35150104", // Nokia 2700 classic, 2009
  "01130000", // Apple iPhone 4, 2010
  "35155901", // Sony Ericsson K310, 2006
  "35000861", // Samsung Galaxy S25, 2025
  "86344104", // Huawei P20 lite, 2018
  "35158506", // LG G2, 2013
  "33504400", // Nokia 3100, 2003
  "35163707", // Sony Xperia Z3, 2014
  "86751306", // Xiaomi Redmi 9A, 2020
  "35352201", // Siemens A52, 2004
  "35104463", // Apple iPhone 13, 2021
  "35182205", // Samsung Galaxy S2, 2011
  "35152601", // Motorola C113, 2005
  "35067889", // Samsung Galaxy A51, 2019
  "35162403", // LG KE970 Shine, 2007
  "35212701", // BlackBerry Pearl 8100, 2006
  "86922902", // Huawei Honor 5X, 2015
  "35196510", // Sony Ericsson P900, 2003
  "35165105", // Nokia C2-03, 2011
  "35719706", // Fairphone 2, 2015
  "35151401", // Samsung SGH-D830, 2006
  "35081900", // Alcatel One Touch 715, 2003
  "35276509", // Sony Xperia XA2, 2018
  "35169006", // HTC One (M8), 2014
  "35014200", // Nokia 22, 2019
  "35158611", // Samsung Galaxy A11, 2020
  "35155301", // HTC S620 Excalibur, 2006
  "35719104", // Huawei U8510 IDEOS X3, 2011
  "35267708", // Google Pixel XL, 2016
  "35821704", // Sony Xperia Mini Pro, 2011
  "35170001", // LG L343i, 2005
  "01033900", // Nokia N-Gage QD, 2004
  "35186508", // Motorola Moto G5, 2017
  "86768502", // OnePlus One, 2014
  "35221203", // Samsung S5230 Star, 2009
  "01404600", // LG D321, 2014
  "35173506", // Nokia Lumia 1320, 2013
  "01124500", // Apple iPhone (first), 2007
  "86173503", // Xiaomi Redmi Note 3, 2016
] as const;

export function fleetModels(catalog: DeviceCatalog): HandsetModel[] {
  return TACS.map((tac) => {
    const device = catalog.deviceOf(tac);
    return {
      tac,
      make: device.make ?? "unknown",
      model: device.model ?? tac,
      capability: capabilityOf(device),
      ...radioOf(device),
    };
  });
}

/** By its generation: GERAN, UTRAN, E-UTRAN, NR (3GPP-RAT-Type); a model of which no list says it is served as it was when it came out. */
function radioOf({ networks, release }: Device): Pick<HandsetModel, "radioType"> {
  const known = networks.flatMap((text) => /^([2-5])G\b/.exec(text)?.[1] ?? []).map(Number);
  const year = Number(release?.from?.slice(0, 4) ?? release?.to.slice(0, 4) ?? Number.NaN);
  const newest = known.length > 0 ? Math.max(...known) : year >= 2014 ? 4 : year >= 2008 ? 3 : 2;
  return { radioType: RADIO_OF_GENERATION[newest] ?? GERAN };
}
const GERAN = 2;
const RADIO_OF_GENERATION: Readonly<Record<number, number>> = { 2: GERAN, 3: 1, 4: 6, 5: 51 };

/** What the real model takes; phones that take a document open it by themselves or ask, as their makes do. */
function capabilityOf({ capability, make }: Device): HandsetCapability {
  const opensBy = make === "Samsung" || make === "Huawei" || make === "Nokia" ? "prompt" : "itself";
  if (capability.omaCp === "yes") return { opensBy, takes: ["omacp", "device-key"] };
  if (capability.nokiaOta === "yes") return { opensBy, takes: ["nokiaota"] };
  return { opensBy, takes: [] };
}
