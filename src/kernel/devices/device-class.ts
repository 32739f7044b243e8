/** Classes of devices that the data tells apart (US 6,647,260 column 3), and what each shows where its screen is not known. */
export const MODEL_CLASSES = ["phone", "tablet", "watch", "modem", "pager", "pda", "palm", "remote"] as const;
export type ModelClass = (typeof MODEL_CLASSES)[number];

/** Columns and lines of characters: the least that devices of the class show. */
const LEAST: Readonly<Partial<Record<ModelClass, string>>> = {
  pager: "20x8",
  pda: "26x12",
  palm: "40x16",
  remote: "12x2",
};

export const modelClassOf = (form: string | null): ModelClass | null =>
  MODEL_CLASSES.find((known) => known === form) ?? null;

/**
 * What a model shows, as the land leg says it (`screen=176x220px; class=phone`); null where nothing is known of it.
 * @param screen in pixels, where the data has them
 */
export function displayOf(
  form: string | null,
  screen: { readonly widthPx: number | null; readonly heightPx: number | null } | null,
): string | null {
  const modelClass = modelClassOf(form);
  const pixels = screen?.widthPx && screen.heightPx ? `${screen.widthPx}x${screen.heightPx}px` : undefined;
  const size = pixels ?? (modelClass === null ? undefined : LEAST[modelClass]);
  if (size === undefined) return null;
  return modelClass === null ? `screen=${size}` : `screen=${size}; class=${modelClass}`;
}
