/**
 * The sorted files of statuses that a server answers by: open while it runs, and opened anew within a second of another one being put in
 * their place. One that cannot be read says nothing about a handset, and that it cannot is told.
 */
import type { EquipmentIndex } from "../../kernel/equipment/status-index.ts";
import { openStatusFile, type StatusFile, statusFileIdentity } from "../../store/equipment/status-file.ts";
import type { StatusFilePlace } from "../config/equipment-config.ts";
import { startLoop } from "./loop.ts";

const LOOK_MS = 500;
/** A disk that fails answers each look-up alike. */
const FAULT_TOLD_MS = 1_000;

export type StatusSource = Pick<EquipmentIndex, "find">;
export type StatusFiles = {
  /** By short name; undefined: the operator that was made first. */
  readonly byOperator: ReadonlyMap<string | undefined, readonly StatusSource[]>;
  close(): Promise<void>;
};

/** @throws TurnupError `file_unreadable`, `dataset_malformed` */
export function openStatusFiles(
  places: readonly StatusFilePlace[],
  onFault: (name: string, error: unknown) => void,
): StatusFiles {
  const byOperator = new Map<string | undefined, StatusSource[]>();
  const held: { readonly place: StatusFilePlace; file: StatusFile }[] = [];
  const tell = seldom(onFault);
  for (const place of places) {
    const one = { place, file: openStatusFile(place.path, place) };
    held.push(one);
    const sources = byOperator.get(place.operator) ?? [];
    byOperator.set(place.operator, sources);
    sources.push({
      find(handset) {
        try {
          return one.file.find(handset);
        } catch (error) {
          tell(error);
          return undefined;
        }
      },
    });
  }
  const loop = startLoop({
    name: "status-files",
    pauseMs: LOOK_MS,
    async pass() {
      for (const one of held) {
        const now = statusFileIdentity(one.place.path);
        if (now === undefined || now === one.file.identity) continue;
        const before = one.file;
        one.file = openStatusFile(one.place.path, one.place);
        before.close();
      }
      return false;
    },
    onFailure: onFault,
  });
  return {
    byOperator,
    async close() {
      await loop.stop();
      for (const { file } of held) file.close();
    },
  };
}

/** @throws TurnupError as `openStatusFiles`; none stays open */
export function checkStatusFiles(places: readonly StatusFilePlace[]): void {
  for (const place of places) openStatusFile(place.path, place).close();
}

function seldom(onFault: (name: string, error: unknown) => void): (error: unknown) => void {
  let quietUntilMs = Number.NEGATIVE_INFINITY;
  return (error) => {
    if (performance.now() < quietUntilMs) return;
    quietUntilMs = performance.now() + FAULT_TOLD_MS;
    onFault("equipment", error);
  };
}
