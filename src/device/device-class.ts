/**
 * Classes of devices that run this client, with what they show and how they ask for it (US 6,647,260 column 3). All have
 * the keys of its Fig. 2; they differ in their display.
 */
import type { Display } from "../wire/screen/keypad-layout.ts";

export const DEVICE_CLASSES = ["phone", "pager", "pda", "palm", "remote"] as const;
export type DeviceClass = (typeof DEVICE_CLASSES)[number];

const DISPLAY: Readonly<Record<DeviceClass, Display>> = {
  phone: { columns: 16, lines: 4 },
  pager: { columns: 20, lines: 8 },
  pda: { columns: 26, lines: 12 },
  palm: { columns: 40, lines: 16 },
  remote: { columns: 12, lines: 2 },
};

export const displayOfClass = (deviceClass: DeviceClass): Display => DISPLAY[deviceClass];

/** What a request tells of the device, where its model is not known (`AIR_HEADERS.capability`). */
export function capabilityOf(deviceClass: DeviceClass): string {
  const { columns, lines } = DISPLAY[deviceClass];
  return `markups=screen+json; screen=${columns}x${lines}; class=${deviceClass}`;
}
