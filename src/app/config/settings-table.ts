/** The table of settings in docs/operations.md, written from their schemas. */
import { ALL_SETTINGS, type Annotated, allowedOf } from "./config.ts";

const BEGIN = "<!-- settings: written by `turnup config --update`, not by hand -->";
const END = "<!-- end of settings -->";

export function settingsTable(): string {
  const rows = ALL_SETTINGS.map(({ name, variable, schema }) => {
    const cells = [
      `\`${name}\`<br>\`${variable}\``,
      schema.description,
      allowedOf(schema),
      unitOf(schema),
      defaultOf(schema),
    ];
    return `| ${cells.map((cell) => cell.replaceAll("|", "\\|")).join(" | ")} |`;
  });
  return [
    "| setting | what it is | allowed | unit | default |",
    "| --- | --- | --- | --- | --- |",
    ...rows,
  ].join("\n");
}

/** The document with today's table between its marks. */
export function withSettingsTable(document: string): string {
  const [from, to] = [document.indexOf(BEGIN), document.indexOf(END)];
  if (from < 0 || to < from) throw new Error(`the marks are missing: ${BEGIN} and ${END}`);
  return `${document.slice(0, from + BEGIN.length)}\n\n${settingsTable()}\n\n${document.slice(to)}`;
}

const unitOf = ({ unit }: Annotated): string => unit ?? "–";

function defaultOf(schema: Annotated): string {
  if (schema.standsFor) return schema.standsFor;
  return schema.default === undefined ? "not set" : `\`${String(schema.default)}\``;
}
