/** What data/apn-doubtful.csv has to say, by the sets and the list of networks as they stand in data/. */
import { doubtsOf } from "../../kernel/settings/doubt.ts";
import {
  readAccessPoints,
  shippedCarrierRules,
  shippedFormerNames,
  shippedNetworks,
} from "./access-point-data.ts";

const COLUMNS = ["id", "mcc", "mnc", "apn", "field", "host", "reason"] as const;

export function doubtfulCsv(): string {
  const doubts = doubtsOf(readAccessPoints(), {
    networks: shippedNetworks(),
    carriers: shippedCarrierRules(),
    formerNames: shippedFormerNames(),
  });
  const lines = doubts.map((doubt) => COLUMNS.map((column) => cellOf(doubt[column])).join(","));
  return `${[COLUMNS.join(","), ...lines].join("\n")}\n`;
}

const cellOf = (text: string): string => (/[",\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text);
