/**
 * The page behind a link in a text message: the values to type into a phone that takes none over the air. Plain markup
 * without script or picture, below 4 KiB, so that a phone of 2005 shows it at 128 pixels' width over GPRS. The values come
 * after the press of a button: what fetches links by itself must not count as a person who read them.
 */

import type { FastifyRequest } from "fastify";
import Type from "typebox";
import type { SettingsPage } from "../../kernel/payload/settings-page.ts";
import type { SettingsPoint } from "../../kernel/payload/settings-values.ts";
import { type Answer, asItIs, route } from "../route.ts";

/** 16 random octets in base64url. */
const LINK_TOKEN = /^[A-Za-z0-9_-]{20,64}$/;
/** The form has no fields; a phone's own additions fit. */
const FORM_OCTETS_MAX = 1_024;
const HEADERS = {
  "content-type": "text/html; charset=utf-8",
  "x-robots-tag": "noindex, nofollow, noarchive",
};

const SHARED = {
  path: "/s/:token",
  tag: "pages",
  roles: "open",
  errors: ["too_many_requests"],
  status: 200,
  produces: "text/html",
  params: { token: Type.String({ maxLength: 200 }) },
  tooMany: (seconds: number, { headers: { accept } }: FastifyRequest): Answer => ({
    status: 429,
    ...(isForWap(accept) ? wmlWait(seconds) : htmlWait(seconds)),
  }),
} as const;

export const settingsCover = route({
  ...SHARED,
  method: "GET",
  summary: "What stands behind a link: whose settings, and a button that shows them",
  description:
    "Its address is its credential. Fetching it proves nothing: message centres and phones look at links by themselves. " +
    "404 unknown, 410 expired, both as a page.",
  async handle({ pages }, { params }): Promise<Answer<never>> {
    return answerWith(isToken(params.token) ? await pages.look(params.token) : undefined);
  },
});

export const settingsPage = route({
  ...SHARED,
  method: "POST",
  summary: "The readable settings, as the button asks for them",
  description:
    "Evidence that the settings were opened: only a person presses the button. 404 unknown, 410 expired, both as a page.",
  consumes: ["application/x-www-form-urlencoded"],
  bodyLimitOctets: FORM_OCTETS_MAX,
  async handle({ pages }, { params }): Promise<Answer<never>> {
    return answerWith(isToken(params.token) ? await pages.open(params.token) : undefined);
  },
});

const isToken = (text: string): boolean => LINK_TOKEN.test(text);

function answerWith(page: SettingsPage | undefined): Answer<never> {
  const { status, html } = htmlOf(page);
  return asItIs(html, HEADERS, status);
}

function htmlOf(page: SettingsPage | undefined): { status: number; html: string } {
  if (!page) {
    return {
      status: 404,
      html: document("Not found", [
        "<h1>Nothing here</h1>",
        "<p>This address is not known. Open the link in your text message once more, or type it exactly as it stands there.</p>",
        "<p>If that does not help, call your operator.</p>",
      ]),
    };
  }
  const operator = escaped(page.operatorName);
  if (page.state === "expired") {
    return {
      status: 410,
      html: document(operator, [
        `<h1>${operator}</h1>`,
        "<p>This page has expired. Call your operator for a new link to your settings.</p>",
      ]),
    };
  }
  if (page.state === "ready") return { status: 200, html: document(operator, coverPage(operator)) };
  return { status: 200, html: document(operator, openPage(page, operator)) };
}

