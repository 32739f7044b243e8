/** The pages behind a link as screens, for the renderers of phones: cover, sheet, and what is to be told instead of them. */
import type { SettingsSheet, SheetStep } from "../../kernel/payload/settings-sheet.ts";
import type { SheetTexts } from "../../kernel/payload/sheet-texts.ts";
import type { Screen } from "../../wire/screen/screen.ts";
import type { SheetFiles } from "./sheet-html.ts";

type Told = {
  readonly id: string;
  readonly title: string;
  readonly language: string;
  readonly text: readonly string[];
};

const TITLE_CHARACTERS = 80;

export const toldScreen = ({ id, title, language, text }: Told): Screen => ({
  id,
  title: titleOf(title),
  lang: language,
  text,
  entries: [],
  actions: [],
});

/** The button is a POST: what fetches links by itself presses none. */
export const coverScreen = (
  operatorName: string,
  address: string,
  { texts, language }: { readonly texts: SheetTexts; readonly language: string },
): Screen => ({
  ...toldScreen({ id: "settings-cover", title: operatorName, language, text: [texts.ready] }),
  form: { action: address, submit: texts.show, fields: [], hidden: {} },
});

/** What is to be typed stands in lines: label, colon, value. */
export function sheetScreen(sheet: SettingsSheet, files: SheetFiles): Screen {
  const numbered = sheet.steps.map((step, at) => linesOf(step, `${at + 1}. `));
  const screen = toldScreen({
    id: "settings",
    title: sheet.title,
    language: sheet.language,
    text: [
      ...sheet.intro,
      ...numbered.flat(),
      ...sheet.also.flatMap((step) => linesOf(step)),
      ...sheet.notes,
    ],
  });
  const entries = sheet.download === null ? [] : [{ label: sheet.download, href: files.profile, lead: true }];
  return { ...screen, entries };
}

function linesOf({ text, path, point }: SheetStep, mark = ""): string[] {
  return [
    `${mark}${text}`,
    ...(path ? [path.join(" > ")] : []),
    ...(point?.values ?? []).map(({ label, value }) => `${label}: ${value}`),
  ];
}

const titleOf = (text: string): string =>
  text.length <= TITLE_CHARACTERS ? text : `${text.slice(0, TITLE_CHARACTERS - 1)}…`;
