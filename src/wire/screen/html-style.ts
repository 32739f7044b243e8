/** The look of the HTML pages: one constant, so that a content security policy can name it by its hash. */
import { createHash } from "node:crypto";

/**
 * Fits 240 pixels across and is calm at 390 and above. Everything that can be touched is 48 pixels high at least.
 * Colours keep a contrast of 4.5 to 1 in both schemes.
 */
export const HTML_STYLE = `
:root{color-scheme:light dark;--page:#f4f5f7;--card:#fff;--ink:#16191d;--soft:#55606c;--line:#d4d9df;--lead:#0b5cad;--on-lead:#fff;--wrong:#b3261e;--wrong-page:#fdecea}
@media(prefers-color-scheme:dark){:root{--page:#101317;--card:#1b2026;--ink:#e9edf1;--soft:#a3aeba;--line:#3a434d;--lead:#8fc2ff;--on-lead:#06223f;--wrong:#ffb4ab;--wrong-page:#3b1512}}
*{box-sizing:border-box}
html{-webkit-text-size-adjust:100%;text-size-adjust:100%}
body{margin:0;background:var(--page);color:var(--ink);font:1rem/1.5 system-ui,-apple-system,"Segoe UI",Roboto,sans-serif;overflow-wrap:anywhere}
main{max-width:34rem;margin:0 auto;padding:1rem .75rem 2rem}
h1{font-size:1.375rem;line-height:1.25;margin:.25rem 0 .75rem}
p{margin:0 0 .75rem}
a{color:var(--lead)}
ul{list-style:none;margin:0 0 1rem;padding:0}
li{margin:0 0 .5rem}
.entry{display:flex;align-items:center;min-height:3.25rem;padding:.625rem .875rem;background:var(--card);border:1px solid var(--line);border-radius:.75rem;color:var(--ink);text-decoration:none}
.entry>span{flex:1}
.entry b{display:block;font-weight:600}
.entry small{display:block;color:var(--soft);font-size:.875rem}
.entry::after{content:"";flex:none;width:.5rem;height:.5rem;margin-left:.75rem;border:solid var(--soft);border-width:.125rem .125rem 0 0;transform:rotate(45deg)}
form{margin:0 0 .75rem}
.sheet{padding:1rem .875rem;background:var(--card);border:1px solid var(--line);border-radius:.75rem}
.field{margin:0 0 1rem;padding:0;border:0;min-width:0}
label,legend{display:block;margin:0 0 .25rem;padding:0;font-weight:600}
.optional{font-weight:400;color:var(--soft)}
input,select{display:block;width:100%;min-height:3rem;padding:.5rem .75rem;font:inherit;color:inherit;background:var(--page);border:1px solid var(--soft);border-radius:.5rem}
[aria-invalid]{border:2px solid var(--wrong)}
[aria-invalid]~.note{color:var(--wrong);font-weight:600}
.tick{display:flex;align-items:center;min-height:3rem;margin:0;font-weight:400}
.tick input{flex:none;width:1.375rem;min-height:0;height:1.375rem;margin:0 .75rem 0 0;accent-color:var(--lead)}
.note{margin:.25rem 0 0;color:var(--soft);font-size:.875rem}
.wrong{margin:0 0 .75rem;padding:.625rem .75rem;color:var(--wrong);background:var(--wrong-page);border-radius:.5rem;font-weight:600}
button,.button{display:block;width:100%;min-height:3rem;padding:.6875rem 1rem;font:inherit;font-weight:600;line-height:1.5;text-align:center;text-decoration:none;color:var(--lead);background:transparent;border:2px solid var(--lead);border-radius:.75rem;cursor:pointer}
.lead{color:var(--on-lead);background:var(--lead)}
.entry.lead{border-color:var(--lead)}
.entry.lead::after{border-color:currentColor}
.entry.lead small{color:inherit}
.actions{margin:1rem 0 0}
.actions>*{margin:0 0 .625rem}
nav{display:flex;flex-wrap:wrap}
.actions>nav{margin:.25rem -.5rem 0}
nav a{display:inline-block;min-width:3rem;min-height:3rem;padding:.75rem .5rem;line-height:1.5}
ol.steps{margin:0 0 1rem;padding:0 0 0 1.5rem}
.steps>li{margin:0 0 1rem}
.path{padding:.625rem .75rem;background:var(--card);border:1px solid var(--line);border-radius:.5rem}
dl{margin:0 0 .75rem}
dt{color:var(--soft);font-size:.875rem}
dd{display:flex;align-items:center;min-height:3rem;margin:0 0 .5rem}
dd:last-child{margin:0}
code{flex:1;font:600 1rem/1.4 ui-monospace,Menlo,Consolas,monospace;-webkit-user-select:all;user-select:all}
dd button{flex:none;width:auto;min-width:6rem;margin:0 0 0 .75rem}
button[hidden]{display:none}
.aside{color:var(--soft);font-size:.9375rem}
.unseen{position:absolute;width:1px;height:1px;margin:-1px;overflow:hidden;clip-path:inset(50%);white-space:nowrap}
:focus-visible{outline:3px solid var(--lead);outline-offset:2px}
`.trim();

/** For `style-src` in a content security policy. */
export const HTML_STYLE_HASH = `'sha256-${createHash("sha256").update(HTML_STYLE).digest("base64")}'`;