const waitWords = (seconds: number): readonly string[] => [
  "Please wait",
  `Too many wrong addresses came from your network. Wait ${seconds} seconds and open the link in your text message again.`,
];
function htmlWait(seconds: number): Pick<Answer, "body" | "headers"> {
  const [title = "", text] = waitWords(seconds);
  const body = document(title, [`<h1>${title}</h1>`, `<p>${text}</p>`]);
  return { body, headers: { ...HEADERS, "retry-after": String(seconds) } };
}
/** WML 1.1, for a phone that draws nothing else. */
function wmlWait(seconds: number): Pick<Answer, "body" | "headers"> {
  const [title, text] = waitWords(seconds);
  const body = `<?xml version="1.0"?>
<!DOCTYPE wml PUBLIC "-//WAPFORUM//DTD WML 1.1//EN" "http://www.wapforum.org/DTD/wml_1.1.xml">
<wml><card title="${title}"><p>${text}</p></card></wml>
`;
  const headers = { "content-type": "text/vnd.wap.wml; charset=utf-8", "retry-after": String(seconds) };
  return { body, headers };
}
const isForWap = (accept = ""): boolean =>
  accept.includes("text/vnd.wap.wml") && !/text\/html|application\/(?:vnd\.wap\.)?xhtml\+xml/.test(accept);

const coverPage = (operator: string): string[] => [
  `<h1>${operator}</h1>`,
  "<p>The settings for your phone are ready.</p>",
  '<form method="post"><input type="submit" value="Show my settings"></form>',
];

function openPage(page: Extract<SettingsPage, { state: "open" }>, operator: string): string[] {
  const phone = [page.make, page.model].filter(Boolean).join(" ");

  return [
    `<h1>${operator}</h1>`,
    `<p>Settings for your phone${phone ? ` (${escaped(phone)})` : ""}. Type them in once, step by step.</p>`,
    "<ol>",
    "<li>On your phone open <b>Settings</b>, then <b>Connections</b> or <b>Mobile networks</b>, then <b>Access points</b>.</li>",
    ...page.points.map((point) => stepOf(point, page.operatorName)),
    "<li>Switch the phone off and on again.</li>",
    "</ol>",
    `<p>Type every value exactly as it stands here. Leave out what is not listed. If it does not work, call ${operator}.</p>`,
  ];
}

const TITLES: Readonly<Record<SettingsPoint["use"], string>> = {
  internet: "Internet",
  mms: "Picture messages (MMS)",
  wap: "WAP",
  maker: "Manufacturer's services",
};

function stepOf(point: SettingsPoint, operator: string): string {
  const rows = valuesOf(point, operator)
    .map(([label, value]) => `<tr><td>${label}<br><b>${escaped(value)}</b></td></tr>`)
    .join("\n");
  return `<li>Make a new access point for <b>${TITLES[point.use]}</b>:\n<table>\n${rows}\n</table></li>`;
}

/** What is to be typed, by the names that phones give it. */
function valuesOf(point: SettingsPoint, operator: string): [string, string][] {
  const { use, apn, user, password, authType, mmsc, proxy, port, homepage } = point;
  const rows: [string, string | null][] = [
    ["Name", `${operator} ${use === "mms" ? "MMS" : TITLES[use]}`],
    ["Access point name (APN)", apn],
    ["User name", user],
    ["Password", password],
    ["Authentication", authType === "none" ? null : authType.toUpperCase()],
    ["Message centre (MMSC)", mmsc],
    [use === "mms" ? "MMS proxy" : "Proxy", proxy],
    [use === "mms" ? "MMS port" : "Port", port === null || proxy === null ? null : String(port)],
    ["Home page", homepage],
    ["APN type", use === "mms" ? "mms" : use === "internet" ? "default" : null],
  ];
  return rows.filter((row): row is [string, string] => row[1] !== null && row[1] !== "");
}

const document = (title: string, lines: readonly string[]): string => `<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width">
<meta name="robots" content="noindex">
<title>${title}</title>
<style>body{font-family:sans-serif;margin:6px;line-height:1.3}h1{font-size:1.2em;margin:4px 0}ol{padding-left:1.4em}input{font-size:1em;padding:4px}td{padding:0 0 6px;word-break:break-all}b{color:#036}</style>
</head>
<body>
${lines.join("\n")}
</body>
</html>
`;

const ENTITIES: Readonly<Record<string, string>> = {
  "&": "&amp;",
  "<": "&lt;",
  ">": "&gt;",
  '"': "&quot;",
  "'": "&#39;",
};
const escaped = (text: string): string => text.replace(/[&<>"']/g, (sign) => ENTITIES[sign] ?? sign);
