/**
 * The sheet behind a link as HTML: the portal's look, every value in an element of its own that is selected whole by a touch, and
 * a button that copies it where scripts run. Without a script nothing is missing but those buttons.
 */
import { createHash } from "node:crypto";
import type { SettingsSheet, SheetStep, SheetValue } from "../../kernel/payload/settings-sheet.ts";
import type { SheetTexts } from "../../kernel/payload/sheet-texts.ts";
import { htmlPage } from "../../wire/screen/html.ts";
import { HTML_STYLE_HASH } from "../../wire/screen/html-style.ts";
import { element, type XmlElement } from "../../wire/xml/tree.ts";

/** A page of plain HTTP has no clipboard of its own: there the value is selected, and copied as a person would. */
const COPY_SCRIPT = `
(function(){
var said=document.getElementById("said");
function select(one){var range=document.createRange();range.selectNodeContents(one);var all=getSelection();all.removeAllRanges();all.addRange(range)}
function tell(button){said.textContent="";said.textContent=button.getAttribute("data-said")+": "+button.getAttribute("data-label");button.textContent=button.getAttribute("data-said")}
Array.prototype.forEach.call(document.querySelectorAll("button[data-copy]"),function(button){
var value=document.getElementById(button.getAttribute("data-copy"));
button.hidden=false;
button.addEventListener("click",function(){
function byHand(){select(value);if(document.execCommand("copy"))tell(button)}
if(navigator.clipboard&&navigator.clipboard.writeText)navigator.clipboard.writeText(value.textContent).then(function(){tell(button)},byHand);
else byHand()})})
})()
`.trim();

/** Nothing is loaded, and one script runs, known by its hash; forms go to this server alone. */
export const SHEET_POLICY = [
  "default-src 'none'",
  `style-src ${HTML_STYLE_HASH}`,
  `script-src 'sha256-${createHash("sha256").update(COPY_SCRIPT).digest("base64")}'`,
  "form-action 'self'",
  "frame-ancestors 'none'",
  "base-uri 'none'",
].join("; ");

/** Paths of the files that go with the page. */
export type SheetFiles = { readonly profile: string; readonly removal: string };

export function sheetHtml(sheet: SettingsSheet, texts: SheetTexts, files: SheetFiles): string {
  const ids = { next: 0 };
  const stepsOf = (steps: readonly SheetStep[]): XmlElement[] =>
    steps.map((step) => element("li", {}, stepOf(step, texts, ids)));
  const body = element(
    "main",
    {},
    element("h1", {}, sheet.title),
    sheet.intro.map((text) => element("p", {}, text)),
    sheet.download === null
      ? undefined
      : element("p", {}, element("a", { class: "button lead", href: files.profile }, sheet.download)),
    element("ol", { class: "steps" }, stepsOf(sheet.steps)),
    sheet.also.map((step) => element("section", {}, stepOf(step, texts, ids))),
    sheet.notes.map((text) => element("p", { class: "aside" }, text)),
    sheet.removal === null
      ? undefined
      : element("p", {}, element("a", { class: "button", href: files.removal }, sheet.removal)),
    element("p", { id: "said", class: "unseen", role: "status" }),
  );
  return htmlPage({
    title: sheet.title,
    lang: sheet.language,
    body: [body, element("script", {}, COPY_SCRIPT)],
  });
}

function stepOf({ text, path, point }: SheetStep, texts: SheetTexts, ids: { next: number }): XmlElement[] {
  return [
    element("p", {}, text),
    ...(path ? [element("p", { class: "path" }, element("b", {}, path.join(" › ")))] : []),
    ...(point
      ? [
          element(
            "dl",
            { class: "sheet", "data-use": point.use },
            point.values.flatMap((value) => entryOf(value, texts, `v${ids.next++}`)),
          ),
        ]
      : []),
  ];
}

const entryOf = ({ key, label, value }: SheetValue, texts: SheetTexts, id: string): XmlElement[] => [
  element("dt", {}, label),
  element(
    "dd",
    {},
    element("code", { id, "data-value": key }, value),
    element(
      "button",
      {
        type: "button",
        hidden: true,
        "data-copy": id,
        "data-label": label,
        "data-said": texts.copied,
        "aria-label": `${texts.copy}: ${label}`,
      },
      texts.copy,
    ),
  ),
];
