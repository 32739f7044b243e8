/** docs/events.md: the tables of all types of events with the shape of their data, written from their list. */
import { DATA_FIELDS, EVENT_TYPES, SUBJECTS } from "../../kernel/events/event-types.ts";

const BEGIN = "<!-- events: written by `turnup event types --update`, not by hand -->";
const END = "<!-- end of events -->";

export function eventTable(): string {
  return SUBJECTS.flatMap((subject) => [
    `### ${subject[0]?.toUpperCase()}${subject.slice(1)}`,
    "",
    "| field of `data` | type | says |",
    "| --- | --- | --- |",
    ...Object.entries(DATA_FIELDS[subject]).map(([name, { type, description }]) =>
      row([`\`${name}\``, [type].flat().join(" or "), description]),
    ),
    "",
    "| type | says |",
    "| --- | --- |",
    ...EVENT_TYPES.filter((one) => one.subject === subject).map(({ type, says }) =>
      row([`\`${type}\``, says]),
    ),
    "",
  ])
    .join("\n")
    .trimEnd();
}

const row = (cells: readonly string[]): string =>
  `| ${cells.map((cell) => cell.replaceAll("|", "\\|")).join(" | ")} |`;

/** The document with today's tables between its marks. */
export function withEventTable(document: string): string {
  const [from, to] = [document.indexOf(BEGIN), document.indexOf(END)];
  if (from < 0 || to < from) throw new Error(`the marks are missing: ${BEGIN} and ${END}`);
  return `${document.slice(0, from + BEGIN.length)}\n\n${eventTable()}\n\n${document.slice(to)}`;
}
