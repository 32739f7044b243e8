/** The lists of handsets by which cores are answered, named in a file; paths in it are relative to it. */
import { dirname, resolve } from "node:path";
import { EQUIPMENT_LISTS_MAX } from "../../kernel/equipment/status-index.ts";
import type { EquipmentRules } from "../../kernel/equipment/verdict.ts";
import { integer, list, object, oneOf, optional, text } from "../../wire/message/shape.ts";
import type { Config } from "./config.ts";
import { invalidPlaces, placeName, readPlaces, twiceIn } from "./places-file.ts";

const NEXT = "See Equipment lists in docs/operations.md for the form of the file.";
const readLists = list(
  object({
    name: placeName,
    status: optional(oneOf(["white", "grey", "black"])),
    priority: integer({ min: 0, max: 1_000_000 }),
    file: optional(text({ max: 1_000 })),
    statusFile: optional(text({ max: 1_000 })),
    operator: optional(text({ max: 64 })),
  }),
  { min: 1, max: 1_000 },
);

type EquipmentListPlace = {
  readonly name: string;
  readonly status: "white" | "grey" | "black";
  readonly priority: number;
  readonly path: string;
  /** Short name; the operator that was made first unless given. */
  readonly operator: string | undefined;
};
/** A sorted file: each of its rows says its own status. */
export type StatusFilePlace = Omit<EquipmentListPlace, "status">;
export type EquipmentPlace = {
  readonly rules: EquipmentRules;
  readonly lists: readonly EquipmentListPlace[];
  readonly statusFiles: readonly StatusFilePlace[];
};

/** @throws TurnupError `config_invalid`, `file_unreadable` */
export async function readEquipmentPlace({ equipment }: Pick<Config, "equipment">): Promise<EquipmentPlace> {
  const { listsFile, ...rules } = equipment;
  if (!listsFile) return { rules, lists: [], statusFiles: [] };
  const lists = await readPlaces(listsFile, readLists, NEXT);
  const operators = new Set(lists.map((one) => one.operator));
  if (operators.size > 1 && operators.has(undefined))
    throw invalidPlaces(listsFile, "some lists name their operator, and some do not", NEXT);
  for (const operator of operators) {
    const own = lists.filter((one) => one.operator === operator);
    const twice =
      twiceIn(own.map(({ name }) => name)) ?? twiceIn(own.map(({ priority }) => `priority ${priority}`));
    if (twice !== undefined) throw invalidPlaces(listsFile, `${twice} stands in it twice`, NEXT);
    if (own.length > EQUIPMENT_LISTS_MAX)
      throw invalidPlaces(listsFile, `an operator has ${EQUIPMENT_LISTS_MAX} lists at most`, NEXT);
  }
  const folder = dirname(listsFile);
  const named: EquipmentListPlace[] = [];
  const statusFiles: StatusFilePlace[] = [];
  for (const { name, priority, operator, status, file, statusFile } of lists) {
    if (status !== undefined && file !== undefined && statusFile === undefined)
      named.push({ name, priority, operator, status, path: resolve(folder, file) });
    else if (statusFile !== undefined && status === undefined && file === undefined)
      statusFiles.push({ name, priority, operator, path: resolve(folder, statusFile) });
    else throw invalidPlaces(listsFile, `${name} has status and file, or a statusFile alone`, NEXT);
  }
  return { rules, lists: named, statusFiles };
}
