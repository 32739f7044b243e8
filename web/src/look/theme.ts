/** Light, dark, or as the computer has it: a cookie that the server writes into the page, so nothing flashes. */
export const THEMES = ["auto", "light", "dark"] as const;
export type Theme = (typeof THEMES)[number];
const YEAR_SECONDS = 31_536_000;

export const themeNow = (): Theme =>
  THEMES.find((one) => one === document.documentElement.dataset.theme) ?? "auto";

/** What Mantine is told; the colours themselves follow `color-scheme`. */
export function schemeOf(): "light" | "dark" {
  const theme = themeNow();
  if (theme !== "auto") return theme;
  return matchMedia("(prefers-color-scheme: dark)").matches ? "dark" : "light";
}

/** Kept for this browser; nothing of a person is in it. */
export function keep(name: "turnup_theme" | "turnup_language", value: string): void {
  const path = new URL(document.baseURI).pathname;
  // biome-ignore lint/suspicious/noDocumentCookie: the server reads it when it writes the page; the Cookie Store API is not in every browser
  document.cookie = `${name}=${value}; Path=${path}; Max-Age=${YEAR_SECONDS}; SameSite=Strict`;
}

export function chooseTheme(theme: Theme): void {
  document.documentElement.dataset.theme = theme;
  keep("turnup_theme", theme);
}
