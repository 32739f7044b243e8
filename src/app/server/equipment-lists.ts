/**
 * The lists of handsets that cores are answered by: read from their files at the start and at SIGHUP, and kept in memory. A file with a fault
 * changes nothing, and is told line by line.
 */
import { createReadStream } from "node:fs";
import type { EquipmentStatuses } from "../../kernel/equipment/equipment.ts";
import type { EquipmentChecks } from "../../kernel/equipment/equipment-lists.ts";
import { buildEquipmentIndex, type EquipmentIndex } from "../../kernel/equipment/status-index.ts";
import { readEquipmentLine } from "../../kernel/equipment/status-line.ts";
import { type EquipmentRules, equipmentVerdict } from "../../kernel/equipment/verdict.ts";
import { TurnupError } from "../../term/error.ts";
import type { EquipmentPlace } from "../config/equipment-config.ts";
import type { OwnEquipmentOf } from "./own-equipment.ts";
import type { StatusFiles, StatusSource } from "./status-files.ts";

/** Of all lists of an operator: as much memory as a table of known pairs of the same length has. */
const ENTRIES_MAX = 10_000_000;
const FAULTS_TOLD_MAX = 5;
const LINE_CHARACTERS_MAX = 4_096;
/** A look for operators that were not there when the lists were read. */
const AGAIN_MS = 1_000;

type EquipmentIndexes = {
  /** By short name; undefined: the operator that was made first. */
  readonly indexes: ReadonlyMap<string | undefined, EquipmentIndex>;
  readonly rules: EquipmentRules;
};

/** @throws TurnupError `file_unreadable`; `config_invalid` with the lines that have a fault */
export async function readEquipmentLists({
  lists,
  rules,
}: Pick<EquipmentPlace, "lists" | "rules">): Promise<EquipmentIndexes> {
  const indexes = new Map<string | undefined, EquipmentIndex>();
  for (const operator of new Set(lists.map((list) => list.operator))) {
    const own = lists.filter((list) => list.operator === operator);
    const building = buildEquipmentIndex(own);
    let entries = 0;
    for (const [at, { path }] of own.entries()) {
      const faults: string[] = [];
      let number = 0;
      for await (const lines of linesOf(path)) {
        for (const line of lines) {
          number += 1;
          const read = readEquipmentLine(line);
          if (!read) continue;
          if ("fault" in read) faults.push(`line ${number}: ${read.fault}`);
          else building.put(at, read.entry);
          entries += 1;
        }
        if (entries > ENTRIES_MAX)
          throw refused(path, `with the lists before it, it has more than ${ENTRIES_MAX} entries`);
        if (faults.length >= FAULTS_TOLD_MAX) break;
      }
      if (faults.length > 0) throw refused(path, faults.slice(0, FAULTS_TOLD_MAX).join("; "));
    }
    indexes.set(operator, building.done());
  }
  return { indexes, rules };
}

const refused = (path: string, fact: string): TurnupError =>
  new TurnupError("config_invalid", `${path}: ${fact}.`, {
    nextStep: "Mend these lines; see Equipment lists in docs/operations.md for their form.",
  });

/** Ended by LF, CRLF or CR; a line of more than 4,096 characters is cut, and so is a fault. */
async function* linesOf(path: string): AsyncGenerator<readonly string[]> {
  let rest = "";
  try {
    for await (const chunk of createReadStream(path, { encoding: "utf8", highWaterMark: 1 << 18 })) {
      const text: string = rest + chunk;
      const end = text.endsWith("\r") ? "\r" : ""; // it may be half of a CRLF
      const lines = text.slice(0, text.length - end.length).split(/\r\n|[\r\n]/);
      rest = (lines.pop() ?? "").slice(0, LINE_CHARACTERS_MAX) + end;
      yield lines;
    }
  } catch (cause) {
    throw new TurnupError("file_unreadable", `${path} cannot be read.`, { cause });
  }
  yield [rest];
}

export type EquipmentBook = EquipmentStatuses &
  EquipmentChecks & {
    /** Whether its cores hear of anybody that is black, by the settings and by the switch. */
    answersBlack(operatorId: string): boolean;
    change(next: EquipmentIndexes, files?: StatusFiles["byOperator"]): void;
  };
/** Of one operator, out of files. */
type Known = { readonly index: EquipmentIndex | undefined; readonly files: readonly StatusSource[] };

type BookDeps = {
  readonly operatorIdOf: (slug: string | undefined) => Promise<string | undefined>;
  /** What an operator said by the API. */
  readonly ownOf: OwnEquipmentOf;
  readonly monotonicMs: () => number;
  readonly onFault: (name: string, error: unknown) => void;
};

/** What the lists say, by operator; one that is made later finds its lists within a second of its first question. */
export async function openEquipmentBook(
  deps: BookDeps,
  first: EquipmentIndexes,
  files: StatusFiles["byOperator"] = new Map(),
): Promise<EquipmentBook> {
  let now = knownIn(first, files);
  let byOperator = new Map<string, Known>();
  let againMs = Number.NEGATIVE_INFINITY;
  const look = async (): Promise<void> => {
    againMs = deps.monotonicMs() + AGAIN_MS;
    const looked = now;
    const found = new Map<string, Known>();
    for (const [slug, known] of looked.bySlug) {
      const id = await deps.operatorIdOf(slug);
      if (id !== undefined) found.set(id, known);
    }
    if (looked === now) byOperator = found;
  };
  const lookBehind = () => void look().catch((error: unknown) => deps.onFault("equipment", error));
  await look();
  const answersBlack = (operatorId: string): boolean =>
    now.rules.answersBlack && (deps.ownOf(operatorId)?.answersBlack ?? true);
  const verdictOf: EquipmentChecks["verdictOf"] = (operatorId, handset) => {
    if (byOperator.size < now.bySlug.size && deps.monotonicMs() >= againMs) lookBehind();
    const own = deps.ownOf(operatorId);
    const known = byOperator.get(operatorId);
    const sources = [own?.index, known?.index, ...(known?.files ?? [])];
    return equipmentVerdict(handset, sources, { ...now.rules, answersBlack: answersBlack(operatorId) });
  };
  return {
    verdictOf,
    answersBlack,
    statusOf: (operatorId, equipment) => verdictOf(operatorId, equipment).answer,
    change(next, nextFiles = new Map()) {
      now = knownIn(next, nextFiles);
      lookBehind();
    },
  };
}

function knownIn({ indexes, rules }: EquipmentIndexes, files: StatusFiles["byOperator"]) {
  const bySlug = new Map<string | undefined, Known>();
  for (const slug of new Set([...indexes.keys(), ...files.keys()]))
    bySlug.set(slug, { index: indexes.get(slug), files: files.get(slug) ?? [] });
  return { bySlug, rules };
}
