/** Which real models a fleet is made of: many makes and years, each with a TAC of the shipped lists and what it takes. */
import type { Device, DeviceCatalog } from "../kernel/devices/catalog.ts";
import type { HandsetCapability, HandsetModel } from "../sim/handset/phones.ts";

/** Makes of the old and new phones that subscribers of small operators bring. */
const MAKES = [
  "Samsung",
  "Nokia",
  "Huawei",
  "Sony Ericsson",
  "LG",
  "Sony",
  "Apple",
  "Motorola",
  "Siemens",
  "Alcatel",
  "HTC",
  "BlackBerry",
  "Xiaomi",
  "ZTE",
  "Google",
] as const;
const YEARS_PER_MAKE = 6;
/** Years that stand apart, so that a small fleet shows old and new side by side. */
const SPREAD_YEARS = 3;

/** The same catalog gives the same models, oldest and newest of each make mixed. */
export function fleetModels(catalog: DeviceCatalog, tacs: Iterable<string>): HandsetModel[] {
  const byMake = new Map<string, Map<number, Device>>();
  for (const tac of tacs) {
    const device = catalog.deviceOf(tac);
    if (!device.make || !device.model || device.releasedYear === null || device.form === "modem") continue;
    if (!MAKES.some((make) => make === device.make)) continue;
    const years = byMake.get(device.make) ?? new Map<number, Device>();
    const slot = Math.floor(device.releasedYear / SPREAD_YEARS);
    // The first by TAC of each slot: the order of the list must not matter.
    const known = years.get(slot);
    if (!known || device.tac < known.tac) years.set(slot, device);
    byMake.set(device.make, years);
  }
  const columns = MAKES.flatMap((make) => {
    const years = [...(byMake.get(make) ?? [])]
      .sort(([one], [other]) => one - other)
      .map(([, device]) => device);
    return years.length === 0 ? [] : [years.slice(-YEARS_PER_MAKE)];
  });
  const models: HandsetModel[] = [];
  for (let at = 0; columns.some((column) => at < column.length); at++) {
    for (const column of columns) {
      const device = column[at];
      if (device) models.push(modelOf(device));
    }
  }
  return models;
}

function modelOf(device: Device): HandsetModel {
  return { tac: device.tac, make: device.make!, model: device.model!, capability: capabilityOf(device) };
}

/** What the real model takes; phones that take a document open it by themselves or ask, as their makes do. */
function capabilityOf({ capability, make }: Device): HandsetCapability {
  const opensBy = make === "Samsung" || make === "Huawei" || make === "Nokia" ? "prompt" : "itself";
  if (capability.omaCp === "yes") return { opensBy, takes: ["omacp", "device-key"] };
  if (capability.nokiaOta === "yes") return { opensBy, takes: ["nokiaota"] };
  return { opensBy, takes: [] };
}
